import { describe, expect, it } from 'vitest';
import { compileRE2 } from './re2';

describe('patterns of Go', () => {
  it.each<[pattern: string, text: string, found: boolean]>([
    ['b+', 'abbc', true],
    ['^b', 'abbc', false],
    ['a$', 'a\n', false],
    ['(?m)a$', 'a\nb', true],
    ['(?m)^b', 'a\nb', true],
    ['(?m)^b', 'a\rb', false],
    ['(?s)a.b', 'a\nb', true],
    ['a.b', 'a\nb', false],
    ['a.b', 'a\rb', true],
    ['(?i)HELLO', 'hello', true],
    ['New leaf: *sick', 'New leaf:   sick', true],
    ['\\Aab\\z', 'ab', true],
    ['\\Aab\\z', 'ab\n', false],
    ['[[:digit:]]+x', '12x', true],
    ['[]a]', ']', true],
    ['[^\\n\\]]', ']', false],
    ['\\s', '\u00a0', false],
    ['\\s', '\t', true],
    ['[\\s,]', ',', true],
    ['\\pL+', 'سلام', true],
    ['\\p{Arabic}', 'س', true],
    ['\\P{Arabic}', 'س', false],
    ['(?P<year>\\d{4})-\\d\\d', '2026-01', true],
    ['\\Q1+1\\E=2', '1+1=2', true],
    ['\\x{1F600}', '😀', true],
    ['^.$', '😀', true],
    ['1\\.5\\-2', '1.5-2', true],
    ['a/b', 'a/b', true],
    ['x{2,}?', 'xx', true],
  ])('%s in %j: %s', (pattern, text, found) => {
    expect(compileRE2(pattern)?.test(text)).toBe(found);
  });

  it.each(['(?i:a)b', '(?U)a', '(?P<a', '[a', '\\C', 'a(?=b)', '[[:^alpha:]]'])('%s is left to the server', (pattern) => {
    expect(compileRE2(pattern)).toBeUndefined();
  });
});
