// The data keys of unlocked learners, and what is sealed with them. A key lies in the `keys` store while its learner is at work, so that
// the next page has it too; no script can read its bytes. docs/offline.md says what this protects from, and what not.
import { disk } from '../db';
import { isSealed, Locked, type Sealed } from '../locker';
import { live } from './presence';

/** Who is at work. Without a PIN there is no key: then it only says that the browser was not closed. */
export interface KeyRecord {
  user: string;
  key?: CryptoKey | undefined;
  /** Names the run of the browser in which it was unlocked. */
  session: string;
  /** When the learner last did something, by the device's clock. */
  used: number;
}

const held = new Map<string, CryptoKey>();

/** Forgets what this page holds; the store is another matter. */
export const drop = (): void => held.clear();

async function keyOf(user: string): Promise<CryptoKey> {
  const mine = held.get(user);
  if (mine) return mine;
  const record = await disk.find<KeyRecord>('keys', user);
  if (!record?.key || !(await live(record))) throw new Locked();
  held.set(user, record.key);
  return record.key;
}

export const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
export const random = (size: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(size));

/** Seals with a key. The learner's id is bound in: another's record in this place does not open. */
export async function sealWith(key: CryptoKey, user: string, value: unknown): Promise<Sealed> {
  const iv = random(12);
  const plain = bytes(JSON.stringify(value === undefined ? null : value));
  const data = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: bytes(user) }, key, plain);
  return { sealed: 1, iv, data };
}

export async function openWith<T>(key: CryptoKey, user: string, { iv, data }: Sealed): Promise<T> {
  const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: iv as Uint8Array<ArrayBuffer>, additionalData: bytes(user) }, key, data);
  return JSON.parse(new TextDecoder().decode(plain)) as T;
}

export async function seal(user: string, value: unknown): Promise<Sealed> {
  return sealWith(await keyOf(user), user, value);
}

export async function open<T>(user: string, sealed: unknown): Promise<T> {
  return isSealed(sealed) ? openWith<T>(await keyOf(user), user, sealed) : (sealed as T);
}
