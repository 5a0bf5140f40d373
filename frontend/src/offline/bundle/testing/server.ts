// A server and the line to it, for tests: it speaks ranges, and the line does what lines do.
import { type Carrier, Interrupted, type Plan, type Stretch } from '../carriage';
import { type Digest } from '../documents';
import { BundleError } from '../fault';
import type { Rule } from '../library';
import { stopped } from '../lock';
import { blobFrames, type Bytes, digestNow, headFrames, type Made, rawPack } from './maker';

function broken(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.error(new Interrupted()) });
}

export class Server implements Carrier {
  versions: Made[] = [];
  publisherDocuments: { id: string; documents: string[] }[] = [];
  /** The bytes that the line still carries before it breaks; Infinity for ever. */
  budget = Infinity;
  /** How many bytes the line carries after it broke, again and again. */
  refill = 0;
  /** An answer of more bytes breaks off, and the browser throws away what it had of it. */
  swallows = Infinity;
  /** Pieces of so many bytes. */
  piece = 1000;
  ranges = true;
  etags = true;
  lengths = true;
  connected = true;
  width = 3;
  /** What a portal answers. */
  portal = false;
  /** Tells of each request. */
  readonly log: string[] = [];
  sent = 0;
  readonly packs = new Map<string, Bytes>();
  change?: (href: string, bytes: Bytes) => Bytes;
  underWay = 0;
  most = 0;
  /** Packs flow only when so many have been under way at once. */
  gate = 0;
  private readonly waiting: (() => void)[] = [];

  plan(course: string, rule: Rule, { number, from }: { number?: number; from?: number }): Promise<Plan> {
    this.say(`plan ${number ?? '-'} ${from ?? '-'}`);
    const made = this.versions.filter((one) => one.course === course && (number === undefined || one.number === number)).pop();
    if (!made) return Promise.reject(new BundleError('not_found'));
    const old = from === undefined ? undefined : this.versions.find((one) => one.course === course && one.number === from);
    const packs: Plan['packs'] = [];
    const head = `/bundles/${course}@${made.number}/head.pack`;
    this.packs.set(head, rawPack(headFrames(made)));
    for (const locale of rule.locales) {
      for (const layer of rule.tier === 'text' ? (['text'] as const) : (['text', 'image'] as const)) {
        const href = `/bundles/${course}@${made.number}/${locale}/${layer}.pack?module=${(rule.modules ?? []).join()}&from=${from ?? ''}`;
        const digests = made.order(locale, layer, rule.modules).filter((digest) => !old?.blobs.has(digest));
        if (!this.packs.has(href)) this.packs.set(href, rawPack(blobFrames(made, digests)));
        packs.push({ href, bytes: (this.packs.get(href) as Bytes).length, layer, locale });
      }
    }
    const changed = { new: 0, changed: 0, removed: 0 };
    return Promise.resolve({ number: made.number, root_digest: made.digest, head: { href: head, bytes: (this.packs.get(head) as Bytes).length }, packs, changed });
  }

  publishers(): Promise<{ id: string; documents: string[] }[]> {
    this.say('publishers');
    return Promise.resolve(this.publisherDocuments);
  }

  pack(href: string, { start, etag, most }: { start: number; etag?: string; most?: number }, signal?: AbortSignal): Promise<Stretch> {
    this.say(`pack ${/([^/]*)$/.exec(href)?.[1] ?? ''} ${start}`);
    if (signal?.aborted) return Promise.reject(stopped());
    if (!this.connected) return Promise.reject(new Interrupted());
    if (this.portal) return Promise.reject(new BundleError('captive_portal'));
    const bytes = this.packs.get(href);
    if (!bytes) return Promise.reject(new BundleError('not_found'));
    const tag = `"${digestNow(bytes).slice(7, 23)}"`;
    const from = start && this.ranges && (etag === undefined || etag === tag) ? start : 0;
    const sent = (this.change ? this.change(href, bytes) : bytes).slice(from, most !== undefined && this.ranges ? from + most : undefined);
    return Promise.resolve({
      start: from,
      ...(this.lengths && { total: bytes.length }),
      ...(this.etags && { etag: tag }),
      body: sent.length > this.swallows ? broken() : this.body(sent, signal, /head/.test(href) ? 0 : this.gate),
    });
  }

  private body(bytes: Bytes, signal: AbortSignal | undefined, gate: number): ReadableStream<Uint8Array> {
    this.most = Math.max(this.most, ++this.underWay);
    if (this.most >= gate) for (const go of this.waiting.splice(0)) go();
    let at = 0;
    let over = false;
    const end = () => {
      if (!over) this.underWay--;
      over = true;
    };
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          if (this.most < gate) await new Promise<void>((resolve) => this.waiting.push(resolve));
          if (signal?.aborted) {
            end();
            return controller.error(stopped());
          }
          if (at >= bytes.length) {
            end();
            return controller.close();
          }
          const n = Math.min(this.piece, bytes.length - at, this.budget);
          if (!n) {
            this.budget = this.refill;
            end();
            return controller.error(new Interrupted());
          }
          this.budget -= n;
          this.sent += n;
          controller.enqueue(bytes.slice(at, (at += n)));
        },
        cancel: end,
      },
      { highWaterMark: 0 },
    );
  }

  blob(digest: Digest): Promise<Bytes | undefined> {
    this.say(`blob ${digest.slice(7, 15)}`);
    if (!this.connected) return Promise.reject(new Interrupted());
    for (const { blobs } of this.versions) if (blobs.has(digest)) return Promise.resolve(blobs.get(digest));
    return Promise.resolve(undefined);
  }

  time = () => '2026-03-01T00:00:00Z';
  wait = () => Promise.resolve();
  online = () => this.connected;
  lanes = () => this.width;

  private say(what: string): void {
    this.log.push(what);
  }
}
