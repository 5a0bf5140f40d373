import { describe, expect, it } from 'vitest';
import { diffLines, hunks } from './diff';

const text = (before: string, after: string) => diffLines(before, after).map(({ kind, line }) => ({ same: ' ', gone: '-', new: '+' })[kind] + line);

describe('what changed', () => {
  it('keeps common lines', () => {
    expect(text('a\nb\nc', 'a\nx\nc')).toEqual([' a', '-b', '+x', ' c']);
    expect(text('a\nb', 'a\nnew\nb')).toEqual([' a', '+new', ' b']);
    expect(text('a\nb\nc\nd', 'b\nd\ne')).toEqual(['-a', ' b', '-c', ' d', '+e']);
    expect(text('same\n', 'same')).toEqual([' same']);
    expect(text('x', 'x\nx')).toEqual([' x', '+x']);
    expect(text('x\nx', 'x')).toEqual([' x', '-x']);
    expect(text('', 'a')).toEqual(['-', '+a']);
  });

  it('gives both texts back', () => {
    const random = (seed: number) => Array.from({ length: 40 }, (_, i) => String.fromCharCode(97 + ((seed * (i + 7) * 31) % 5))).join('\n');
    for (let seed = 1; seed < 30; seed++) {
      const [a, b] = [random(seed), random(seed + 1)];
      const changes = diffLines(a, b);
      const side = (other: string) => changes.filter(({ kind }) => kind !== other).map(({ line }) => line).join('\n');
      expect(side('new')).toBe(a);
      expect(side('gone')).toBe(b);
    }
  });

  it('is quick with two strangers', () => {
    const lines = (of: string) => Array.from({ length: 2000 }, (_, i) => of + i).join('\n');
    expect(diffLines(lines('a'), lines('b'))).toHaveLength(4000);
  });

  it('leaves out what is far from a change', () => {
    const before = Array.from({ length: 20 }, (_, i) => `${i}`).join('\n');
    const shown = hunks(diffLines(before, before.replace('\n10\n', '\nten\n')), 1);
    expect(shown.map((change) => change?.line ?? '…')).toEqual(['…', '9', '10', 'ten', '11', '…']);
  });
});
