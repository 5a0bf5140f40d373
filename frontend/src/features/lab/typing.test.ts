import { describe, expect, it } from 'vitest';
import { highlight } from './highlight';
import { backspace, enter, nearestLine, tab, untab, type Edit } from './typing';

const apply = (text: string, edit: Edit | null) => (edit ? text.slice(0, edit.from) + edit.text + text.slice(edit.to) : text);
const atEnd = (text: string, by: (text: string, from: number, to: number) => Edit | null) => apply(text, by(text, text.length, text.length));

describe('typing', () => {
  it('indents after Enter', () => {
    expect(atEnd('x = 1', enter)).toBe('x = 1\n');
    expect(atEnd('def f(a):', enter)).toBe('def f(a):\n    ');
    expect(atEnd('    if a:  # why', enter)).toBe('    if a:  # why\n        ');
    expect(atEnd('    y = 2', enter)).toBe('    y = 2\n    ');
    expect(atEnd('        return y', enter)).toBe('        return y\n    ');
    expect(atEnd('    returned = 1', enter)).toBe('    returned = 1\n    ');
    expect(atEnd('leaves = [', enter)).toBe('leaves = [\n    ');
    expect(atEnd('print("a:")', enter)).toBe('print("a:")\n');
  });

  it('goes to the next stop with Tab, or moves the chosen lines', () => {
    expect(atEnd('', tab)).toBe('    ');
    expect(atEnd('ab', tab)).toBe('ab  ');
    expect(apply('a\n\nb\nc', tab('a\n\nb\nc', 0, 4))).toBe('    a\n\n    b\nc');
    expect(apply('    a\n  b', untab('    a\n  b', 2, 9))).toBe('a\nb');
    expect(apply('a\n    b', untab('a\n    b', 7, 7))).toBe('a\nb');
    // Chosen lines stay chosen; a lone cursor stays with its sign.
    expect(tab('a\nb', 0, 3)?.chosen).toEqual([0, 11]);
    expect(untab('a\n    b', 7, 7)?.chosen).toEqual([3, 3]);
    expect(untab('    b', 1, 1)?.chosen).toEqual([0, 0]);
  });

  it('takes back a whole step of indentation', () => {
    expect(atEnd('        ', backspace)).toBe('    ');
    expect(atEnd('      ', backspace)).toBe('    ');
    expect(backspace('ab', 2, 2)).toBeNull();
    expect(backspace('', 0, 0)).toBeNull();
    expect(backspace('    ', 0, 4)).toBeNull();
  });
});

describe('a line that may have moved', () => {
  it('is found by what it says, the nearest first', () => {
    expect(nearestLine('a\nb\nc', 2, 'b')).toBe(2);
    expect(nearestLine('new\na\nb\nc', 2, 'b')).toBe(3);
    expect(nearestLine('b\nx\nx\nx\nb', 4, 'b')).toBe(5);
    expect(nearestLine('b\nx\nx\nx\nb', 2, 'b')).toBe(1);
    expect(nearestLine('a\nb', 9, 'gone')).toBe(0);
  });
});

describe('highlight', () => {
  it('loses nothing', () => {
    const source = 'def f(x):\n\t"""a # b"""\n    return f"{x}" + \'\\\'\' # علامة\n"open\n1.5e3 名前 = None';
    expect(highlight(source).map(({ text }) => text).join('')).toBe(source);
  });

  it('knows comments, strings, numbers and words', () => {
    const kinds = highlight('for i in range(3): # "no"').map(({ kind, text }) => [kind, text]);
    expect(kinds).toContainEqual(['keyword', 'for']);
    expect(kinds).toContainEqual(['builtin', 'range']);
    expect(kinds).toContainEqual(['number', '3']);
    expect(kinds).toContainEqual(['comment', '# "no"']);
    expect(highlight('"# no"')[0]).toEqual({ kind: 'string', text: '"# no"' });
    expect(highlight('information')[0]?.kind).toBe('name');
  });
});
