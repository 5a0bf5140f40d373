// What the service worker reads of the page's database. offline/db.ts owns it: this neither makes nor changes anything, and
// gets along with stores that a newer page added.
import type { Shelved } from '../offline/bundle/library';

const result = <T>(request: IDBRequest<T>) =>
  new Promise<T>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = reject;
  });

let open: IDBDatabase | undefined;

/** A row, or without a key all of them. Undefined where the database is blocked or not made yet. */
async function find(store: string, key?: string): Promise<unknown> {
  try {
    if (!open) {
      const request = indexedDB.open('banyan');
      // There is none yet: pages make it.
      request.onupgradeneeded = () => request.transaction?.abort();
      const db = (open = await result(request));
      // A newer page changes it: let go.
      db.onversionchange = () => {
        db.close();
        open = undefined;
      };
    }
    const rows = open.transaction(store).objectStore(store);
    return await result(key ? rows.get(key) : rows.getAll());
  } catch {
    return (open = undefined);
  }
}

/** The bytes of a blob, where they are on this device. */
export const blob = async (digest: string) => ((await find('blobs', digest)) as { bytes: ArrayBuffer } | undefined)?.bytes;

/** The courses on this device, in the order of their names. */
export const shelf = async () => ((await find('bundles')) ?? []) as Shelved[];
