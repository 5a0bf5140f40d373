// Work that finds no network leaves as a file or as QR codes, signed by the device, and anybody may carry it (docs/sync.md). What was exported
// stays here until the server has acknowledged it to this device.
import { api, ask, type Schemas } from '../api/client';
import { Problem, Unreached } from '../api/problem';
import { disk } from './db';
import { findDevice, type Device } from './device';
import { listHandIns } from './hand-ins';
import { open } from './locker';
import { entries } from './outbox';
import { uuidv7 } from './uuidv7';

export type ImportAnswer = Schemas['ImportAnswer'];

/** Why there is nothing to export, or what was given is none: `empty`, `unknown_device` (this device was never made known), `not_work`. */
export class NoWork extends Error {
  constructor(readonly why: 'empty' | 'unknown_device' | 'not_work') {
    super(why);
  }
}

/** Work of somebody else, brought here, that waits for the network. */
export interface Carried {
  key: string;
  value: { file: ArrayBuffer; at: string };
}
const carried = 'carried/';
const most = 1024 * 1024;

const base64url = (bytes: Uint8Array) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

async function through(stream: CompressionStream | DecompressionStream, bytes: Uint8Array): Promise<Uint8Array> {
  const writer = stream.writable.getWriter();
  // What goes wrong shows where it is read.
  void writer.write(bytes as Uint8Array<ArrayBuffer>).catch(() => undefined);
  void writer.close().catch(() => undefined);
  const reader = (stream.readable as ReadableStream<Uint8Array>).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
    if (length > most) throw new NoWork('not_work');
  }
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** What of this learner's waits, as a file that the server takes from whoever brings it. Rejects with NoWork or Locked. */
export async function exportWork(user: string, locale: string): Promise<{ name: string; file: Uint8Array; count: number }> {
  const device = await findDevice<Device & { secret?: unknown }>(user);
  if (device?.secret === undefined) throw new NoWork('unknown_device');
  const { key } = await open<{ key: JsonWebKey }>(user, device.secret);
  const waiting = (await entries(user)).filter(({ sequence, epoch }) => sequence && epoch === device.epoch);
  const handIns = (await listHandIns(user)).filter(({ state }) => state === 'waiting').reverse();
  if (!waiting.length && !handIns.length) throw new NoWork('empty');
  const work = JSON.stringify({
    type: 'work',
    format: 1,
    device: device.device,
    epoch: device.epoch,
    statements: waiting.map(({ id, enrollment_id, verb, object_id, at, attempt, responses, sequence }) => ({ id, enrollment_id, verb, object_id, at, attempt, responses, sequence })),
    submissions: handIns.map(({ submission }) => ({ ...submission, locale })),
  });
  const signer = await crypto.subtle.importKey('jwk', key, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  const signature = new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, signer, new TextEncoder().encode(work)));
  const text = JSON.stringify({ work, signature: base64url(signature) });
  const file = await through(new CompressionStream('gzip'), new TextEncoder().encode(text));
  return { name: `${device.device.slice(-8)}-${waiting.length + handIns.length}.banyan-work`, file, count: waiting.length + handIns.length };
}

/** Whether bytes have the form of exported work; whose it is and whether it is theirs, only the server can tell. */
export async function isWork(file: Uint8Array): Promise<boolean> {
  try {
    const { work, signature } = JSON.parse(new TextDecoder().decode(await through(new DecompressionStream('gzip'), file))) as Schemas['WorkFile'];
    return typeof signature === 'string' && (JSON.parse(work) as { type?: unknown }).type === 'work';
  } catch {
    return false;
  }
}

/**
 * Brings work to the server, and gives what became of each piece; undefined where the network is away: then it is kept here and goes with the
 * next sync of whoever uses this device. Rejects with NoWork, or with the server's Problem when it will never take it.
 */
export async function importWork(file: Uint8Array): Promise<ImportAnswer | undefined> {
  if (file.length > most || !(await isWork(file))) throw new NoWork('not_work');
  try {
    return await bring(file);
  } catch (cause) {
    if (!passing(cause)) throw cause;
    const kept = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength) as ArrayBuffer;
    await disk.put('settings', { key: carried + uuidv7(), value: { file: kept, at: new Date().toISOString() } } satisfies Carried);
    return undefined;
  }
}

const passing = (cause: unknown) => cause instanceof Unreached || (cause instanceof Problem && (cause.status >= 500 || cause.status === 429));

async function bring(file: Uint8Array): Promise<ImportAnswer> {
  const told = await ask(
    api.POST('/api/sync/import', {
      body: file as unknown as Schemas['WorkFile'],
      bodySerializer: (given) => given as unknown as Blob,
      headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
    }),
  );
  if (!Array.isArray(told?.answers) || !Array.isArray(told.submissions)) throw new Unreached();
  return told;
}

/** How many files of others wait on this device. */
export async function countCarried(): Promise<number> {
  return (await listCarried()).length;
}

const listCarried = () => disk.list<Carried>('settings', IDBKeyRange.bound(carried, `${carried}\uffff`)).catch((): Carried[] => []);

/** Brings what waits here for others. What the server will never take is let go of; the device that made it has it still. */
export async function bringCarried(): Promise<ImportAnswer[]> {
  const out: ImportAnswer[] = [];
  for (const { key, value } of await listCarried()) {
    try {
      out.push(await bring(new Uint8Array(value.file)));
    } catch (cause) {
      if (passing(cause)) throw cause;
    }
    await disk.remove('settings', key);
  }
  return out;
}

