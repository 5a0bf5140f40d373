// What this device knows of issuers: signed words of publishers whom its server trusts, with status lists (docs/bundle-format.md). A sync, a
// bundle or a file brings them; whatever brings them, they are checked in the same way, and of two the newer counts.
import { disk, transact } from '../db';
import { frames, type Frame } from '../bundle/frames';
import { parse, parseSigned, type Digest, type Issuer, type ListRef, type Recognition, type Trust } from '../bundle/documents';
import { BundleError, spaceFault } from '../bundle/fault';
import { fetchWords } from '../bundle/http';
import { lists } from '../bundle/read';
import { known, trustPublishers } from '../bundle/shelf';
import { checkWord, digestOf, readChain, type Word } from '../bundle/verify';
import type { Key } from './code';

const most = { words: 1024, serials: 256, bytes: 64 * 1024 * 1024 };

interface Brought {
  words: Word[];
  blobs: Map<Digest, ArrayBuffer>;
  /** Publishers of whom nothing was taken, because nobody trusts them here. */
  strangers: string[];
}

/**
 * Reads a trust pack, or a bundle, whose course is passed over. `trusts` is asked before the word of a publisher is looked at, with the
 * documents that came. Throws BundleError; then nothing of it may be used.
 */
export async function readWords(carrier: AsyncIterable<Frame>, trusts: (documents: string[]) => Promise<void>): Promise<Brought> {
  const out: Brought = { words: [], blobs: new Map(), strangers: [] };
  const named = new Map<Digest, number>();
  let chain: Frame['bytes'][] = [];
  let last: Frame['kind'] = 'P';
  let count = 0;
  let bytes = 0;
  for await (const frame of carrier) {
    const { kind } = frame;
    if (kind === 'P' && (last === 'P' || last === 'T')) {
      if (last === 'T') chain = [];
      if (chain.push(frame.bytes) > most.serials) throw new BundleError('damaged');
    } else if (kind === 'T' && last === 'P' && count++ < most.words) {
      const word = await checkWord(chain, frame.bytes, trusts, known);
      if (typeof word === 'string') out.strangers.push(word);
      else {
        out.words.push(word);
        for (const { digest, size } of lists(word.trust)) named.set(digest, size);
      }
    } else if (kind === 'B') {
      const digest = await digestOf(frame.bytes);
      const size = named.get(digest);
      if (size !== undefined) {
        if (size !== frame.bytes.length || (bytes += size) > most.bytes) throw new BundleError('damaged');
        out.blobs.set(digest, frame.bytes.buffer);
      }
    } else if (kind !== 'R' || last === 'B') throw new BundleError('damaged');
    last = kind;
  }
  if (!count) throw new BundleError('truncated');
  return out;
}

/** What came of a trust pack: whose words were taken, and whose not because nobody trusts them here. */
export interface Taken {
  publishers: string[];
  strangers: string[];
}

/** Takes in a trust pack, from a server that this device trusts with its publishers, or from a file. Throws BundleError. */
export async function takeTrust(pack: ReadableStream<Uint8Array>, from: 'server' | 'file'): Promise<Taken> {
  const trusts = async (documents: string[]) => {
    if (from === 'server') await trustPublishers([{ id: (await readChain(documents)).serials[0]?.id ?? '', documents }]);
  };
  const { words, blobs, strangers } = await readWords(frames(pack), trusts);
  await transact(['blobs', 'publishers', 'trust'], 'readwrite', async (store) => {
    blobs.forEach((bytes, digest) => void store('blobs').put({ digest, bytes, size: bytes.byteLength }));
    for (const { chain, trust, text } of words) {
      store('publishers').put({ id: trust.publisher, documents: chain.documents });
      const before = await new Promise<{ document: string } | undefined>((resolve, reject) => {
        const asked = store('trust').get(trust.publisher) as IDBRequest<{ document: string } | undefined>;
        asked.onsuccess = () => resolve(asked.result);
        asked.onerror = () => reject(asked.error ?? new Error('indexedDB'));
      });
      if (!before || saidBy(before).signed_at <= trust.signed_at) store('trust').put({ publisher: trust.publisher, document: text });
    }
  }).catch((cause: unknown) => {
    throw spaceFault(cause);
  });
  return { publishers: words.map(({ trust }) => trust.publisher), strangers };
}

const saidBy = ({ document }: { document: string }): Trust => parse('trust', parseSigned(document).line);

const fetched = 'trust.fetched';
interface Fetched {
  key: string;
  at: number;
  etag: string;
}
const restful = 6 * 3600_000;

/**
 * Asks the server for what it knows of issuers, unless it was asked less than `rest` ago. Says whether something was fetched or is as new as can be.
 * A line that breaks leaves everything as it was.
 */
export async function fetchTrust(rest = restful): Promise<boolean> {
  const before = await disk.find<Fetched>('settings', fetched).catch(() => undefined);
  const age = Date.now() - (before?.at ?? 0);
  if (before && age >= 0 && age < rest) return true;
  const got = await fetchWords(before?.etag ?? '').catch(() => undefined);
  if (!got) return false;
  if (got.body) await takeTrust(got.body, 'server');
  const { etag } = got;
  await disk.put('settings', { key: fetched, at: Date.now(), etag } satisfies Fetched);
  return true;
}

/** What is said of an issuer, and by whom. */
export interface Said {
  issuer: Issuer;
  publisher: string;
  publisherNames: Record<string, string>;
  /** When it was said. */
  at: string;
}
/** All that is known here of issuers, as one looks it up. */
export interface Known {
  keys: Key[];
  /** Of two words on one issuer the newer. */
  issuers: Map<string, Said>;
  recognitions: Recognition[];
  open: (digest: Digest) => Promise<ArrayBuffer | undefined>;
}

const seconds = (iso: string): number => Date.parse(iso) / 1000;
const maybe = (iso: string | undefined, name: string): object => (iso === undefined ? {} : { [name]: seconds(iso) });

/** Reads what is kept here. It was checked when it came in. */
export async function knownIssuers(): Promise<Known> {
  const [words, publishers] = await Promise.all([
    disk.list<{ document: string }>('trust').catch(() => []),
    disk.list<{ id: string; documents: string[] }>('publishers').catch(() => []),
  ]);
  const out: Known = {
    keys: [],
    issuers: new Map(),
    recognitions: [],
    open: async (digest) => (await disk.find<{ bytes: ArrayBuffer }>('blobs', digest).catch(() => undefined))?.bytes,
  };
  for (const row of words) {
    const trust = saidBy(row);
    // Trust that was taken back takes the words with it.
    const documents = publishers.find(({ id }) => id === trust.publisher)?.documents;
    if (!documents) continue;
    const newest = parse('publisher', parseSigned(documents[documents.length - 1] as string).line);
    for (const issuer of trust.issuers) {
      const before = out.issuers.get(issuer.did);
      if (!before || before.at < trust.signed_at) out.issuers.set(issuer.did, { issuer, publisher: trust.publisher, publisherNames: newest.name, at: trust.signed_at });
    }
    out.recognitions.push(...(trust.recognitions ?? []));
  }
  out.issuers.forEach(({ issuer: { did, keys } }) => {
    for (const { key, from, retired, revoked } of keys) out.keys.push({ issuer: did, multikey: key, from: seconds(from), ...maybe(retired, 'retired'), ...maybe(revoked, 'revoked') });
  });
  return out;
}

/** The list of an issuer that is the right one; of several the one that was signed last. */
export function listOf({ issuer }: Said, is: (address: string) => boolean): ListRef | undefined {
  return (issuer.lists ?? []).filter(({ url }) => is(url)).sort((a, b) => ((a.signed_at ?? '') < (b.signed_at ?? '') ? 1 : -1))[0];
}
