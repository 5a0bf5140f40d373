// The Pythons that the page can fetch: what the server offers, and what this device keeps of it.
import { Unreached } from '../../api/problem';
import { digestOf } from './digest';
import { patience, patienceWithCopy, soon } from './soon';

export type PackID = 'light' | 'exact';

/** An entry of /packs.json. */
export interface Pack {
  id: PackID;
  url: string;
  /** sha256:… of its bytes, uncompressed. */
  digest: string;
  /** Uncompressed. */
  size: number;
  /** On the wire to this browser. */
  bytes: number;
}

export type Progress = (bytes: number, total: number) => void;

/** What was fetched is not what the server named: cut off, or changed on the way. */
export class Damaged extends Error {}

/** Under which key of the shelf `drafts` it stands which pack somebody chose. */
export const choiceKey = 'runner/pack';

const database = 'banyan-packs';
const store = 'packs';

// A database of its own: packs are large, and clearing them must never touch what waits to be handed in.
function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(database, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(store);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('indexedDB'));
    request.onblocked = () => reject(new Error('indexedDB blocked'));
  });
}

async function within<T>(mode: IDBTransactionMode, work: (s: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await open();
  try {
    return await new Promise<T>((resolve, reject) => {
      const tx = db.transaction(store, mode);
      const request = work(tx.objectStore(store));
      tx.oncomplete = () => resolve(request.result);
      tx.onabort = () => reject(tx.error ?? new Error('indexedDB aborted'));
    });
  } finally {
    db.close();
  }
}

/** The packs that can be had: those the server offers, or without a network those that are kept. */
export async function listPacks(): Promise<Pack[]> {
  const there = await keptPacks();
  try {
    const asked = async () => {
      // eslint-disable-next-line no-restricted-globals -- no part of the API: files beside the page
      const answer = await fetch('/packs.json');
      if (!answer.ok) throw new Unreached();
      return ((await answer.json()) as { packs: Pack[] }).packs;
    };
    const packs = await soon(asked(), there.size ? patienceWithCopy : patience);
    const usable = packs.filter(runsHere);
    await within('readwrite', (s) => s.put(usable, 'list')).catch(() => undefined);
    return usable;
  } catch {
    const list = (await within('readonly', (s) => s.get('list')).catch(() => undefined)) as Pack[] | undefined;
    const known = (list ?? []).filter((pack) => there.has(pack.digest));
    if (!known.length) throw new Unreached();
    return known;
  }
}

/** Digests of the packs on this device. */
export async function keptPacks(): Promise<Set<string>> {
  const keys = await within('readonly', (s) => s.getAllKeys()).catch(() => []);
  return new Set(keys.map(String).filter((key) => key !== 'list'));
}

export async function dropPack(pack: Pack): Promise<void> {
  await within('readwrite', (s) => s.delete(pack.digest)).catch(() => undefined);
}

/** The pack's bytes: from this device, or else fetched and kept. They are what the digest names. */
export async function openPack(pack: Pack, onProgress: Progress): Promise<ArrayBuffer> {
  const kept = (await within('readonly', (s) => s.get(pack.digest)).catch(() => undefined)) as ArrayBuffer | undefined;
  if (kept && (await digestOf(kept)) === pack.digest) {
    onProgress(pack.bytes, pack.bytes);
    return kept;
  }
  // What the device has damaged is fetched again.
  if (kept) await dropPack(pack);
  const bytes = await fetchPack(pack, onProgress);
  if ((await digestOf(bytes)) !== pack.digest) throw new Damaged(pack.url);
  // Older ones of its kind are of no more use. A full disk keeps nothing: the pack still runs.
  await keepOnly(pack, bytes).catch(() => undefined);
  return bytes;
}

async function keepOnly(pack: Pack, bytes: ArrayBuffer): Promise<void> {
  await within('readwrite', (s) => s.put(bytes, pack.digest));
  const offered = (await within('readonly', (s) => s.get('list'))) as Pack[] | undefined;
  const wanted = new Set(['list', pack.digest, ...(offered ?? []).map((one) => one.digest)]);
  for (const key of await keptPacks()) {
    if (!wanted.has(key)) await within('readwrite', (s) => s.delete(key));
  }
}

async function fetchPack(pack: Pack, onProgress: Progress): Promise<ArrayBuffer> {
  try {
    // eslint-disable-next-line no-restricted-globals -- bytes, with progress
    const answer = await fetch(pack.url);
    if (!answer.ok || !answer.body) throw new Unreached();
    const all = new Uint8Array(pack.size);
    const reader = answer.body.getReader();
    let at = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (at + value.length > all.length) throw new Damaged(pack.url);
      all.set(value, at);
      at += value.length;
      // The reader sees what was unpacked; people pay for what is on the wire.
      onProgress(Math.round((at / pack.size) * pack.bytes), pack.bytes);
    }
    if (at !== pack.size) throw new Damaged(pack.url);
    return all.buffer;
  } catch (cause) {
    if (cause instanceof Damaged) throw cause;
    throw new Unreached();
  }
}

/**
 * Whether this browser can run a pack. The exact one asks for instructions of 2019 and for 64-bit numbers on their way in and
 * out (Chrome 85). Nothing is compiled to find out, since the page's policy does not allow it.
 */
export function runsHere(pack: Pack): boolean {
  if (pack.id !== 'exact') return true;
  // (module (memory 1) (func i32.const 0 i32.const 0 f32.const 0 i32.trunc_sat_f32_s i32.extend8_s memory.fill))
  const probe = [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1, 10, 19, 1, 17, 0, 65, 0, 65, 0, 67, 0, 0, 0, 0, 252, 0,
    192, 252, 11, 0, 11,
  ];
  try {
    if (!WebAssembly.validate(new Uint8Array(probe))) return false;
    // Refused where such numbers cannot cross.
    return new WebAssembly.Global({ value: 'i64' }, BigInt(1)).value === BigInt(1);
  } catch {
    return false;
  }
}

interface Surroundings {
  deviceMemory?: number;
  connection?: { saveData?: boolean; effectiveType?: string };
}

/** What suits this device and its network. What is here already costs nothing. */
export function suggest(packs: Pack[], kept: Set<string>, around: Surroundings = navigator as Surroundings): Pack | undefined {
  const find = (id: PackID) => packs.find((pack) => pack.id === id);
  const exact = find('exact');
  const light = find('light') ?? exact;
  if (!exact || (exact && kept.has(exact.digest))) return exact ?? light;
  if (light && kept.has(light.digest)) return light;
  const { saveData, effectiveType = '4g' } = around.connection ?? {};
  const poor = saveData || effectiveType !== '4g' || (around.deviceMemory ?? 4) <= 1;
  return poor ? light : exact;
}
