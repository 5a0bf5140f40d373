import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, it } from 'vitest';
import { close, disk } from './db';
import { drop, keep, kept } from './shelf';

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  close();
});

describe('the shelf', () => {
  it('keeps a draft on the disk until it is dropped', async () => {
    expect(await keep('drafts', 'a', 'print(1)')).toBe(true);
    expect(await disk.find('drafts', 'a')).toEqual({ key: 'a', value: 'print(1)' });
    expect(await kept('drafts', 'a')).toBe('print(1)');
    expect(await kept('pending', 'a')).toBeUndefined();
    await drop('drafts', 'a');
    expect(await kept('drafts', 'a')).toBeUndefined();
  });

  it('lets no older draft lie on a newer one, and gives what was kept last', async () => {
    const all = [1, 2, 3, 4, 5].map((n) => keep('drafts', 'c', n));
    expect(await kept('drafts', 'c')).toBe(5);
    const dropped = drop('drafts', 'c');
    expect(await kept('drafts', 'c')).toBeUndefined();
    await Promise.all([...all, dropped]);
    expect(await disk.find('drafts', 'c')).toBeUndefined();
  });

  it('remembers without a disk, and says that it will not last', async () => {
    globalThis.indexedDB = { open: () => { throw new DOMException('no', 'SecurityError'); } } as unknown as IDBFactory;
    expect(await keep('drafts', 'b', 'x')).toBe(false);
    expect(await kept('drafts', 'b')).toBe('x');
    await drop('drafts', 'b');
    expect(await kept('drafts', 'b')).toBeUndefined();
  });
});
