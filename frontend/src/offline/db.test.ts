import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, it } from 'vitest';
import { close, disk, result, transact } from './db';

const all = ['blobs', 'bundles', 'devices', 'drafts', 'history', 'keys', 'outbox', 'partials', 'pending', 'people', 'publishers', 'settings', 'trust'];

beforeEach(() => {
  close();
  globalThis.indexedDB = new IDBFactory();
});

/** A tab with a release of its own: 1 is the first that was published. */
function tab(version: number, upgrade: (db: IDBDatabase) => void): Promise<IDBDatabase> {
  const request = indexedDB.open('banyan', version);
  request.onupgradeneeded = () => upgrade(request.result);
  return result(request);
}

async function first(): Promise<IDBDatabase> {
  const db = await tab(1, (db) => {
    db.createObjectStore('outbox', { keyPath: ['user', 'id'] });
    db.createObjectStore('drafts', { keyPath: 'key' });
    db.createObjectStore('pending', { keyPath: 'key' });
  });
  const tx = db.transaction(['outbox', 'drafts', 'pending'], 'readwrite');
  const done = new Promise((resolve) => (tx.oncomplete = resolve));
  tx.objectStore('outbox').put({ user: 'amina', id: '01', verb: 'completed' });
  tx.objectStore('outbox').put({ user: 'yusuf', id: '02', verb: 'started' });
  tx.objectStore('drafts').put({ key: 'lab', value: 'print(1)' });
  tx.objectStore('pending').put({ key: 'quiz', value: [1] });
  await done;
  return db;
}

async function everything(): Promise<void> {
  expect(await disk.list('outbox')).toEqual([
    { user: 'amina', id: '01', verb: 'completed' },
    { user: 'yusuf', id: '02', verb: 'started' },
  ]);
  expect(await disk.list('drafts')).toEqual([{ key: 'lab', value: 'print(1)' }]);
  expect(await disk.list('pending')).toEqual([{ key: 'quiz', value: [1] }]);
}

describe('the upgrade', () => {
  it('makes all stores on a new device', async () => {
    await disk.put('settings', { key: 'a', value: 1 });
    close();
    const db = await result(indexedDB.open('banyan'));
    expect(db.version).toBe(2);
    expect(Array.from(db.objectStoreNames)).toEqual(all);
    db.close();
  });

  it('keeps what waits on a device of the first release', async () => {
    (await first()).close();
    await everything();
    await disk.put('partials', { href: '/a', offset: 0, bytes: new ArrayBuffer(1) });
    expect(await disk.list('partials', IDBKeyRange.bound(['/a', 0], ['/a', Infinity]))).toHaveLength(1);
  });

  it('takes the place of an open older page that lets go', async () => {
    const old = await first();
    old.onversionchange = () => old.close();
    await everything();
  });

  it('says so while an older page does not let go, and goes on when it does', async () => {
    const old = await first();
    await expect(disk.list('outbox')).rejects.toThrow('blocked');
    // Whoever asks meanwhile hears the same, and does not wait for ever.
    await expect(disk.put('drafts', { key: 'new', value: 'x' })).rejects.toThrow('blocked');
    old.close();
    // The upgrade that was asked for happens now; a request of our own comes after it.
    (await result(indexedDB.open('banyan'))).close();
    await everything();
  });

  it('holds no connection that came too late to be wanted', async () => {
    const old = await first();
    await expect(disk.list('outbox')).rejects.toThrow('blocked');
    close();
    old.close();
    await result(indexedDB.deleteDatabase('banyan'));
  });

  it('lets go when another page brings a newer version', async () => {
    await disk.put('drafts', { key: 'lab', value: 'x' });
    const newer = await tab(3, (db) => db.createObjectStore('later', { keyPath: 'key' }));
    // And works with it, since stores are only added: the server may have gone back to its last release.
    expect(await disk.list('drafts')).toEqual([{ key: 'lab', value: 'x' }]);
    await disk.put('outbox', { user: 'amina', id: '03' });
    newer.close();
  });
});

describe('a transaction', () => {
  it('does all or nothing', async () => {
    const doing = transact(['blobs', 'bundles'], 'readwrite', async (store) => {
      await result(store('blobs').put({ digest: 'a' }));
      await result(store('bundles').put({ course: 'c' }));
      throw new Error('no');
    });
    await expect(doing).rejects.toThrow('no');
    expect(await disk.list('blobs')).toEqual([]);
    expect(await disk.list('bundles')).toEqual([]);
  });

  it('gives what the work gave, and reads what it wrote', async () => {
    const given = await transact(['blobs', 'settings'], 'readwrite', async (store) => {
      store('blobs').put({ digest: 'a', size: 3 });
      const found = await result(store('blobs').get('a') as IDBRequest<{ size: number }>);
      store('settings').put({ key: 'size', value: found.size });
      return found.size;
    });
    expect(given).toBe(3);
    expect(await disk.find('settings', 'size')).toEqual({ key: 'size', value: 3 });
  });

  it('keeps nothing where a write fails that nobody waited for', async () => {
    const doing = transact(['settings'], 'readwrite', (store) => {
      store('settings').put({ key: 'a' });
      store('settings').add({ key: 'a' });
      return 1;
    });
    await expect(doing).rejects.toMatchObject({ name: 'ConstraintError' });
    expect(await disk.list('settings')).toEqual([]);
  });

  it('goes on with one update after another, from two tabs', async () => {
    await disk.put('settings', { key: 'n', value: 0 });
    const add = () =>
      transact(['settings'], 'readwrite', async (store) => {
        const { value } = await result(store('settings').get('n') as IDBRequest<{ value: number }>);
        store('settings').put({ key: 'n', value: value + 1 });
      });
    await Promise.all(Array.from({ length: 50 }, add));
    expect(await disk.find('settings', 'n')).toEqual({ key: 'n', value: 50 });
  });
});
