// Makes bundles for tests, as Go does (internal/bundle): small courses, packs, and bytes in streams of any pieces.
import { gzipSync } from 'node:zlib';
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

export type Bytes = Uint8Array<ArrayBuffer>;

export const bytesOf = (text: string): Bytes => new TextEncoder().encode(text);
export const digestNow = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** A publisher's key. */
export interface Key {
  multikey: string;
  sign: (message: Uint8Array) => Buffer;
}

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

export function multikey(raw: Uint8Array): string {
  let n = BigInt(`0xed01${Buffer.from(raw).toString('hex')}`);
  let text = '';
  for (; n > 0n; n /= 58n) text = alphabet.charAt(Number(n % 58n)) + text;
  return `z${text}`;
}

export function newKey(): Key {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url');
  return { multikey: multikey(raw), sign: (message) => sign(null, message, privateKey as KeyObject) };
}

export function signed(type: string, document: object, ...keys: Key[]): string {
  const line = JSON.stringify(document);
  const message = bytesOf(`banyan/${type}/1\n${line}`);
  return `${line}\n${JSON.stringify(keys.map((key) => ({ key: key.multikey, signature: key.sign(message).toString('base64url') })))}\n`;
}

export interface RawFrame {
  kind: string;
  bytes: Uint8Array;
}

export function rawPack(frames: RawFrame[], count = frames.length, after = new Uint8Array(0)): Bytes {
  const parts: Uint8Array[] = [bytesOf('BANYAN1\n')];
  const end = Buffer.alloc(4);
  end.writeUInt32BE(count);
  for (const { kind, bytes } of [...frames, { kind: 'E', bytes: end }]) {
    const head = Buffer.alloc(5);
    head.write(kind, 'latin1');
    head.writeUInt32BE(bytes.length, 1);
    parts.push(head, bytes);
  }
  return gzip(Buffer.concat([...parts, after]));
}

export function gzip(bytes: Uint8Array): Bytes {
  const zipped = gzipSync(bytes, { level: 9 });
  zipped[8] = 2;
  zipped[9] = 0xff;
  return Uint8Array.from(zipped);
}

/** Bytes as a stream of pieces of so many. */
export function stream(bytes: Uint8Array, piece = 1000): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, (at += piece)));
    },
  });
}

/** Repeatable chance. */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Bytes that do not shrink. */
export function noise(length: number, seed: number): Bytes {
  const next = chance(seed);
  return Uint8Array.from({ length }, () => Math.floor(next() * 256));
}

export interface MadeItem {
  id: string;
  text: string;
  image?: Bytes;
}
export interface Plot {
  course?: string;
  number?: number;
  signed_at?: string;
  locales?: string[];
  modules: { id: string; items: MadeItem[] }[];
}

export interface Made {
  course: string;
  number: number;
  root: string;
  digest: string;
  publisher: string[];
  trust?: string;
  blobs: Map<string, Bytes>;
  /** Digests in the order of a pack, by layer, of one language. */
  order: (locale: string, layer: 'text' | 'image', modules?: string[]) => string[];
}

export class Publisher {
  readonly id = 'did:web:school.example';
  readonly key = newKey();
  readonly documents: string[];

  constructor() {
    const document = {
      type: 'publisher',
      format: 1,
      id: this.id,
      name: { en: 'School' },
      serial: 1,
      signed_at: '2026-01-01T00:00:00Z',
      keys: [{ key: this.key.multikey, from: '2026-01-01T00:00:00Z', until: '2036-01-01T00:00:00Z' }],
    };
    this.documents = [signed('publisher', document, this.key)];
  }

  /** Publishes a version of a course. The text of an item is the same in each language but for its name. */
  make({ course = 'small', number = 1, signed_at = `2026-02-01T00:00:${String(number).padStart(2, '0')}Z`, locales = ['en'], modules }: Plot): Made {
    const blobs = new Map<string, Bytes>();
    const orders = new Map<string, string[]>();
    const keep = (bytes: Bytes) => {
      const digest = digestNow(bytes);
      blobs.set(digest, bytes);
      return { digest, size: bytes.length };
    };
    const add = (a: Record<string, number>, b: Record<string, number>) => ({ text: (a['text'] ?? 0) + (b['text'] ?? 0), image: (a['image'] ?? 0) + (b['image'] ?? 0), audio: 0 });
    const none = { text: 0, image: 0, audio: 0 };
    const editions: Record<string, object> = {};
    for (const locale of locales) {
      let all: Record<string, number> = none;
      const text: string[] = [];
      const moduleRefs = modules.map(({ id, items }) => {
        let sum: Record<string, number> = none;
        const here: string[] = [];
        const images: string[] = [];
        const itemRefs = items.map((item) => {
          const fragment = keep(bytesOf(`<p>${locale} ${item.text}</p>`));
          const image = item.image && keep(item.image);
          const doc = {
            type: 'item',
            id: item.id,
            kind: 'lesson',
            blobs: [
              { role: 'fragment', ...fragment, layer: 'text', media_type: 'text/html' },
              ...(image ? [{ role: 'media', ...image, layer: 'image', media_type: 'image/png', href: `/media/${image.digest.slice(7)}.png` }] : []),
            ],
          };
          const named = keep(bytesOf(JSON.stringify(doc)));
          here.push(named.digest, fragment.digest);
          if (image) images.push(image.digest);
          const bytes = { text: fragment.size, image: image?.size ?? 0, audio: 0 };
          sum = add(sum, { ...bytes, text: bytes.text + named.size });
          return { id: item.id, kind: 'lesson', title: item.id, ...named, bytes };
        });
        const named = keep(bytesOf(JSON.stringify({ type: 'module', id, items: itemRefs })));
        orders.set(`${locale}/text/${id}`, [named.digest, ...here]);
        orders.set(`${locale}/image/${id}`, images);
        text.push(...(orders.get(`${locale}/text/${id}`) as string[]));
        all = add(all, { ...sum, text: (sum['text'] as number) + named.size });
        return { id, title: id, ...named, bytes: sum };
      });
      const named = keep(bytesOf(JSON.stringify({ type: 'edition', course, locale, title: course, summary: '', minutes: 1, criteria: { lessons: true, quizzes: 0, labs: false }, achievement: { name: '', description: '', narrative: '' }, modules: moduleRefs })));
      orders.set(`${locale}/edition`, [named.digest]);
      editions[locale] = { ...named, bytes: all };
    }
    const root = signed(
      'root',
      { type: 'root', format: 1, publisher: this.id, course, number, version: `sha256:${'0'.repeat(64)}`, published_at: signed_at, signed_at, source_locale: locales[0], licence: 'CC0-1.0', authors: [], editions },
      this.key,
    );
    return {
      course,
      number,
      root,
      digest: digestNow(bytesOf(root)),
      publisher: this.documents,
      blobs,
      order: (locale, layer, only) => [
        ...(layer === 'text' ? (orders.get(`${locale}/edition`) as string[]) : []),
        ...modules.filter(({ id }) => !only || only.indexOf(id) >= 0).reduce<string[]>((digests, { id }) => digests.concat(orders.get(`${locale}/${layer}/${id}`) as string[]), []),
      ],
    };
  }
}

export function headFrames(made: Made): RawFrame[] {
  return [
    ...made.publisher.map((text) => ({ kind: 'P', bytes: bytesOf(text) })),
    ...(made.trust ? [{ kind: 'T', bytes: bytesOf(made.trust) }] : []),
    { kind: 'R', bytes: bytesOf(made.root) },
  ];
}

export function blobFrames(made: Made, digests: readonly string[]): RawFrame[] {
  return digests.map((digest) => ({ kind: 'B', bytes: made.blobs.get(digest) as Bytes }));
}

/** A `.banyan` file. */
export function file(made: Made, locales: string[], layers: ('text' | 'image')[] = ['text', 'image'], modules?: string[]): Bytes {
  const digests = layers.reduce<string[]>((all, layer) => locales.reduce((more, locale) => more.concat(made.order(locale, layer, modules)), all), []);
  return rawPack([...headFrames(made), ...blobFrames(made, Array.from(new Set(digests)))]);
}
