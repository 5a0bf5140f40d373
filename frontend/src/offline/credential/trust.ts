// What this device knows of issuers: signed words of publishers whom its server trusts, with status lists (docs/bundle-format.md). A sync, a
// bundle or a file brings them; whatever brings them, they are checked in the same way, and of two the newer counts.
import type { Schemas } from '../../api/client';
import { disk, transact } from '../db';
import { forget, recall, remember } from '../kept';
import { frames, type Frame } from '../bundle/frames';
import { parse, parseSigned, type Digest, type Issuer, type ListRef, type Recognition, type Trust } from '../bundle/documents';
import { BundleError, spaceFault } from '../bundle/fault';
import { fetchWords } from '../bundle/http';
import { lists } from '../bundle/read';
import { keepPublisher, known, trustPublishers, type Trusted } from '../bundle/shelf';
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
export async function readWords(carrier: AsyncIterable<Frame>, trusts: (documents: string[]) => Promise<void>, find = known): Promise<Brought> {
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
      const word = await checkWord(chain, frame.bytes, trusts, find);
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
      await keepPublisher(store('publishers'), trust.publisher, chain.documents);
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
  /** The institution of the learner on whose trust it rests; none where that is the server's. */
  by?: string;
}
/** All that is known here of issuers, as one looks it up. */
export interface Known {
  keys: Key[];
  /** Of two words on one issuer the newer; the server's before those of an institution's circle. */
  issuers: Map<string, Said>;
  recognitions: Recognition[];
  open: (digest: Digest) => Promise<ArrayBuffer | undefined>;
}

/**
 * What the publishers say whom one institution of a learner trusts. It is kept for that learner, sealed, and counts for nobody else on the device:
 * so it has its own documents and status lists, and shares nothing with what all may use.
 */
interface Circle {
  institution: string;
  name: string;
  etag: string;
  words: { publisher: string; documents: readonly string[]; document: string }[];
  /** Base64. */
  lists: Record<Digest, string>;
}
interface Circles {
  at: number;
  circles: Circle[];
}

/** More of one institution no device keeps: the sealed form is read whole for every check. */
const mostOfCircle = 8 * 1024 * 1024;

/** What was known of publishers in a circle before: who bears a name is told by its first document. */
function knownIn(circle: Circle | undefined): typeof known {
  return (publisher) => {
    const word = circle?.words.find((one) => one.publisher === publisher);
    return Promise.resolve({ documents: word?.documents ?? [], newest: word ? saidBy(word).signed_at : '' });
  };
}

async function circleOf(pack: ReadableStream<Uint8Array>, before: Circle | undefined, now: Omit<Circle, 'words' | 'lists'>): Promise<Circle> {
  // Whom an institution trusts its server says; what was known of the same one goes on from there.
  const brought = new Map<string, readonly string[]>();
  const trusts = async (documents: string[]) => {
    const { serials } = await readChain(documents);
    const id = serials[0]?.id ?? '';
    const old = before?.words.find(({ publisher }) => publisher === id)?.documents ?? [];
    brought.set(id, old[0] === documents[0] && old.length > documents.length ? old : documents);
  };
  const find: typeof known = async (publisher, course) => {
    const old = await knownIn(before)(publisher, course);
    const documents = brought.get(publisher) ?? [];
    return { documents, newest: old.documents[0] === documents[0] ? old.newest : '' };
  };
  const { words, blobs } = await readWords(frames(pack), trusts, find);
  const out: Circle = { ...now, words: [], lists: {} };
  let size = 0;
  for (const { chain, trust, text } of words) {
    const { documents } = chain;
    const old = before?.words.find((one) => one.publisher === trust.publisher && one.documents[0] === documents[0]);
    // Of two words of one publisher the newer counts.
    const document = old && saidBy(old).signed_at > trust.signed_at ? old.document : text;
    for (const { digest } of lists(saidBy({ document }))) {
      const bytes = blobs.get(digest);
      const list = bytes ? base64(new Uint8Array(bytes)) : before?.lists[digest];
      if (list === undefined || out.lists[digest] !== undefined) continue;
      if ((size += list.length) > mostOfCircle) throw new BundleError('damaged');
      out.lists[digest] = list;
    }
    out.words.push({ publisher: trust.publisher, documents, document });
  }
  return out;
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 0x2000) text += String.fromCharCode(...Array.from(bytes.subarray(i, i + 0x2000)));
  return btoa(text);
}

const sealedName = 'circles';

/** The institutions that somebody is a member of, each once. */
export function institutionsOf({ memberships }: Pick<Schemas['Me'], 'memberships'>): { id: string; name: string }[] {
  const names = new Map(memberships.map(({ institution_id: id, institution_name: name }) => [id, name]));
  return Array.from(names, ([id, name]) => ({ id, name }));
}

/**
 * Asks for the circles of a learner's institutions, unless that was done less than `rest` ago. Institutions that are no longer theirs are forgotten at once.
 * What cannot be fetched now stays as it is.
 */
export async function fetchCircles(user: string, institutions: readonly { id: string; name: string }[], rest = restful): Promise<void> {
  const before = await recall<Circles>(user, sealedName);
  const kept = (before?.circles ?? []).filter(({ institution }) => institutions.some(({ id }) => id === institution));
  const same = kept.length === before?.circles.length && institutions.every(({ id }) => kept.some(({ institution }) => institution === id));
  const age = Date.now() - (before?.at ?? 0);
  if (before && same && age >= 0 && age < rest) return;
  if (!institutions.length) return before ? forget(user, sealedName) : undefined;
  const circles: Circle[] = [];
  for (const { id: institution, name } of institutions) {
    const old = kept.find((one) => one.institution === institution);
    const now = old ? { ...old, name } : undefined;
    try {
      const got = await fetchWords(old?.etag ?? '', institution);
      if (!got) {
        if (now) circles.push(now);
      } else if (got.body) circles.push(await circleOf(got.body, old, { institution, name, etag: got.etag }));
      else circles.push(now && got.etag ? now : { institution, name, etag: '', words: [], lists: {} });
    } catch (cause) {
      if (now) circles.push(now);
      if (!(cause instanceof BundleError)) continue;
    }
  }
  await remember(user, sealedName, { at: Date.now(), circles } satisfies Circles);
}

const seconds = (iso: string): number => Date.parse(iso) / 1000;
const maybe = (iso: string | undefined, name: string): object => (iso === undefined ? {} : { [name]: seconds(iso) });

interface Row {
  publisher: string;
  documents: readonly string[];
  document: string;
}

/** Reads what is kept here, for a learner what their institutions' circles say too. It was checked when it came in. */
export async function knownIssuers(user?: string): Promise<Known> {
  const [words, publishers, own] = await Promise.all([
    disk.list<{ publisher: string; document: string }>('trust').catch(() => []),
    disk.list<Trusted>('publishers').catch(() => []),
    user === undefined ? undefined : recall<Circles>(user, sealedName),
  ]);
  const circles = own?.circles ?? [];
  const out: Known = {
    keys: [],
    issuers: new Map(),
    recognitions: [],
    open: async (digest) => {
      const row = await disk.find<{ bytes: ArrayBuffer }>('blobs', digest).catch(() => undefined);
      if (row) return row.bytes;
      const text = circles.map(({ lists }) => lists[digest]).find((one) => one !== undefined);
      return text === undefined ? undefined : Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
    },
  };
  const revoked = new Map<string, string>();
  const take = ({ document, documents }: Row, by?: string) => {
    const trust = saidBy({ document });
    const newest = parse('publisher', parseSigned(documents[documents.length - 1] as string).line);
    for (const issuer of trust.issuers) {
      const before = out.issuers.get(issuer.did);
      const said: Said = { issuer, publisher: trust.publisher, publisherNames: newest.name, at: trust.signed_at, ...(by !== undefined && { by }) };
      // Whom the server trusts goes before, as on the server; of two of a kind the newer word counts.
      if (!before || (before.by === by && before.at < trust.signed_at)) out.issuers.set(issuer.did, said);
      // Who is revoked in one word is revoked.
      for (const { key, revoked: at } of issuer.keys) {
        const name = `${issuer.did}#${key}`;
        const known = revoked.get(name);
        if (at !== undefined && (known === undefined || at < known)) revoked.set(name, at);
      }
    }
    out.recognitions.push(...(trust.recognitions ?? []));
  };
  for (const { publisher, document } of words) {
    // Trust that was taken back takes the words with it. Whom one institution alone trusts counts in its circle, not for all at this device.
    const row = publishers.find(({ id }) => id === publisher);
    if (row && row.institution === undefined) take({ publisher, document, documents: row.documents });
  }
  for (const { words: said, name } of circles) for (const word of said) take(word, name);
  out.issuers.forEach(({ issuer: { did, keys } }) => {
    for (const { key, from, retired } of keys) {
      out.keys.push({ issuer: did, multikey: key, from: seconds(from), ...maybe(retired, 'retired'), ...maybe(revoked.get(`${did}#${key}`), 'revoked') });
    }
  });
  return out;
}

/** The list of an issuer that is the right one; of several the one that was signed last. */
export function listOf({ issuer }: Said, is: (address: string) => boolean): ListRef | undefined {
  return (issuer.lists ?? []).filter(({ url }) => is(url)).sort((a, b) => ((a.signed_at ?? '') < (b.signed_at ?? '') ? 1 : -1))[0];
}
