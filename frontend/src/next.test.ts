import { describe, expect, it } from 'vitest';
import { nextPath } from './next';

const next = (value: string) => nextPath(`?next=${encodeURIComponent(value)}`);

describe('nextPath', () => {
  it.each(['/', '/en/courses/a@2/b?x=1#y', '/app/account', '/ar/%D8%A7'])('follows %s', (path) => expect(next(path)).toBe(path));

  it.each([
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '\\\\evil.example',
    'https://evil.example',
    'javascript:alert(1)',
    'evil.example',
    ' //evil.example',
    '/ok\\..//evil.example',
    '',
  ])('stays at home for %j', (path) => expect(next(path)).toBe('/app/'));

  it('stays at home without the parameter', () => expect(nextPath('')).toBe('/app/'));
});
