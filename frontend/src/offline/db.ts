// IndexedDB in as few words as we need. Some browsers block it (private windows, a full disk):
// then a Shelf keeps things in memory and says so.

const name = 'banyan';
const version = 1;
const stores = { outbox: ['user', 'id'], drafts: 'key', pending: 'key' } as const;
export type StoreName = keyof typeof stores;

let opening: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opening ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name, version);
    request.onupgradeneeded = () => {
      for (const [store, keyPath] of Object.entries(stores)) {
        request.result.createObjectStore(store, { keyPath: keyPath as string | string[] });
      }
    };
    request.onsuccess = () => {
      const db = request.result;
      // Another tab may bring a newer version: let go, and open again when asked.
      db.onversionchange = () => close();
      db.onclose = () => (opening = undefined);
      resolve(db);
    };
    request.onerror = () => reject(request.error ?? new Error('indexedDB'));
    request.onblocked = () => reject(new Error('indexedDB blocked'));
  });
  opening.catch(() => (opening = undefined));
  return opening;
}

/** Lets go of the database; the next use opens it again. */
export function close(): void {
  void opening?.then((db) => db.close()).catch(() => undefined);
  opening = undefined;
}

async function within<T>(store: StoreName, mode: IDBTransactionMode, work: (s: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await open();
  return new Promise<T>((resolve, reject) => {
    const options = { durability: 'strict' } as const;
    const tx = db.transaction(store, mode, options);
    const request = work(tx.objectStore(store));
    // Done is when the transaction is on the disk, not when the request succeeded.
    tx.oncomplete = () => resolve(request.result);
    tx.onabort = () => reject(tx.error ?? new Error('indexedDB aborted'));
  });
}

/** One store. Each call tells by a rejection that the disk did not take part. */
export const disk = {
  put: (store: StoreName, value: unknown) => within(store, 'readwrite', (s) => s.put(value)).then(() => undefined),
  find: <T>(store: StoreName, key: IDBValidKey) => within(store, 'readonly', (s) => s.get(key) as IDBRequest<T | undefined>),
  list: <T>(store: StoreName, range?: IDBKeyRange, limit?: number) =>
    within(store, 'readonly', (s) => s.getAll(range, limit) as IDBRequest<T[]>),
  remove: (store: StoreName, key: IDBValidKey) => within(store, 'readwrite', (s) => s.delete(key)).then(() => undefined),
};
