import { beforeEach, describe, expect, it } from 'vitest';
import { errno } from './errno';
import { Files, type Node, type Place } from './files';

let files: Files;
const find = (path: string) => files.find(files.root, path);
const place = (path: string) => find(path) as Place;
const make = (path: string, dir = false) => files.add(place(path), dir) as Node;
const bytes = (n: number) => new Uint8Array(n);

beforeEach(() => {
  files = new Files({ 'data.csv': 'a,b' }, 3, 100);
});

describe('paths', () => {
  it.each<[string, number]>([
    ['', errno.noEnt],
    ['/data.csv', errno.notCapable],
    ['../x', errno.notCapable],
    ['a/../../x', errno.noEnt],
    ['data.csv/x', errno.notDir],
    ['none/x', errno.noEnt],
    ['a\0', errno.ilSeq],
    ['x'.repeat(256), errno.nameTooLong],
    ['x/'.repeat(3000), errno.nameTooLong],
  ])('%j leads nowhere', (path, fault) => {
    expect(find(path)).toBe(fault);
  });

  it('are followed', () => {
    make('dir', true);
    make('dir/f');
    expect(place('dir/../dir/./f').node).toBe(place('dir//f').node);
  });
});

describe('limits', () => {
  it('hold for names', () => {
    for (const name of ['a', 'b', 'c']) make(name);
    expect(make('d')).toBe(errno.noSpc);
    files.remove(place('a'));
    expect(make('d')).toMatchObject({ made: true });
  });

  it('hold for bytes, and give back what is gone', () => {
    const a = make('a');
    expect(files.write(a, 0, bytes(60))).toBe(0);
    expect(files.write(make('b'), 0, bytes(60))).toBe(errno.noSpc);
    expect(files.write(a, 1e9, bytes(1))).toBe(errno.noSpc);
    files.remove(place('a'));
    expect(files.write(place('b').node as Node, 0, bytes(60))).toBe(0);
  });

  it('count a given file once it is changed, and leave the given one alone', () => {
    const given = place('data.csv').node as Node;
    const before = given.data;
    expect(files.write(given, 0, new TextEncoder().encode('z'))).toBe(0);
    expect(new TextDecoder().decode(before)).toBe('a,b');
    expect(new TextDecoder().decode(files.changed()['data.csv'])).toBe('z,b');
  });

  it('count a file that is open and has no name', () => {
    const a = make('a');
    a.open++;
    files.write(a, 0, bytes(80));
    files.remove(place('a'));
    expect(files.write(make('b'), 0, bytes(80))).toBe(errno.noSpc);
    files.release(a);
    expect(files.write(place('b').node as Node, 0, bytes(80))).toBe(0);
  });
});

describe('other names', () => {
  it('take the place of what has them', () => {
    files.write(make('a'), 0, bytes(5));
    make('b');
    expect(files.move(place('a'), place('b'))).toBe(0);
    expect(Object.keys(files.changed())).toEqual(['b']);
    expect(files.changed()['b']).toHaveLength(5);
  });
  it('never put a folder into itself', () => {
    make('d', true);
    expect(files.move(place('d'), place('d/e'))).toBe(errno.inval);
    expect(files.move(place('none'), place('e'))).toBe(errno.noEnt);
  });
});
