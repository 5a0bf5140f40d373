// A credential in a QR code (docs/qr-format.md): a CWT in COSE_Sign1, in base45. The twin of internal/credential/code; both are held to the
// same vectors. Each code has exactly one form, and every other form is refused.
import { decode } from '../base45';
import { decodeMultikey, ed25519 } from '../bundle/verify';
import { Missing } from '../missing';
import { readItem, type Item } from './cbor';

/** Why a code is refused. */
export type Refusal =
  | 'not_code' // does not begin as ours do
  | 'too_new' // of a later format
  | 'too_long'
  | 'base45'
  | 'cbor' // not deterministic CBOR, too deep or too large
  | 'cose' // not a COSE_Sign1 with the known headers alone
  | 'alg'
  | 'claims' // one is missing, unknown or of another form
  | 'unknown_key' // nobody that we know has this key
  | 'other_issuer' // the key is another issuer's
  | 'key_time' // the key did not hold when it signed
  | 'key_revoked' // the key was taken back before it signed
  | 'signature'; // changed after it was signed

export class CodeError extends Error {
  /** What it says where it could be read; nobody should believe it. */
  claims?: Claims;
  constructor(readonly reason: Refusal) {
    super(reason);
  }
}

/** A bit in a status list, which is named by the last eight bytes of its id, in hexadecimal digits. */
export interface Place {
  list: string;
  index: number;
}
/** What a code says. Times are seconds since 1970. */
export interface Claims {
  id: string;
  issuer: string;
  /** Where people check the credential. */
  address: string;
  signedAt: number;
  issuedAt: number;
  expiresAt?: number;
  /** Of the holder; '' in the form without the name. */
  name: string;
  achievement: string;
  course: string;
  version: number;
  locale: string;
  revocation?: Place;
  suspension?: Place;
  /** Percent. */
  score?: number;
  assessment?: string;
  aiHelp?: string;
}
/** A key of an issuer, and when it may sign, in seconds since 1970. */
export interface Key {
  issuer: string;
  multikey: string;
  from: number;
  retired?: number;
  revoked?: number;
}

const longest = 1024;
const lastTime = 253402300799; // the end of 9999
const greatest = 2 ** 31 - 1;
const assessments = ['', 'unsupervised', 'supervised', 'on_site'];
const helps = ['', 'none', 'some', 'much', 'undeclared'];

/** Whether a text wants to be read as a code, of whatever version. */
export const isCode = (text: string): boolean => /^BNY[0-9]+:/.test(text);

function refuse(reason: Refusal): never {
  throw new CodeError(reason);
}

interface Read {
  claims: Claims;
  kid: string;
  signature: Uint8Array;
  message: Uint8Array<ArrayBuffer>;
}

/** Takes a code apart. It believes nothing. Throws CodeError. */
export function readCode(text: string): Read {
  if (!isCode(text)) refuse('not_code');
  if (text.slice(0, 5) !== 'BNY1:') refuse('too_new');
  if (text.length > longest) refuse('too_long');
  const raw = decode(text.slice(5)) ?? refuse('base45');
  // The tag of COSE_Sign1 is one byte; other tags are other things, or written too long.
  const tagged = raw[0] === 0xd2;
  if (!tagged && (raw[0] as number) >> 5 === 6) refuse(((raw[0] as number) & 31) < 24 ? 'cose' : 'cbor');
  const item = readItem(tagged ? raw.subarray(1) : raw) ?? refuse('cbor');
  if (!tagged || !Array.isArray(item) || item.length !== 4) refuse('cose');
  const [head, open, payload, signature] = item as Item[];
  if (!(head instanceof Uint8Array && open instanceof Map && !open.size && payload instanceof Uint8Array && signature instanceof Uint8Array && signature.length === 64)) return refuse('cose');
  const headers = readItem(head) ?? refuse('cbor');
  if (!(headers instanceof Map) || headers.size !== 2) return refuse('cose');
  const kid = headers.get(4);
  if (typeof headers.get(1) !== 'number' || !(kid instanceof Uint8Array) || kid.length !== 8) return refuse('cose');
  if (headers.get(1) !== -8) refuse('alg');
  return { claims: readClaims(readItem(payload) ?? refuse('cbor')), kid: hex(kid), signature, message: toSign(head, payload) };
}

export function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of Array.from(bytes)) text += (byte + 256).toString(16).slice(1);
  return text;
}

// The Sig_structure of RFC 9052, section 4.4.
function toSign(head: Uint8Array, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const string = (bytes: Uint8Array) => [...(bytes.length < 24 ? [0x40 | bytes.length] : bytes.length < 256 ? [0x58, bytes.length] : [0x59, bytes.length >> 8, bytes.length & 255]), ...Array.from(bytes)];
  return Uint8Array.from([0x84, 0x6a, ...Array.from('Signature1', (c) => c.charCodeAt(0)), ...string(head), 0x40, ...string(payload)]);
}

const didForm = /^did:(web|key):[A-Za-z0-9.%:_-]{1,240}$/;
const baseForm = /^https?:\/\/[a-z0-9.-]{1,120}(:[0-9]{1,5})?(\/[A-Za-z0-9._~-]{1,64}){0,4}$/;
const courseForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const localeForm = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$/;
// No lines, and no marks that turn them around.
const unclean = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufffd]/;

function readClaims(set: Item): Claims {
  const known = (item: Item | undefined, keys: number[]): Map<number, Item> => {
    if (!(item instanceof Map)) return refuse('claims');
    item.forEach((_, key) => keys.indexOf(key) >= 0 || refuse('claims'));
    return item;
  };
  const outer = known(set, [1, 4, 6, 7, -65537]);
  const inner = known(outer.get(-65537), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const text = (item: Item | undefined, form?: RegExp): string =>
    typeof item === 'string' && item !== '' && new TextEncoder().encode(item).length <= 256 && (form ? form.test(item) : !unclean.test(item)) ? item : refuse('claims');
  const count = (item: Item | undefined, least: number, greatest: number): number => (typeof item === 'number' && item >= least && item <= greatest ? item : refuse('claims'));
  const maybe = <T>(item: Item | undefined, read: (item: Item) => T): T | undefined => (item === undefined ? undefined : read(item));

  const id = outer.get(7);
  if (!(id instanceof Uint8Array) || id.length !== 16) return refuse('claims');
  const uuid = hex(id).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const issuer = text(outer.get(1), didForm);
  const issuedAt = count(inner.get(0), 1, lastTime);
  const follows = baseOf(issuer);
  const given = maybe(inner.get(10), (base) => text(base, baseForm));
  if (given !== undefined && given === follows) refuse('claims');
  const base = given ?? (follows || refuse('claims'));
  const status = maybe(inner.get(6), readStatus) ?? [];
  return tidy<Claims>({
    id: uuid,
    issuer,
    address: `${base}/verify/${uuid}`,
    signedAt: count(outer.get(6), issuedAt, lastTime),
    issuedAt,
    expiresAt: maybe(outer.get(4), (end) => count(end, issuedAt + 1, lastTime)),
    name: maybe(inner.get(1), (name) => text(name)) ?? '',
    achievement: text(inner.get(2)),
    course: text(inner.get(3), courseForm),
    version: count(inner.get(4), 1, greatest),
    locale: text(inner.get(5), localeForm),
    revocation: status[0],
    suspension: status[1],
    score: maybe(inner.get(7), (score) => count(score, 0, 100)),
    assessment: maybe(inner.get(8), (level) => assessments[count(level, 1, assessments.length - 1)]),
    aiHelp: maybe(inner.get(9), (help) => helps[count(help, 1, helps.length - 1)]),
  });
}

function tidy<T extends object>(from: { [K in keyof T]: T[K] | undefined }): T {
  const out: Partial<T> = {};
  for (const key of Object.keys(from) as (keyof T)[]) if (from[key] !== undefined) out[key] = from[key] as T[keyof T];
  return out as T;
}

/** [index, revocation list], with a suspension list behind it, and its index when it is another. */
function readStatus(parts: Item): Place[] {
  if (!Array.isArray(parts) || parts.length < 2 || parts.length > 4) return refuse('claims');
  const place = (list: Item | undefined, index: Item | undefined): Place =>
    list instanceof Uint8Array && list.length === 8 && typeof index === 'number' && index >= 0 && index <= greatest ? { list: hex(list), index } : refuse('claims');
  const revocation = place(parts[1], parts[0]);
  if (parts.length === 2) return [revocation];
  if (parts.length === 4 && parts[3] === parts[0]) refuse('claims');
  return [revocation, place(parts[2], parts[parts.length === 4 ? 3 : 0])];
}

/** The address that follows from a did:web of an institution on a host; '' when none does. */
function baseOf(did: string): string {
  const found = /^did:web:([^:]+)((?::[^:]+)*):institutions:[^:]*$/.exec(did);
  const base = found ? `https://${(found[1] as string).replace('%3A', ':')}${(found[2] as string).replace(/:/g, '/')}` : '';
  return baseForm.test(base) ? base : '';
}

/** The name of a key in codes: the first eight bytes of the SHA-256 of its Multikey. */
export async function kidOf(multikey: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(multikey))).subarray(0, 8));
}

/** Whether a place is in the list that is published at an address, which ends in the list's id. */
export const names = (list: string, address: string): boolean => {
  const found = /(?:^|\/)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-([0-9a-f]{4})-([0-9a-f]{12})$/.exec(address);
  return !!found && `${found[1]}${found[2]}` === list;
};

/** Checks that a key signed a message and might. Null when it did. Throws Missing where what checks signatures was never fetched. */
export async function holds(key: Key, issuer: string, signedAt: number, signature: Uint8Array, message: Uint8Array<ArrayBuffer>): Promise<Refusal | null> {
  if (key.issuer !== issuer) return 'other_issuer';
  const bytes = Uint8Array.from(signature);
  let good: boolean;
  try {
    good = await ed25519(decodeMultikey(key.multikey), bytes, message);
  } catch (cause) {
    // That this device cannot check says nothing of the key.
    if (cause instanceof Missing) throw cause;
    return 'unknown_key';
  }
  if (!good) return 'signature';
  if (signedAt < key.from || (key.retired !== undefined && signedAt > key.retired)) return 'key_time';
  if (key.revoked !== undefined && signedAt >= key.revoked) return 'key_revoked';
  return null;
}

/**
 * Reads a code and checks that its issuer signed it, with a key that held then. Whether the credential has expired, is revoked or suspended is
 * for the caller. Throws CodeError; where it could be read, that tells what the code says.
 */
export async function verifyCode(text: string, keys: readonly Key[]): Promise<{ claims: Claims; key: Key }> {
  const { claims, kid, signature, message } = readCode(text);
  let failed: Refusal = 'unknown_key';
  // The issuer's own keys first: their reason counts, and names cost a digest each.
  const [own, others] = [keys.filter(({ issuer }) => issuer === claims.issuer), keys.filter(({ issuer }) => issuer !== claims.issuer)];
  for (const key of own.concat(others)) {
    if (failed !== 'unknown_key' && key.issuer !== claims.issuer) break;
    if ((await kidOf(key.multikey)) !== kid) continue;
    const why = await holds(key, claims.issuer, claims.signedAt, signature, message);
    if (!why) return { claims, key };
    failed = why;
  }
  const error = new CodeError(failed);
  error.claims = claims;
  throw error;
}
