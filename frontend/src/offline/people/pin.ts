// The PIN: what it locks, how it opens, and what happens when it is wrong or forgotten. docs/offline.md tells why it is so.
import { api, ask } from '../../api/client';
import { disk, transact } from '../db';
import { type Lock, type Person } from '../locker';
import { bytes, random } from './key';
import { enter, find, type Grant } from './index';
import { openAll, sealAll } from './sweep';

/** As many as OWASP asked for when this was written; a faster device makes more. */
export const leastCount = 310_000;
const mostCount = 1_000_000; // clocks of some browsers are too coarse to measure by
const target = 500; // ms that one derivation may take where the device is fast enough

export const leastPIN = 4;
export const mostPIN = 128;

/** The PIN does not open the drawer. */
export class WrongPIN extends Error {}
/** Too many wrong ones: the next try must wait, with the page open. */
export class Wait extends Error {
  readonly seconds: number;
  constructor(seconds: number) {
    super();
    this.seconds = seconds;
  }
}

/** Whether this page can lock anything. Browsers give no keys to a page that came without https. */
export const canLock = (): boolean => !!globalThis.crypto?.subtle;

// Digits of any script are one PIN: a phone's keyboard may change its language between two visits.
function normal(pin: string): string {
  return pin.normalize('NFKC').replace(/\p{Nd}/gu, (digit) => {
    const code = digit.codePointAt(0) as number;
    // The digits of each script stand together, nine after the zero.
    let zero = code;
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1)) && code - zero < 9) zero--;
    return String(code - zero);
  });
}

async function derive(pin: string, salt: Uint8Array, iterations: number): Promise<CryptoKey> {
  const from = await crypto.subtle.importKey('raw', bytes(normal(pin)), 'PBKDF2', false, ['deriveKey']);
  return crypto.subtle.deriveKey({ name: 'PBKDF2', hash: 'SHA-256', salt: salt as Uint8Array<ArrayBuffer>, iterations }, from, { name: 'AES-GCM', length: 256 }, false, ['wrapKey', 'unwrapKey']);
}

/** How many rounds this device makes in the time that a learner may wait; never fewer than the least. */
async function rounds(): Promise<number> {
  const sample = 50_000;
  const begun = performance.now();
  await derive('0000', random(16), sample);
  const took = Math.max(1, performance.now() - begun);
  return Math.min(mostCount, Math.max(leastCount, Math.round((sample * target) / took / 10_000) * 10_000));
}

const curve = { name: 'ECDH', namedCurve: 'P-256' } as const;
const context = (user: string) => bytes(`banyan data key of ${user}`);

async function keyFrom(secret: ArrayBuffer, user: string): Promise<CryptoKey> {
  const from = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey']);
  return crypto.subtle.deriveKey({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: context(user) }, from, { name: 'AES-GCM', length: 256 }, false, ['wrapKey', 'unwrapKey']);
}

const publicPart = ({ kty, crv, x, y }: JsonWebKey): JsonWebKey => ({ kty, crv, x, y } as JsonWebKey);

/** Locks a data key away under a PIN, and under the recovery key for the day when the PIN is forgotten. */
async function lockAway(data: CryptoKey, user: string, pin: string, recovery: JsonWebKey): Promise<Lock> {
  const salt = random(16);
  const count = await rounds();
  const wrap = async (under: CryptoKey) => {
    const iv = random(12);
    return { iv, wrapped: await crypto.subtle.wrapKey('raw', data, under, { name: 'AES-GCM', iv, additionalData: context(user) }) };
  };
  const half = await crypto.subtle.generateKey(curve, false, ['deriveBits']);
  const theirs = await crypto.subtle.importKey('jwk', recovery, curve, false, []);
  const agreed = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, half.privateKey, 256);
  const key = publicPart(await crypto.subtle.exportKey('jwk', half.publicKey));
  return { count, salt, digits: /^\d+$/.test(normal(pin)), ...(await wrap(await derive(pin, salt, count))), recovery: { key, ...(await wrap(await keyFrom(agreed, user))) } };
}

/** The data key; `extractable` only for as long as it is wrapped anew. */
function unwrap(wrapped: ArrayBuffer, iv: Uint8Array, under: CryptoKey, user: string, extractable = false): Promise<CryptoKey> {
  const opened = { name: 'AES-GCM', iv: iv as Uint8Array<ArrayBuffer>, additionalData: context(user) };
  return crypto.subtle.unwrapKey('raw', wrapped, under, opened, 'AES-GCM', extractable, ['encrypt', 'decrypt']);
}

async function byPIN(user: string, { count, salt, iv, wrapped }: Lock, pin: string, extractable = false): Promise<CryptoKey> {
  const under = await derive(pin, salt, count);
  try {
    return await unwrap(wrapped, iv, under, user, extractable);
  } catch {
    throw new WrongPIN();
  }
}

/** With what the server gives for the password alone. */
async function byPassword(user: string, { recovery }: Lock, password: string, extractable = false): Promise<CryptoKey> {
  const grant = await disk.find<Grant>('devices', user);
  const params = { path: { device_id: grant?.device ?? '' } };
  const { secret } = await ask(api.POST('/api/devices/{device_id}/recovery', { params, body: { password, key: recovery.key as never } }));
  const raw = Uint8Array.from(atob(secret.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  return unwrap(recovery.wrapped, recovery.iv, await keyFrom(raw.buffer as ArrayBuffer, user), user, extractable);
}

/** A new data key under a PIN. The key that is given cannot be read any more. */
export async function newLock(user: string, pin: string, recovery: JsonWebKey): Promise<{ lock: Lock; key: CryptoKey }> {
  const data = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt', 'decrypt']);
  const lock = await lockAway(data, user, pin, recovery);
  return { lock, key: await sealedOff(data) };
}

async function sealedOff(data: CryptoKey): Promise<CryptoKey> {
  const raw = await crypto.subtle.exportKey('raw', data);
  return crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

const free = 4;
const longest = 300;

/** For how long the page must stay open before the next try, after so many wrong ones. */
export function waitAfter(failed: number): number {
  return failed < free ? 0 : Math.min(longest, 5 * 2 ** (failed - free));
}

// When a wait that was asked for on this page ends, by a clock that nobody can set. Another page waits anew.
const waits = new Map<string, { failed: number; until: number }>();

/** How many seconds are left to wait before a try. Asking begins the wait. */
export function waitLeft({ user, failed = 0 }: Person): number {
  const whole = waitAfter(failed) * 1000;
  if (!whole) return 0;
  let wait = waits.get(user);
  if (wait?.failed !== failed) waits.set(user, (wait = { failed, until: performance.now() + whole }));
  return Math.max(0, Math.ceil((wait.until - performance.now()) / 1000));
}

/** Counts a try as wrong before it is made: so a page that is closed in time has not tried for nothing. */
async function count(user: string, change: (failed: number) => number): Promise<Person | undefined> {
  return transact(['people'], 'readwrite', (store) => {
    const request = store('people').get(user) as IDBRequest<Person | undefined>;
    return new Promise<Person | undefined>((done, fail) => {
      request.onerror = () => fail(request.error);
      request.onsuccess = () => {
        const person = request.result && { ...request.result, failed: change(request.result.failed ?? 0) };
        if (person) store('people').put(person);
        done(person);
      };
    });
  });
}

async function tryPIN(user: string, pin: string, extractable = false): Promise<{ person: Person; key: CryptoKey | undefined }> {
  const before = await find(user);
  if (!before) throw new WrongPIN();
  const left = waitLeft(before);
  if (left > 0) throw new Wait(left);
  if (!before.locked) return { person: before, key: undefined };
  await count(user, (failed) => failed + 1);
  const key = await byPIN(user, before.locked, pin, extractable);
  const person = (await count(user, () => 0)) ?? before;
  return { person, key };
}

/** Opens what a learner has on this device and makes them the one who is at it. Rejects with WrongPIN or Wait. */
export async function unlock(user: string, pin: string): Promise<void> {
  const { person, key } = await tryPIN(user, pin);
  await enter(person, key);
  if (key) await sealAll(user, key);
}

/** The same with the password, which the server checks: for a PIN that is forgotten. The old PIN goes on. */
export async function unlockByPassword(user: string, password: string): Promise<void> {
  const person = await find(user);
  if (!person) return;
  const key = person.locked && (await byPassword(user, person.locked, password));
  await enter({ ...person, failed: 0 }, key);
}

/** Proof of who is there, for those who change what locks the drawer. */
export type Proof = { pin: string } | { password: string };

/** Gives a learner another PIN. What is sealed stays as it is: only its key is locked away anew. */
export async function changePIN(user: string, proof: Proof, pin: string): Promise<void> {
  let person = await find(user);
  const grant = await disk.find<Grant>('devices', user);
  if (!person?.locked || !grant?.recovery_key) return;
  const data = 'pin' in proof ? (await tryPIN(user, proof.pin, true)).key : await byPassword(user, person.locked, proof.password, true);
  person = await find(user);
  if (!person || !data) return;
  const locked = await lockAway(data, user, pin, grant.recovery_key);
  await enter({ ...person, locked, failed: 0 }, await sealedOff(data));
}

/**
 * Leaves a learner without a PIN: what they have here lies open from then on, as on a device that never had one. Rejects with WrongPIN or Wait, and
 * then nothing has changed. A page that is closed on the way leaves the PIN as it was.
 */
export async function dropPIN(user: string, pin: string): Promise<void> {
  const { key } = await tryPIN(user, pin);
  if (!key) return;
  await openAll(user, key);
  const person = await find(user);
  if (!person) return;
  const { locked, ...open } = person;
  void locked;
  await enter({ ...open, failed: 0 });
  // What another tab sealed while this one opened the rest.
  await openAll(user, key);
}
