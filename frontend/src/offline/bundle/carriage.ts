// What a download needs of the network. http.ts is the one that speaks it; tests have others.
import type { Schemas } from '../../api/client';
import type { Digest } from './documents';
import type { Rule } from './library';

/** What the server would send for a rule: the part of its answer that a download needs. */
export type Plan = Pick<Schemas['BundlePlan'], 'number' | 'root_digest' | 'head' | 'packs' | 'changed'>;

/** A part of a pack, from `start` on. */
export interface Stretch {
  start: number;
  /** Of the whole pack, where the answer says it. */
  total?: number;
  /** A strong ETag, where there is one. */
  etag?: string;
  body: ReadableStream<Uint8Array>;
}

export interface Carrier {
  /** What would be sent: of version `number`, or of the newest; without what version `from` has. */
  plan(course: string, rule: Rule, versions: { number?: number; from?: number }, signal?: AbortSignal): Promise<Plan>;
  publishers(signal?: AbortSignal): Promise<{ id: string; documents: string[] }[]>;
  /**
   * The bytes of a pack from `start` on, `most` of them where that is given, if it is still the one of this ETag; else from its beginning. Throws BundleError captive_portal
   * for an answer that is no pack, not_found where it is gone, and Interrupted for what may be tried again.
   */
  pack(href: string, from: { start: number; etag?: string; most?: number }, signal?: AbortSignal): Promise<Stretch>;
  /** One blob; undefined where the server has none. */
  blob(digest: Digest, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** The time that the server last said, as documents write it. */
  time(): string | undefined;
  /** Waits, unless told to stop. */
  wait(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Whether the device thinks that it has a network at all. */
  online(): boolean;
  /** How many transfers the connection bears at a time. */
  lanes(): number;
}

/** The connection broke or the server is busy: nothing is wrong with what arrived. */
export class Interrupted extends Error {
  /** After so many seconds the server is ready again. */
  readonly after: number | undefined;

  constructor(after?: number) {
    super('interrupted');
    this.after = after;
  }
}
