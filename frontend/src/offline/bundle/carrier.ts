// What a carrier brings, read in one go: its head, and what of it belongs to anything.
import { type Digest } from './documents';
import { BundleError } from './fault';
import { type Frame } from './frames';
import { type Rule } from './library';
import { choose, Intake, type Counted } from './read';
import { checkHead, digestOf, type Head, type Known } from './verify';

const serialLimit = 256;

/**
 * Reads a carrier up to its first blob and checks who signed. Gives the first blob back, which has been read already; none where the
 * carrier ends there. Throws BundleError; then nothing of the carrier may be used.
 */
export async function readHead(carrier: AsyncIterator<Frame, void>, find: (publisher: string, course: string) => Promise<Known>): Promise<{ head: Head; first?: Frame }> {
  const publisher: Frame['bytes'][] = [];
  let trust: Frame['bytes'] | undefined;
  let root: Frame['bytes'] | undefined;
  let first: Frame | undefined;
  while (!first) {
    const { done, value } = await carrier.next();
    if (done) break;
    const { kind, bytes } = value;
    if (kind === 'P' && !trust && !root && publisher.length < serialLimit) publisher.push(bytes);
    else if (kind === 'T' && !trust && !root) trust = bytes;
    else if (kind === 'R' && !root) root = bytes;
    else if (kind === 'B' && root) first = value;
    else throw new BundleError('damaged');
  }
  if (!root) throw new BundleError('truncated');
  return { head: await checkHead({ publisher, trust, root }, find), first };
}

/** What a carrier holds. */
export interface Report {
  head: Head;
  counted: Counted;
  /** The largest rule that it serves in full. */
  rule: Rule;
}

/** Reads a carrier to its end and keeps nothing. Throws the BundleError for which an import alone would be refused. */
export async function inspect(carrier: AsyncIterator<Frame, void>, find: (publisher: string, course: string) => Promise<Known>): Promise<Report> {
  const { head, first } = await readHead(carrier, find);
  const intake = await Intake.begin(head.root, head.trust, { has: new Set<Digest>(), open: (digests) => Promise.resolve(digests.map(() => undefined)) });
  for (let frame = first ?? (await carrier.next()).value; frame; frame = (await carrier.next()).value) {
    if (frame.kind !== 'B') throw new BundleError('damaged');
    await intake.take(await digestOf(frame.bytes), frame.bytes);
  }
  const rule = intake.offers();
  const missing = intake.missing(choose(head.root, rule)).length;
  if (missing || !rule.locales.length) throw lacking(intake.counted.ignored, missing);
  return { head, counted: intake.counted, rule };
}

/** What an incomplete carrier suffers from: bytes that were swapped, or bytes that were left out. */
export function lacking(ignored: number, missing: number): BundleError {
  return ignored ? new BundleError('damaged') : new BundleError('truncated', { Missing: missing });
}
