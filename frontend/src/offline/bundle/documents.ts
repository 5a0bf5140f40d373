// The documents of a bundle (docs/bundle-format.md): what they say, and whether they say it in the right form. Fields that we do not
// know are left out; a field of the wrong type refuses the document. Nothing here trusts anybody: signatures are verify.ts's.
import { BundleError } from './fault';

export type Digest = string; // sha256:<64 hex>
export type Layer = 'text' | 'image' | 'audio';
export type Tier = 'text' | 'images' | 'all';
export type Kind = 'lesson' | 'quiz' | 'lab';

/** The layers of each tier. */
export const layers: Readonly<Record<Tier, readonly Layer[]>> = { text: ['text'], images: ['text', 'image'], all: ['text', 'image', 'audio'] };

/** How a parent names a child. */
export interface Named {
  digest: Digest;
  size: number;
}
/** Raw sizes of the blobs below, the documents that name them with the text. */
export type Weights = Record<Layer, number>;

export interface Root {
  type: 'root';
  format: number;
  publisher: string;
  course: string;
  number: number;
  version: Digest;
  published_at: string;
  signed_at: string;
  source_locale: string;
  licence?: string;
  authors?: string[];
  editions: Record<string, Named & { bytes: Weights }>;
  runtimes?: Record<string, Digest>;
}
export interface Competence {
  id: string;
  name: string;
  lang?: string;
}
export interface Aim {
  title: string;
  lang?: string;
  competences: Competence[];
}
export interface Edition {
  type: 'edition';
  course: string;
  locale: string;
  title: string;
  title_lang?: string;
  summary?: string;
  summary_lang?: string;
  minutes?: number;
  criteria: { lessons?: boolean; quizzes?: number; labs?: boolean };
  achievement: { name?: string; description?: string; narrative?: string; competences?: string[] };
  competences?: string[];
  aims?: Aim[];
  modules: (Named & { id: string; title: string; title_lang?: string; bytes: Weights })[];
}
export interface Entry extends Named {
  id: string;
  kind: Kind;
  graded?: boolean;
  title: string;
  title_lang?: string;
  weight?: number;
  bytes: Weights;
}
export interface Module {
  type: 'module';
  id: string;
  items: Entry[];
}
export interface Piece extends Named {
  role: 'fragment' | 'data' | 'media';
  layer: Layer;
  media_type?: string;
  href?: string;
  licence?: string;
  source?: string;
  lang?: string;
}
export interface Item {
  type: 'item';
  id: string;
  kind: Kind;
  competences?: string[];
  words?: number;
  translation?: { fresh?: number; stale?: number; missing?: number; state?: string };
  blobs: Piece[];
}
export interface Publisher {
  type: 'publisher';
  format: number;
  id: string;
  name: Record<string, string>;
  serial: number;
  previous?: Digest;
  signed_at: string;
  keys: { key: string; from: string; until: string }[];
}
export interface Trust {
  type: 'trust';
  format: number;
  publisher: string;
  signed_at: string;
  issuers: Issuer[];
  recognitions?: Recognition[];
}
export interface Issuer {
  did: string;
  names?: Record<string, string>;
  country?: string;
  keys: IssuerKey[];
  lists?: ListRef[];
}
/** What it signed before it retired stays good; what it signed since it was revoked is worth nothing. */
export interface IssuerKey {
  key: string;
  from: string;
  retired?: string;
  revoked?: string;
}
/** Names the blob of a signed status list; without a purpose it is for revocation. */
export interface ListRef extends Named {
  url: string;
  purpose?: string;
  signed_at?: string;
}
/** Names the blob of a signed word of one issuer: it takes an achievement of another for one of its own. */
export interface Recognition extends Named {
  id: string;
  by: string;
  of: { did: string; course: string };
  as: Record<string, string>;
  from: string;
  until?: string;
}

/** A signed document: its whole text, the line that is signed, and who says to have signed it. */
export interface Signed {
  text: string;
  line: string;
  signatures: { key: string; signature: string }[];
}

export const signedLimit = 64 * 1024;
export const manifestLimit = 1024 * 1024;
/** One frame, and so one blob. */
export const frameLimit = 16 * 1024 * 1024;
const depthLimit = 16;
const signerLimit = 4;

class Malformed extends Error {}

type Check<T> = (value: unknown) => T;
type Shape<S> = { [K in keyof S]: S[K] extends Check<infer T> ? T : never };
// What may be missing is not written at all, so that documents compare.
type Tidy<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & { [K in keyof T as undefined extends T[K] ? K : never]?: T[K] };

function refuse(): never {
  throw new Malformed();
}
const text =
  (max = 4096, form?: RegExp): Check<string> =>
  (value) =>
    typeof value === 'string' && value.length <= max && (!form || form.test(value)) ? value : refuse();
const whole =
  (max = Number.MAX_SAFE_INTEGER): Check<number> =>
  (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max ? value : refuse();
const share: Check<number> = (value) => (typeof value === 'number' && value >= 0 && value <= 1 ? value : refuse());
const flag: Check<boolean> = (value) => (typeof value === 'boolean' ? value : refuse());
const one =
  <T extends string>(...of: T[]): Check<T> =>
  (value) =>
    of.indexOf(value as T) >= 0 ? (value as T) : refuse();
const list =
  <T>(check: Check<T>, max: number): Check<T[]> =>
  (value) =>
    Array.isArray(value) && value.length <= max ? value.map(check) : refuse();
const map =
  <T>(check: Check<T>, key: RegExp, max: number): Check<Record<string, T>> =>
  (value) => {
    const entries = Object.entries(plain(value));
    if (entries.length > max) refuse();
    const checked: Record<string, T> = {};
    for (const [name, one] of entries) checked[key.test(name) ? name : refuse()] = check(one);
    return checked;
  };
const object =
  <S extends Record<string, Check<unknown>>>(shape: S): Check<Tidy<Shape<S>>> =>
  (value) => {
    const from = plain(value);
    const checked: Record<string, unknown> = {};
    for (const [name, check] of Object.entries(shape)) {
      const one = check(from[name]);
      if (one !== undefined) checked[name] = one;
    }
    return checked as Tidy<Shape<S>>;
  };
const maybe =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value) =>
    value === undefined ? undefined : check(value);
function plain(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse();
  // `__proto__` in a document is a name like any other.
  return Object.assign(Object.create(null) as Record<string, unknown>, value);
}

const digest = text(71, /^sha256:[0-9a-f]{64}$/);
const localeForm = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$/;
const locale = text(64, localeForm);
const id = text(128, /^[A-Za-z0-9][A-Za-z0-9._-]*$/);
const who = text(408, /^did:web:[A-Za-z0-9.%:_-]+$/);
// One form alone, so that moments compare as texts.
const moment: Check<string> = (value) => (text(20, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)(value) === new Date(value as string).toISOString().replace('.000', '') ? (value as string) : refuse());
const multikey = text(64, /^z[1-9A-HJ-NP-Za-km-z]+$/);
const names = map(text(), localeForm, 64);
const weights = object({ text: whole(), image: whole(), audio: whole() });
const named = { digest, size: whole(frameLimit) };
const manifest = { digest, size: whole(manifestLimit) };
const ids = maybe(list(id, 1024));
const words = maybe(text());
const prose = maybe(text(65536));

const root: Check<Root> = object({
  type: one('root'),
  format: whole(),
  publisher: who,
  course: id,
  number: whole(),
  version: digest,
  published_at: moment,
  signed_at: moment,
  source_locale: locale,
  licence: words,
  authors: maybe(list(text(), 256)),
  editions: map(object({ ...manifest, bytes: weights }), localeForm, 64),
  runtimes: maybe(map(digest, /^[a-z][a-z0-9-]{0,31}$/, 16)),
});
const edition: Check<Edition> = object({
  type: one('edition'),
  course: id,
  locale,
  title: text(),
  title_lang: maybe(locale),
  summary: prose,
  summary_lang: maybe(locale),
  minutes: maybe(whole()),
  criteria: object({ lessons: maybe(flag), quizzes: maybe(share), labs: maybe(flag) }),
  achievement: object({ name: words, description: prose, narrative: prose, competences: ids }),
  competences: ids,
  aims: maybe(list(object({ title: text(), lang: maybe(locale), competences: list(object({ id, name: text(), lang: maybe(locale) }), 1024) }), 64)),
  modules: list(object({ ...manifest, id, title: text(), title_lang: maybe(locale), bytes: weights }), 1024),
});
const kind = one<Kind>('lesson', 'quiz', 'lab');
const module: Check<Module> = object({
  type: one('module'),
  id,
  items: list(object({ ...manifest, id, kind, graded: maybe(flag), title: text(), title_lang: maybe(locale), weight: maybe(whole()), bytes: weights }), 4096),
});
const item: Check<Item> = object({
  type: one('item'),
  id,
  kind,
  competences: ids,
  words: maybe(whole()),
  translation: maybe(object({ fresh: maybe(whole()), stale: maybe(whole()), missing: maybe(whole()), state: words })),
  blobs: list(
    object({
      ...named,
      role: one('fragment', 'data', 'media'),
      layer: one<Layer>('text', 'image', 'audio'),
      media_type: maybe(text(256)),
      href: maybe(text(128, /^\/media\/[0-9a-f]{64}\.[a-z0-9]{1,5}$/)),
      licence: maybe(text()),
      source: maybe(text()),
      lang: maybe(locale),
    }),
    8192,
  ),
});
const publisher: Check<Publisher> = object({
  type: one('publisher'),
  format: whole(),
  id: who,
  name: names,
  serial: whole(),
  previous: maybe(digest),
  signed_at: moment,
  keys: list(object({ key: multikey, from: moment, until: moment }), 64),
});
const trust: Check<Trust> = object({
  type: one('trust'),
  format: whole(),
  publisher: who,
  signed_at: moment,
  issuers: list(
    object({
      did: who,
      names: maybe(names),
      country: maybe(text(2, /^[A-Z]{2}$/)),
      keys: list(object({ key: multikey, from: moment, retired: maybe(moment), revoked: maybe(moment) }), 256),
      lists: maybe(list(object({ ...named, url: text(), purpose: maybe(text(32)), signed_at: maybe(moment) }), 1024)),
    }),
    256,
  ),
  recognitions: maybe(
    list(object({ ...named, id: text(256, /./), by: text(408, /./), of: object({ did: text(408), course: id }), as: names, from: moment, until: maybe(moment) }), 1024),
  ),
});

const checks = { root, edition, module, item, publisher, trust };
export type Type = keyof typeof checks;
export interface Documents {
  root: Root;
  edition: Edition;
  module: Module;
  item: Item;
  publisher: Publisher;
  trust: Trust;
}

/**
 * Refuses what JSON.parse lets pass and two readers might take differently: a member that stands twice, null, and what stands too deep.
 * The line is JSON already.
 */
function strict(line: string): void {
  // Strings, and the signs that matter between them.
  const tokens = /"(?:[^"\\]|\\.)*"(\s*:)?|[[\]{}n]/g;
  const open: Set<string>[] = [];
  for (let found = tokens.exec(line); found; found = tokens.exec(line)) {
    const [token, colon] = found;
    const first = token.charAt(0);
    if (first === 'n') refuse();
    else if (first === '{' || first === '[') {
      if (open.push(new Set()) > depthLimit) refuse();
    } else if (first === '}' || first === ']') open.pop();
    else if (colon !== undefined) {
      const name = (JSON.parse(token.slice(0, -colon.length)) as string).toLowerCase();
      const names = open[open.length - 1] as Set<string>;
      if (names.has(name)) refuse();
      names.add(name);
    }
  }
}

// Each rule holds over what the types of single fields say.
function sound(document: Documents[Type]): void {
  const alone = (ids: { id: string }[]) => new Set(ids.map(({ id }) => id)).size === ids.length || refuse();
  if (document.type === 'root') {
    if (document.number < 1 || !document.editions[document.source_locale]) refuse();
  } else if (document.type === 'edition') alone(document.modules);
  else if (document.type === 'module') alone(document.items);
  else if (document.type === 'item') {
    for (const { href, digest } of document.blobs) if (href && href.slice(7, 71) !== digest.slice(7)) refuse();
  } else if (document.type === 'publisher') {
    if (!document.keys.length) refuse();
    alone(document.keys.map(({ key }) => ({ id: key })));
    for (const { from, until } of document.keys) if (from >= until) refuse();
  }
}

/**
 * Reads a document from its line. Throws BundleError: mixed for a document of another type, too_new for a later format, which may have any
 * form, and damaged for all else that is no document of this type.
 */
export function parse<T extends Type>(type: T, line: string): Documents[T] {
  try {
    if (line.length > (type === 'root' || type === 'publisher' || type === 'trust' ? signedLimit : manifestLimit) || line.indexOf('\n') >= 0) refuse();
    const value = JSON.parse(line) as unknown;
    strict(line);
    const { type: stated, format } = plain(value);
    if (stated !== type) throw new BundleError('mixed');
    if (format !== undefined && whole()(format) > 1) throw new BundleError('too_new');
    const checked = checks[type](value) as Documents[T];
    if ('format' in checked && checked.format !== 1) refuse();
    sound(checked);
    return checked;
  } catch (cause) {
    throw cause instanceof BundleError ? cause : new BundleError('damaged');
  }
}

/** Reads a document from the bytes of a blob. */
export function parseBytes<T extends Type>(type: T, bytes: BufferSource): Documents[T] {
  return parse(type, decode(bytes));
}

/** Bytes as text, where they are UTF-8. */
export function decode(bytes: BufferSource): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new BundleError('damaged');
  }
}

const signatures = list(object({ key: multikey, signature: text(86, /^[A-Za-z0-9_-]{86}$/) }), signerLimit);

/** Takes a signed document apart. Who signed it is not checked here. */
export function parseSigned(all: string): Signed {
  try {
    const [line, second, rest, ...more] = all.split('\n', 4);
    if (line === undefined || second === undefined || rest !== '' || more.length || all.length > signedLimit) refuse();
    const signed = signatures(JSON.parse(second));
    // One form alone: else the same document had many digests.
    if (!signed.length || JSON.stringify(signed.map(({ key, signature }) => ({ key, signature }))) !== second) refuse();
    return { text: all, line, signatures: signed };
  } catch {
    throw new BundleError('damaged');
  }
}
