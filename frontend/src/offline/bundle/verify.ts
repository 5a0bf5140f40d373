// Who signed a bundle, and whether they may (docs/bundle-format.md). Time comes from signed documents and from servers, never from the
// device's clock: that may be ten years off.
import { decode, parse, parseSigned, type Digest, type Publisher, type Root, type Signed, type Trust } from './documents';
import { part } from '../missing';
import { BundleError } from './fault';

const serialLimit = 256;

/** The name of some bytes. */
export async function digestOf(bytes: BufferSource): Promise<Digest> {
  return `sha256:${hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))}`;
}

const digits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += digits[byte] as string;
  return text;
}

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** The 32 bytes of an Ed25519 key that is written as a Multikey (z6Mk…). */
export function decodeMultikey(multikey: string): Uint8Array<ArrayBuffer> {
  // Base58 in place: 34 bytes, the first two say what follows.
  const bytes = new Uint8Array(34);
  for (let i = 1; i < multikey.length; i++) {
    let carry = alphabet.indexOf(multikey.charAt(i));
    if (carry < 0) throw new BundleError('bad_signature');
    for (let j = bytes.length - 1; j >= 0; j--) {
      carry += (bytes[j] as number) * 58;
      bytes[j] = carry & 0xff;
      carry >>= 8;
    }
    if (carry) throw new BundleError('bad_signature');
  }
  // A key begins with 0xed, so no form of it begins with a digit for zero.
  if (multikey.charAt(0) !== 'z' || multikey.charAt(1) === '1' || bytes[0] !== 0xed || bytes[1] !== 0x01) throw new BundleError('bad_signature');
  return bytes.slice(2);
}

function decodeBase64url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}

let native = true;

/** Whether a key signed a message. Chrome has Ed25519 since 137; before, 2.9 kB of JavaScript are loaded. */
export async function ed25519(key: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>, message: Uint8Array<ArrayBuffer>): Promise<boolean> {
  if (native) {
    try {
      const algorithm = { name: 'Ed25519' };
      return await crypto.subtle.verify(algorithm, await crypto.subtle.importKey('raw', key, algorithm, false, ['verify']), signature, message);
    } catch (cause) {
      // A key that is no point fails here too, in its own way: the other judge has the last word.
      native = !(cause instanceof DOMException && cause.name === 'NotSupportedError');
    }
  }
  const { verifyAsync } = await part(import('@noble/ed25519'));
  // As Go's: RFC 8032 to the letter.
  return verifyAsync(signature, message, key, { zip215: false }).catch(() => false);
}

type Judge = (key: string) => void;

/** Checks every signature of a document. Each must be by a key that `may`, and no key signs twice. */
async function signedBy(type: 'root' | 'publisher' | 'trust', { line, signatures }: Signed, may: Judge): Promise<void> {
  const message = new TextEncoder().encode(`banyan/${type}/1\n${line}`);
  const seen = new Set<string>();
  for (const { key, signature } of signatures) {
    if (seen.has(key)) throw new BundleError('bad_signature');
    seen.add(key);
    const bytes = decodeBase64url(signature);
    // The last letter holds four bits of the 64th byte; the rest must be zero, or one signature had many forms.
    const canonical = (alphabet64.indexOf(signature.charAt(85)) & 15) === 0;
    if (!canonical || bytes.length !== 64 || !(await ed25519(decodeMultikey(key), bytes, message))) throw new BundleError('bad_signature');
    // Only now: whose key it is matters when it did sign.
    may(key);
  }
}
const alphabet64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** What a publisher said of its keys, from serial 1 to the newest, as signed texts and as read. */
export interface Chain {
  documents: readonly string[];
  serials: readonly Publisher[];
}

type Standing = 'holds' | 'expired' | 'unlisted';

function standing(publisher: Publisher | undefined, key: string, at: string): Standing {
  const found = publisher?.keys.find((one) => one.key === key);
  if (!found) return 'unlisted';
  return at < found.from || at > found.until ? 'expired' : 'holds';
}

/**
 * Checks the documents of one publisher, serial 1 first. Serial 1 is signed by a key of its own, each later one by a key of its own and by
 * one of the serial before: that is how keys change hands.
 */
export async function readChain(documents: readonly string[]): Promise<Chain> {
  if (documents.length > serialLimit) throw new BundleError('damaged');
  const serials: Publisher[] = [];
  for (const text of documents) {
    const signed = parseSigned(text);
    const now = parse('publisher', signed.line);
    const before = serials[serials.length - 1];
    if (before) {
      if (now.id !== before.id) throw new BundleError('mixed');
      const follows = now.previous === (await digestOf(new TextEncoder().encode(documents[serials.length - 1]))) && now.signed_at >= before.signed_at;
      if (!follows) throw new BundleError('bad_signature');
    }
    if (now.serial !== serials.length + 1 || (!before && now.previous !== undefined)) throw new BundleError('bad_signature');
    let own = false;
    let old = !before;
    await signedBy('publisher', signed, (key) => {
      const here = standing(now, key, now.signed_at);
      const there = standing(before, key, now.signed_at);
      if (here === 'holds') own = true;
      if (there === 'holds') old = true;
      if (here !== 'holds' && there !== 'holds') throw new BundleError(here === there && here === 'unlisted' ? 'bad_signature' : 'key_expired');
    });
    if (!own || !old) throw new BundleError('bad_signature');
    serials.push(now);
  }
  return { documents, serials };
}

/** Joins what two carriers know of one publisher: the shorter chain must be how the longer one begins. */
export function join(a: Chain, b: Chain): Chain {
  const [longer, shorter] = a.documents.length < b.documents.length ? [b, a] : [a, b];
  // Two that part ways: one of them is forged.
  if (shorter.documents.some((text, i) => text !== longer.documents[i])) throw new BundleError('bad_signature');
  return longer;
}

const later = (a: string, b: string) => (a > b ? a : b);

/** Checks that a document was signed at a time by keys that held then and hold still. */
async function holds(chain: Chain, type: 'root' | 'trust', signed: Signed, at: string, newest: string): Promise<void> {
  const now = chain.serials[chain.serials.length - 1] as Publisher;
  const time = later(newest, later(at, now.signed_at));
  await signedBy(type, signed, (key) => {
    const then = standing(now, key, at);
    if (then === 'unlisted') {
      // It was a key once, and left the list: somebody else may have it now.
      const was = chain.serials.some((serial) => standing(serial, key, at) === 'holds');
      throw new BundleError(was ? 'key_expired' : 'bad_signature');
    }
    if (then === 'expired' || standing(now, key, time) === 'expired') throw new BundleError('key_expired');
  });
}

/** What was known before a carrier came. */
export interface Known {
  /** The documents of the publisher, where it is trusted; none where nobody trusts it. */
  documents: readonly string[];
  /** The newest time known from signed documents and servers, '' when there is none. */
  newest: string;
  /** The course that was asked for, where one was. */
  course?: string;
  /** The signed root that is installed. */
  current?: string;
}

/** What stands before the blobs, checked. */
export interface Head {
  chain: Chain;
  root: Root;
  rootText: string;
  digest: Digest;
  trust?: Trust;
  trustText?: string;
}

/**
 * Checks who signed what a carrier begins with, with what keys, and whether it is older than what is installed. `find` tells what is known
 * of a publisher. Throws BundleError; then nothing of the carrier may be used.
 */
export async function checkHead(
  texts: { publisher: readonly Uint8Array<ArrayBuffer>[]; trust?: Uint8Array<ArrayBuffer>; root: Uint8Array<ArrayBuffer> },
  find: (publisher: string, course: string) => Promise<Known>,
): Promise<Head> {
  const rootText = decode(texts.root);
  const signed = parseSigned(rootText);
  const root = parse('root', signed.line); // not believed yet
  const known = await find(root.publisher, root.course);
  if (known.course !== undefined && known.course !== root.course) throw new BundleError('mixed');
  let chain = await readChain(texts.publisher.map((bytes) => decode(bytes)));
  if (chain.serials[0] && chain.serials[0].id !== root.publisher) throw new BundleError('mixed');
  const trusted = await readChain(known.documents);
  if (trusted.serials[0]?.id !== root.publisher) throw new BundleError('unknown_publisher', { Publisher: root.publisher });
  chain = join(chain, trusted);
  await holds(chain, 'root', signed, root.signed_at, known.newest);
  const head: Head = { chain, root, rootText, digest: await digestOf(texts.root) };
  if (texts.trust) {
    head.trustText = decode(texts.trust);
    const said = parseSigned(head.trustText);
    head.trust = parse('trust', said.line);
    for (const { keys } of head.trust.issuers) for (const { key } of keys) isKey(key);
    if (head.trust.publisher !== root.publisher) throw new BundleError('mixed');
    await holds(chain, 'trust', said, head.trust.signed_at, known.newest);
  }
  if (known.current !== undefined) follows(head, parse('root', parseSigned(known.current).line), known.current);
  return head;
}

/** What one publisher says of issuers, checked. */
export interface Word {
  chain: Chain;
  trust: Trust;
  text: string;
}

/**
 * Checks a word on issuers that came without a bundle, with the serials of its publisher. `trusts` sees these first, so that whoever trusts the
 * carrier may learn from it; `find` tells then what is known. Gives the publisher's id alone where nobody trusts it. Throws BundleError.
 */
export async function checkWord(
  serials: readonly Uint8Array<ArrayBuffer>[],
  word: Uint8Array<ArrayBuffer>,
  trusts: (documents: string[]) => Promise<void>,
  find: (publisher: string, course: string) => Promise<Known>,
): Promise<Word | string> {
  const documents = serials.map((bytes) => decode(bytes));
  const brought = await readChain(documents);
  const publisher = brought.serials[0]?.id;
  if (publisher === undefined) throw new BundleError('damaged');
  await trusts(documents);
  const { documents: ours, newest } = await find(publisher, '');
  // Somebody else who bears the name is a stranger.
  if (!ours.length || ours[0] !== documents[0]) return publisher;
  const chain = join(brought, await readChain(ours));
  const text = decode(word);
  const signed = parseSigned(text);
  const trust = parse('trust', signed.line);
  if (trust.publisher !== publisher) throw new BundleError('mixed');
  for (const { keys } of trust.issuers) for (const { key } of keys) isKey(key);
  await holds(chain, 'trust', signed, trust.signed_at, newest);
  return { chain, trust, text };
}

/** A head of what was checked when it came in, and is on this device since. */
export async function believed(rootText: string, documents: readonly string[]): Promise<Head> {
  const root = parse('root', parseSigned(rootText).line);
  return { chain: await readChain(documents), root, rootText, digest: await digestOf(new TextEncoder().encode(rootText)) };
}

function isKey(key: string): void {
  try {
    decodeMultikey(key);
  } catch {
    throw new BundleError('damaged');
  }
}

/** The newest time that a head proves. */
export function newestOf({ chain, root, trust }: Head): string {
  return later((chain.serials[chain.serials.length - 1] as Publisher).signed_at, later(root.signed_at, trust ? trust.signed_at : ''));
}

// Refuses a root that is older than the installed one, or another publisher's.
function follows({ root, rootText }: Head, old: Root, current: string): void {
  if (rootText === current) return;
  if (old.course !== root.course) throw new BundleError('mixed');
  if (old.publisher !== root.publisher) throw new BundleError('other_publisher', { Publisher: old.publisher });
  if (root.number < old.number || (root.number === old.number && root.signed_at <= old.signed_at)) {
    throw new BundleError('rollback', { Number: root.number, Installed: old.number });
  }
}
