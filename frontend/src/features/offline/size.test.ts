import { expect, test } from 'vitest';
import { size } from './size';

test('a size stands in the unit that fits it, and is never less than it is', () => {
  expect(size(999_950_000)).toMatch(/^1\s?GB$/);
  expect(size(4_000_000_000)).toMatch(/^4\s?GB$/);
  expect(size(4_010_000_000)).toMatch(/^4.1\s?GB$/);
  expect(size(1_234_567_890_123)).toMatch(/^1,234.6\s?GB$/);
  expect(size(999_949_999)).not.toContain('GB');
});
