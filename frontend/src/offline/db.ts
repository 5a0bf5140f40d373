// IndexedDB in as few words as we need. Some browsers block it (private windows, a full disk):
// then a Shelf keeps things in memory and says so.

const name = 'banyan';
const version = 2;
/**
 * The stores and their keys. Stores are only ever added, and never change their key: so an older page may go on with a newer database,
 * as after a server went back to its last release.
 */
const stores = {
  outbox: ['user', 'id'],
  drafts: 'key',
  pending: 'key',
  blobs: 'digest',
  partials: ['href', 'offset'],
  bundles: 'course',
  publishers: 'id',
  trust: 'publisher',
  people: 'user',
  keys: 'user',
  history: ['user', 'n'],
  devices: 'user',
  settings: 'key',
} as const;
export type StoreName = keyof typeof stores;

let opening: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  if (opening) return opening;
  let blocked = false;
  const mine = new Promise<IDBDatabase>((resolve, reject) => {
    const ask = (wanted?: number) => {
      const request = indexedDB.open(name, wanted);
      request.onupgradeneeded = () => {
        const db = request.result;
        for (const [store, keyPath] of Object.entries(stores)) {
          if (!db.objectStoreNames.contains(store)) db.createObjectStore(store, { keyPath: keyPath as string | string[] });
        }
      };
      request.onsuccess = () => {
        const db = request.result;
        // Another tab may bring a newer version: let go, and open again when asked.
        db.onversionchange = () => close();
        db.onclose = () => (opening = undefined);
        // Those who asked while it was blocked have had their answer; whoever asks next gets the database.
        if (blocked) {
          if (opening !== mine) return db.close();
          opening = Promise.resolve(db);
        }
        resolve(db);
      };
      request.onerror = () => {
        if (wanted && request.error?.name === 'VersionError') return ask();
        if (opening === mine) opening = undefined;
        reject(request.error ?? new Error('indexedDB'));
      };
      // An older tab does not let go. All who ask hear so until it does: one more request would only wait behind this one.
      request.onblocked = () => {
        blocked = true;
        reject(new Error('indexedDB blocked'));
      };
    };
    ask(version);
  });
  opening = mine;
  mine.catch(() => {
    if (!blocked && opening === mine) opening = undefined;
  });
  return mine;
}

/** Lets go of the database; the next use opens it again. */
export function close(): void {
  void opening?.then((db) => db.close()).catch(() => undefined);
  opening = undefined;
}

/** What a request of a transaction gives. Within `transact` only this may be waited for: a transaction does not live through anything else. */
export function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('indexedDB'));
  });
}

/**
 * Does work in one transaction over some stores: all of it happens or nothing. Where `work` throws or rejects, nothing is kept and the
 * caller gets the same error. Resolves with what `work` gave, once that is on the disk. May reject with QuotaExceededError.
 */
export async function transact<T>(names: readonly StoreName[], mode: 'readonly' | 'readwrite', work: (store: (name: StoreName) => IDBObjectStore) => T | Promise<T>): Promise<T> {
  const db = await open();
  const options = { durability: 'strict' } as const;
  const tx = db.transaction(names as StoreName[], mode, options);
  // Done is when the transaction is on the disk, not when its requests succeeded.
  const end = new Promise<void>((resolve, reject) => {
    tx.oncomplete = () => resolve();
    tx.onabort = () => reject(tx.error ?? new Error('indexedDB aborted'));
  });
  end.catch(() => undefined);
  let given: T;
  try {
    given = await work((store) => tx.objectStore(store));
  } catch (cause) {
    try {
      tx.abort();
    } catch {
      // It is over already: then `end` knows why.
      await end;
    }
    throw cause;
  }
  await end;
  return given;
}

const within = <T>(store: StoreName, mode: 'readonly' | 'readwrite', work: (s: IDBObjectStore) => IDBRequest<T>): Promise<T> =>
  transact([store], mode, (named) => result(work(named(store))));

/** One store. Each call tells by a rejection that the disk did not take part. */
export const disk = {
  put: (store: StoreName, value: unknown) => within(store, 'readwrite', (s) => s.put(value)).then(() => undefined),
  find: <T>(store: StoreName, key: IDBValidKey) => within(store, 'readonly', (s) => s.get(key) as IDBRequest<T | undefined>),
  list: <T>(store: StoreName, range?: IDBKeyRange, limit?: number) =>
    within(store, 'readonly', (s) => s.getAll(range, limit) as IDBRequest<T[]>),
  remove: (store: StoreName, key: IDBValidKey) => within(store, 'readwrite', (s) => s.delete(key)).then(() => undefined),
};
