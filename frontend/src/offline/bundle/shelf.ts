// The bundles of this device. Every carrier comes in the same way: checked head, checked blobs in batches, and the pointer last, in a
// transaction of its own. What was installed before stays until then, and can be switched back to.
import { disk, result, transact } from '../db';
import { lacking, readHead } from './carrier';
import { layers, type Digest, type Trust } from './documents';
import { BundleError, spaceFault } from './fault';
import { fit, fitted } from './fit';
import { folder } from './folder';
import { frames, type Frame } from './frames';
import { list, rootOf, type Rule, type Shelved, type Version } from './library';
import { locked, stopped } from './lock';
import { announce } from './progress';
import { choose, Intake, load, resolve, type Choice, type Counted } from './read';
import { digestOf, join, readChain, type Head, type Known } from './verify';

export { blob, edition, installed, item, list, modules, type Installed, type Rule, type Shelved, type Version } from './library';

/** How far something has come, in bytes of what is carried. */
export interface Progress {
  phase: 'fetching' | 'checking' | 'done';
  bytes: number;
  of: number;
}
export interface Watch {
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

const batchBytes = 1024 * 1024;
const batchRows = 100;

interface Row {
  digest: Digest;
  bytes: ArrayBuffer;
  size: number;
}

/** The digests that are here, and how to read some. */
export async function stored(): Promise<{ has: Set<Digest>; open: (digests: readonly Digest[]) => Promise<(ArrayBuffer | undefined)[]> }> {
  const keys = await transact(['blobs'], 'readonly', (store) => result(store('blobs').getAllKeys()));
  return { has: new Set(keys as string[]), open };
}

function open(digests: readonly Digest[]): Promise<(ArrayBuffer | undefined)[]> {
  if (!digests.length) return Promise.resolve([]);
  return transact(['blobs'], 'readonly', (store) => Promise.all(digests.map(async (digest) => (await result(store('blobs').get(digest) as IDBRequest<Row | undefined>))?.bytes)));
}

/** Changes the row of a course in one transaction. Undefined removes it. */
export async function change(course: string, how: (row: Shelved | undefined) => Shelved | undefined): Promise<void> {
  await transact(['bundles'], 'readwrite', async (store) => {
    const row = how(await result(store('bundles').get(course) as IDBRequest<Shelved | undefined>));
    if (row) store('bundles').put(row);
    else store('bundles').delete(course);
  }).catch((cause: unknown) => {
    throw spaceFault(cause);
  });
  announce(course);
}

const clock = 'bundle.server_time';

/** Takes note of the time that a server said. The last word counts, so that a server's wrong clock does no harm for longer than it is wrong. */
export async function heardTime(time: string | undefined): Promise<void> {
  if (time) await disk.put('settings', { key: clock, value: time });
}

/** A publisher who is trusted here. */
export interface Trusted {
  id: string;
  documents: readonly string[];
  /** The institution that alone trusts it; none where the server does. What it says of issuers counts for members of that only. */
  institution?: string;
}

/** Keeps the documents of a publisher, on whosever trust it rests. */
export async function keepPublisher(store: IDBObjectStore, id: string, documents: readonly string[]): Promise<void> {
  const { institution } = (await result(store.get(id) as IDBRequest<Trusted | undefined>)) ?? {};
  store.put({ id, documents, ...(institution !== undefined && { institution }) } satisfies Trusted);
}

/**
 * Takes over whom the server trusts. A chain that goes on from ours replaces it, and one of ours that goes on from the server's stays. Where
 * the two part ways the server has the word: it decides whom to trust here. Another one who bears the name takes nothing over, and what the
 * one before said of issuers goes with it. Publishers that it does not name stay, for on a shared phone the next learner's institution may name them.
 */
export async function trustPublishers(items: readonly { id: string; documents: readonly string[]; institution_id?: string }[]): Promise<void> {
  for (const { id, documents, institution_id: institution } of items) {
    const theirs = await readChain(documents);
    if (theirs.serials[0]?.id !== id) throw new BundleError('mixed');
    const row = await disk.find<Trusted>('publishers', id);
    const chain = row ? await readChain(row.documents).then((ours) => join(ours, theirs)).catch(() => theirs) : theirs;
    await transact(['publishers', 'trust'], 'readwrite', (store) => {
      store('publishers').put({ id, documents: chain.documents, ...(institution !== undefined && { institution }) } satisfies Trusted);
      if (row && row.documents[0] !== chain.documents[0]) store('trust').delete(id);
    });
  }
}

/** What this device knows of a publisher and a course. */
export async function known(publisher: string, course: string): Promise<Known> {
  const [said, word, time, rows] = await Promise.all([
    disk.find<{ documents: string[] }>('publishers', publisher),
    disk.find<{ document: string }>('trust', publisher),
    disk.find<{ value: string }>('settings', clock),
    list(),
  ]);
  let newest = time?.value ?? '';
  const seen = (at: string) => {
    if (at > newest) newest = at;
  };
  if (word) seen((JSON.parse(word.document.split('\n', 1)[0] as string) as Trust).signed_at);
  for (const row of rows) {
    if (row.publisher !== publisher) continue;
    for (const version of [row.installed, row.previous]) if (version) seen(version.signed_at);
  }
  const current = rows.find((row) => row.course === course)?.installed;
  return { documents: said?.documents ?? [], newest, ...(current && { current: current.root }) };
}

/** The choice of a version: its rule, and where that has a budget, what fits. */
export async function choiceOf({ root, rule }: Pick<Version, 'root' | 'rule'>): Promise<Choice> {
  const document = rootOf({ root } as Version);
  const choice = choose(document, rule);
  if (rule.budget === undefined) return choice;
  const fits = fitted(fit(await load(document, new TextEncoder().encode(root).length, rule.locales, open), rule, rule.budget));
  return (want) => choice(want) && fits(want);
}

async function trustOf(publisher: string): Promise<Trust | undefined> {
  const row = await disk.find<{ document: string }>('trust', publisher);
  return row && (JSON.parse(row.document.split('\n', 1)[0] as string) as Trust);
}

/** All that a version names and its rule wants, and whether it is here. */
export async function reach(version: Version, publisher: string, here?: { has: ReadonlySet<Digest> }): Promise<ReturnType<Intake['all']>> {
  const walk = await Intake.begin(rootOf(version), await trustOf(publisher), { has: here?.has ?? (await stored()).has, open });
  return walk.all(await choiceOf(version));
}

/** Something that comes in for one course, whoever carries it. Work with it only inside `arriving`. */
export class Arrival {
  private batch: Row[] = [];
  private bytes = 0;

  private constructor(
    readonly head: Head,
    readonly course: string,
    private readonly intake: Intake,
  ) {}

  /** Puts down what is coming in, before its first blob: so that what arrives is kept whatever happens next. */
  static async begin(head: Head, rule: Rule | undefined, chosen?: Choice): Promise<Arrival> {
    const { root, rootText, digest, chain } = head;
    const trust = await keepWord(head);
    await transact(['publishers'], 'readwrite', (store) => keepPublisher(store('publishers'), root.publisher, chain.documents)).catch((cause: unknown) => {
      throw spaceFault(cause);
    });
    await change(root.course, (row) => {
      // Where nobody chose yet, all that comes is worth keeping.
      const wish = rule ?? { locales: Object.keys(root.editions), tier: 'all' };
      const candidate: Version = { root: rootText, digest, number: root.number, signed_at: root.signed_at, rule: wish, complete: false };
      return { ...(row ?? { course: root.course, rule: wish }), publisher: root.publisher, candidate };
    });
    return new Arrival(head, root.course, await Intake.begin(root, trust, await stored(), chosen));
  }

  get counted(): Counted {
    return this.intake.counted;
  }

  /** Takes what a carrier has left. What was taken before it broke off is kept. */
  async take(carrier: AsyncIterator<Frame, void>, first: Frame | undefined, signal?: AbortSignal): Promise<void> {
    try {
      for (let frame = first ?? (await carrier.next()).value; frame; frame = (await carrier.next()).value) {
        if (signal?.aborted) throw stopped();
        if (frame.kind !== 'B') throw new BundleError('damaged');
        await this.add(await digestOf(frame.bytes), frame.bytes.buffer);
      }
    } catch (cause) {
      await this.flush().catch(() => undefined);
      throw spaceFault(cause);
    } finally {
      await carrier.return?.();
    }
    await this.flush();
  }

  private async add(digest: Digest, bytes: ArrayBuffer): Promise<void> {
    if (!(await this.intake.take(digest, bytes))) return;
    this.batch.push({ digest, bytes, size: bytes.byteLength });
    this.bytes += bytes.byteLength;
    if (this.bytes >= batchBytes || this.batch.length >= batchRows) await this.flush();
  }

  /** Takes one blob that came alone. */
  async single(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.add(await digestOf(bytes), bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer);
  }

  async flush(): Promise<void> {
    const rows = this.batch;
    this.batch = [];
    this.bytes = 0;
    if (!rows.length) return;
    await transact(['blobs'], 'readwrite', (store) => {
      for (const row of rows) store('blobs').put(row);
    }).catch((cause: unknown) => {
      throw spaceFault(cause);
    });
  }

  /** What is wanted and not here. */
  async missing(rule: Rule): Promise<ReturnType<Intake['missing']>> {
    return this.intake.missing(await choiceOf({ root: this.head.rootText, rule }));
  }

  /** The largest rule that all that is here serves, where it serves what was wished before too. */
  async offers(wish: Rule | undefined): Promise<Rule> {
    const offer = this.intake.offers();
    if (!wish) return offer;
    if (!offer.locales.length || wish.items || wish.budget !== undefined || !covers(offer, wish, (locales) => resolve(this.head.root, locales))) return wish;
    // The wish names languages that the course may speak one day; the offer only those that it speaks.
    const wider = { ...offer, locales: Array.from(new Set([...wish.locales, ...offer.locales])) };
    if (!wish.modules?.length) delete wider.modules;
    return (await this.missing(wider)).length ? wish : wider;
  }

  /** Languages that came and that a rule leaves out. */
  leaves({ locales }: Rule): string[] {
    const kept = resolve(this.head.root, locales);
    return this.intake.offers().locales.filter((locale) => kept.indexOf(locale) < 0);
  }

  /**
   * Switches to what came in, if all that the rule wants is here; the pointer alone is written. Where something is missing, throws BundleError
   * and keeps what arrived: another carrier may bring the rest.
   */
  async finish(rule: Rule): Promise<Version> {
    await this.flush();
    const missing = (await this.missing(rule)).length;
    if (missing) {
      await change(this.course, (row) => row && { ...row, rule: row.installed ? row.rule : rule, ...(row.candidate && { candidate: { ...row.candidate, rule } }) });
      throw lacking(this.counted.ignored, missing);
    }
    const { rootText: root, digest, root: { number, signed_at, publisher } } = this.head;
    const version: Version = { root, digest, number, signed_at, rule, complete: true };
    await change(this.course, (row) => {
      const old = row?.installed;
      const previous = old && old.digest !== digest ? old : row?.previous;
      return { course: this.course, publisher, rule, installed: version, ...(previous && { previous }) };
    });
    return version;
  }
}

function covers(offer: Rule, wish: Rule, spoken: (locales: readonly string[]) => string[]): boolean {
  const all = spoken(offer.locales);
  return (
    spoken(wish.locales).every((locale) => all.indexOf(locale) >= 0) &&
    layers[offer.tier].length >= layers[wish.tier].length &&
    (!offer.modules || (wish.modules ?? []).every((module) => (offer.modules as string[]).indexOf(module) >= 0))
  );
}

/** Keeps what a publisher says of issuers, whatever bundle brings it: the newest counts. Gives what counts now. */
async function keepWord({ root, trust, trustText }: Head): Promise<Trust | undefined> {
  const before = await trustOf(root.publisher);
  if (!trust || (before && before.signed_at >= trust.signed_at)) return before;
  await disk.put('trust', { publisher: root.publisher, document: trustText }).catch((cause: unknown) => {
    throw spaceFault(cause);
  });
  return trust;
}

/** Holds off who throws away, and whoever works on the same course, in this and in other tabs. */
export async function arriving<T>(course: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  // Without `now` a lock is always given.
  return (await locked('bundle', { mode: 'shared', signal }, () => locked(`bundle/${course}`, { signal }, work))) as T;
}

export interface ImportOptions extends Watch {
  /** What to take of it. Absent: all that it has, beside what was chosen before. */
  rule?: Rule;
  /** Of a folder with several courses, which. */
  course?: string;
  /** Asked when nobody here trusts the publisher yet: perhaps the server does, and tells (`trustPublishers`). */
  publishers?: () => Promise<void>;
}

export interface Imported {
  course: string;
  version: Version;
  counted: Counted;
  /** Languages of the carrier that the rule leaves out, as where it has no pictures in them and the rule wants some. Say so: a rule that is given may want less. */
  left: string[];
}

/**
 * Takes a bundle in from a file, a stream, or the files of a folder. Resolves when the course can be opened. Throws BundleError; then all
 * that was right before is still there, and what arrived is kept for the next carrier.
 */
export async function importFile(source: Blob | ReadableStream<Uint8Array> | readonly File[], options: ImportOptions = {}): Promise<Imported> {
  const { signal, onProgress, rule, course } = options;
  let carrier: AsyncGenerator<Frame, void, void>;
  if (source instanceof Blob) carrier = frames(watched(source.stream() as ReadableStream<Uint8Array>, source.size, onProgress));
  else if (source instanceof ReadableStream) carrier = frames(watched(source, 0, onProgress));
  else carrier = folder(source, course, onProgress);
  const taken = await locked('bundle', { mode: 'shared', signal }, async () => {
    try {
      const { head, first } = await readHead(carrier, async (publisher, of) => {
        let found = await known(publisher, of);
        if (!found.documents.length && options.publishers) {
          await options.publishers();
          found = await known(publisher, of);
        }
        return { ...found, ...(course !== undefined && { course }) };
      });
      const name = head.root.course;
      return await locked(`bundle/${name}`, { signal }, async () => {
        const row = await disk.find<Shelved>('bundles', name);
        // What stands there counts where somebody chose it.
        const wish = row?.installed || row?.downloads ? row.rule : undefined;
        const arrival = await Arrival.begin(head, rule, rule && choose(head.root, rule));
        await arrival.take(carrier, first, signal);
        const version = await arrival.finish(rule ?? (await arrival.offers(wish)));
        return { course: name, version, counted: arrival.counted, left: arrival.leaves(version.rule) };
      });
    } finally {
      await carrier.return();
    }
  });
  return taken as NonNullable<typeof taken>;
}

function watched(source: ReadableStream<Uint8Array>, of: number, onProgress: Watch['onProgress']): ReadableStream<Uint8Array> {
  if (!onProgress) return source;
  const reader = source.getReader();
  let bytes = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      bytes += value.length;
      onProgress({ phase: 'checking', bytes, of: Math.max(of, bytes) });
      controller.enqueue(value);
    },
    cancel: (cause) => reader.cancel(cause),
  });
}

/** Goes back to the version before; called again, forward. Throws BundleError where there is none or it is no longer whole. */
export function switchBack(course: string): Promise<void> {
  return arriving(course, undefined, async () => {
    const row = await disk.find<Shelved>('bundles', course);
    if (!row?.previous) throw new BundleError('no_previous');
    const missing = (await reach(row.previous, row.publisher)).filter(({ here }) => !here).length;
    if (missing) throw lacking(0, missing);
    await change(course, (now) => now && { ...now, rule: now.previous?.rule ?? now.rule, installed: now.previous, previous: now.installed });
  });
}

/** What an installed course has lost since it was installed: a browser short of space throws things away without a word. */
export async function lost(course: string): Promise<{ items: string[]; blobs: number; bytes: number }> {
  const row = await disk.find<Shelved>('bundles', course);
  const gone = row?.installed ? (await reach(row.installed, row.publisher)).filter(({ here }) => !here) : [];
  if (row?.installed?.complete && gone.length) {
    await change(course, (now) => now?.installed && { ...now, installed: { ...now.installed, complete: false } });
  }
  const items = new Set(gone.map(({ want }) => want.item).filter(Boolean));
  return { items: Array.from(items), blobs: gone.length, bytes: gone.reduce((sum, { want }) => sum + want.size, 0) };
}
