// Pieces of packs that are still coming, in the database: they outlive a reload and a kill.
import { disk, result, transact } from '../db';

export interface PartialRow {
  href: string;
  offset: number;
  bytes: ArrayBuffer;
  etag?: string;
  /** Of the whole pack. */
  total?: number;
}

/** How much of a pack is here. */
export interface Arrived {
  size: number;
  etag?: string;
  total?: number;
}

export const range = (href: string) => IDBKeyRange.bound([href, 0], [href, Infinity]);

export async function arrived(href: string): Promise<Arrived> {
  return transact(['partials'], 'readonly', async (store) => {
    const cursor = await result(store('partials').openCursor(range(href), 'prev'));
    const last = cursor?.value as PartialRow | undefined;
    return last ? { size: last.offset + last.bytes.byteLength, etag: last.etag, total: last.total } : { size: 0 };
  });
}

/** A pack out of its pieces. Where one is gone it ends, and the reader finds it cut. */
export function partialStream(href: string): ReadableStream<Uint8Array> {
  let offset = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const row = await disk.find<PartialRow>('partials', [href, offset]);
      if (!row) return controller.close();
      offset += row.bytes.byteLength;
      controller.enqueue(new Uint8Array(row.bytes));
    },
  });
}

export async function clearPartials(hrefs: readonly string[]): Promise<void> {
  await transact(['partials'], 'readwrite', (store) => {
    for (const href of hrefs) store('partials').delete(range(href));
  });
}

// Nobody said how long it is: then its end is where it ended, and the pack itself says whether that is right.
export async function endAt(href: string, total: number): Promise<void> {
  await transact(['partials'], 'readwrite', async (store) => {
    const cursor = await result(store('partials').openCursor(range(href), 'prev'));
    if (cursor) cursor.update({ ...(cursor.value as PartialRow), total });
  });
}
