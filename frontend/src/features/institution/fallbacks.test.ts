import { expect, test } from 'vitest';
import { read, written } from './fallbacks';

test.each([
  ['ff: fr, en; mg: fr', { ff: ['fr', 'en'], mg: ['fr'] }],
  [' ff:fr en ؛ mg : fr،en ', { ff: ['fr', 'en'], mg: ['fr', 'en'] }],
  ['', {}],
  [';;', {}],
  ['ff', { ff: [] }],
])('%s', (text, fallbacks) => {
  expect(read(text)).toEqual(fallbacks);
});

test('what was read is written as it was', () => {
  expect(written(read('ff: fr, en; mg: fr'))).toBe('ff: fr, en; mg: fr');
});
