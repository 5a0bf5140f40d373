// Brings a course over a network that breaks off. Packs come by Range in pieces that stay in the database until the pack is whole, so a
// download goes on at the byte where it stopped: after a reload, a kill, a day. Nothing is shown before all is here and checked.
import { disk, result, transact } from '../db';
import { readHead } from './carrier';
import { type Carrier, Interrupted, type Plan } from './carriage';
import { layers } from './documents';
import { BundleError, spaceFault } from './fault';
import { frames } from './frames';
import { rootOf, type Part, type Rule, type Shelved, type Version } from './library';
import { stopped } from './lock';
import { arrived, type Arrived, clearPartials, endAt, partialStream, range } from './partials';
import { tell } from './progress';
import { choose, resolve } from './read';
import { arriving, Arrival, change, heardTime, known, trustPublishers, type Watch } from './shelf';
import { believed } from './verify';

/** So much is at most lost when the browser is killed. */
const step = 64 * 1024;
/** How often in a row a transfer may break off without a single byte. */
const patience = 5;
/** So many bytes are asked for at a time on a line that breaks before anything came; then a quarter of that, but not fewer than the least. */
const careful = 8 * 1024;
const least = 512;
/** More than so many lost blobs come cheaper in packs. */
const singles = 40;

export interface DownloadOptions extends Watch {
  /** The version that was agreed to. Absent: the one that is installed, or else the newest. */
  number?: number;
}

/** What a download would cost, to be shown before it begins. */
export interface Cost {
  number: number;
  /** Still to be transferred. */
  bytes: number;
  /** What it may need on the disk. */
  space: number;
  /** Another version than the one that is installed. */
  update: boolean;
  changed?: Plan['changed'];
}

const same = (a: Rule, b: Rule) => JSON.stringify(keyed(a)) === JSON.stringify(keyed(b));
const keyed = ({ locales, tier, modules, items, budget }: Rule) => [locales, tier, modules?.length ? modules : 0, items ?? 0, budget ?? 0];

/** The packs of a plan that bring something that is not here. */
function partsOf(plan: Plan, row: Shelved | undefined, rule: Rule): Part[] {
  const installed = row?.installed;
  const held = installed?.complete && installed.number === plan.number && !installed.rule.items && installed.rule.budget === undefined ? installed.rule : undefined;
  const sameModules = held && JSON.stringify(held.modules ?? 0) === JSON.stringify(rule.modules ?? 0);
  const spoken = held && installed ? resolve(rootOf(installed), held.locales) : [];
  const here = ({ locale, layer }: Part) => held && (sameModules || !held.modules?.length) && spoken.indexOf(locale) >= 0 && (layers[held.tier] as readonly string[]).indexOf(layer) >= 0;
  const packs = plan.packs.map(({ href, bytes, layer, locale }): Part => ({ href, bytes, layer: layer ?? '', locale: locale ?? '' }));
  // Text first: it names what pictures and recordings are.
  const rank = ({ layer }: Part) => layers.all.indexOf(layer as 'text');
  const parts = packs.filter((part) => !here(part)).sort((a, b) => rank(a) - rank(b));
  return [{ href: plan.head.href, bytes: plan.head.bytes, layer: 'head', locale: '' }, ...parts];
}

const total = (parts: readonly { bytes: number; done?: boolean }[]) => parts.reduce((sum, { bytes, done }) => sum + (done ? 0 : bytes), 0);

// Texts shrink to a third on the way, pictures and recordings not at all. While a pack is unpacked both forms are there.
const spaceOf = (parts: readonly Part[]) => Math.ceil(1.2 * parts.reduce((sum, { bytes, layer, done }) => sum + (done ? 0 : bytes * (layer === 'text' ? 5 : 2)), 0));

async function asked(carrier: Carrier, course: string, row: Shelved | undefined, rule: Rule, number: number | undefined, whole: boolean, signal?: AbortSignal): Promise<Plan> {
  const installed = row?.installed;
  const wanted = number ?? installed?.number;
  // Only what changed, where what did not is here.
  const from = !whole && installed?.complete && wanted !== installed.number && same(installed.rule, rule) ? installed.number : undefined;
  const plan = await carrier.plan(course, rule, { ...(wanted !== undefined && { number: wanted }), ...(from !== undefined && { from }) }, signal);
  await heardTime(carrier.time());
  if (wanted !== undefined && plan.number !== wanted) throw new BundleError('not_found');
  return plan;
}

/** What it would cost to have a course by a rule, as far as it is not here. */
export async function cost(carrier: Carrier, course: string, rule: Rule, { number, signal }: DownloadOptions = {}): Promise<Cost> {
  const row = await disk.find<Shelved>('bundles', course);
  const begun = underWay(row, rule, number);
  const plan = begun ? undefined : await asked(carrier, course, row, rule, number, false, signal);
  const parts = begun ? begun.parts : partsOf(plan as Plan, row, rule);
  const here = await Promise.all(parts.map(async (part) => (part.done ? 0 : (await arrived(part.href)).size)));
  const left = parts.map((part, i) => ({ ...part, bytes: Math.max(0, part.bytes - (here[i] as number)) }));
  const to = begun ? begun.number : (plan as Plan).number;
  return { number: to, bytes: total(left), space: spaceOf(left), update: !!row?.installed && row.installed.number !== to, ...(plan?.changed && { changed: plan.changed }) };
}

/** Whether there is a newer version, and what it would cost. Undefined where the installed one is the newest. */
export async function checkUpdate(carrier: Carrier, course: string, signal?: AbortSignal): Promise<Cost | undefined> {
  const row = await disk.find<Shelved>('bundles', course);
  if (!row?.installed) return undefined;
  const newest = await carrier.plan(course, row.rule, { from: row.installed.number }, signal);
  await heardTime(carrier.time());
  if (newest.number <= row.installed.number) return undefined;
  return cost(carrier, course, row.rule, { number: newest.number, signal });
}

function underWay(row: Shelved | undefined, rule: Rule, number: number | undefined): Shelved['downloads'] {
  const downloads = row?.downloads;
  if (!downloads || !same(downloads.rule, rule)) return undefined;
  const wanted = number ?? row.installed?.number;
  return wanted === undefined || wanted === downloads.number ? downloads : undefined;
}

/**
 * Installs a course by a rule, or what is missing of it; goes on where an earlier call stopped. The version stays the one that is installed
 * unless another was agreed to. Throws BundleError: no_network, captive_portal and no_space keep all that arrived. Rejects with AbortError
 * when it is told to stop, which keeps it too.
 */
export async function install(carrier: Carrier, course: string, rule: Rule, options: DownloadOptions = {}): Promise<Version> {
  try {
    return await arriving(course, options.signal, () => new Download(carrier, course, rule, options).run());
  } finally {
    tell(course, null);
  }
}

/** Takes the newer version that was agreed to, by the rule that is kept. */
export async function update(carrier: Carrier, course: string, number: number, options: Watch = {}): Promise<Version> {
  const row = await disk.find<Shelved>('bundles', course);
  if (!row) throw new BundleError('not_found');
  return install(carrier, course, row.rule, { ...options, number });
}

/** Fetches again what an installed course has lost. */
export async function repair(carrier: Carrier, course: string, options: Watch = {}): Promise<Version> {
  const row = await disk.find<Shelved>('bundles', course);
  if (!row?.installed) throw new BundleError('not_found');
  const { rule, number, root } = row.installed;
  await change(course, (now) => now?.installed && { ...now, installed: { ...now.installed, complete: false } });
  try {
    const mended = await arriving(course, options.signal, async () => {
      const { documents } = await known(row.publisher, course);
      // It was checked when it came in.
      const head = await believed(root, documents);
      const arrival = await Arrival.begin(head, rule, choose(head.root, rule));
      if ((await arrival.missing(rule)).length > singles) return undefined;
      await new Download(carrier, course, rule, options).fill(arrival);
      return (await arrival.missing(rule)).length ? undefined : arrival.finish(rule);
    });
    return mended ?? (await install(carrier, course, rule, { ...options, number }));
  } finally {
    tell(course, null);
  }
}

class Download {
  private readonly arrived = new Map<string, number>();
  private parts: Part[] = [];

  constructor(
    private readonly carrier: Carrier,
    private readonly course: string,
    private readonly rule: Rule,
    private readonly options: DownloadOptions,
  ) {}

  async run(): Promise<Version> {
    const row = await disk.find<Shelved>('bundles', this.course);
    // Another tab was quicker.
    if (row?.installed?.complete && same(row.installed.rule, this.rule) && (this.options.number ?? row.installed.number) === row.installed.number) return row.installed;
    try {
      return await this.attempt(row, false);
    } catch (cause) {
      // Before there is a plan, the answer is an answer.
      if (!this.parts.length || !(cause instanceof BundleError) || ['bundle.not_found', 'bundle.truncated', 'bundle.mixed'].indexOf(cause.key) < 0) throw cause;
      // The packs that were planned are gone or lack what this device has lost: plan anew, and count on nothing.
      await this.forget();
      return this.attempt(await disk.find<Shelved>('bundles', this.course), true);
    }
  }

  private async attempt(row: Shelved | undefined, whole: boolean): Promise<Version> {
    const { carrier, course, rule } = this;
    const { signal, number } = this.options;
    let downloads = whole ? undefined : underWay(row, rule, number);
    if (!downloads) {
      const plan = await asked(carrier, course, row, rule, number, whole, signal);
      downloads = { number: plan.number, root: plan.root_digest, rule, parts: whole ? partsOf(plan, undefined, rule) : partsOf(plan, row, rule) };
      const begun = downloads;
      await this.forget(begun.parts);
      await change(course, (now) => ({ ...(now ?? { course, publisher: '', rule }), downloads: begun }));
    }
    this.parts = downloads.parts;
    for (const { href, bytes, done } of this.parts) this.arrived.set(href, done ? bytes : (await arrived(href)).size);
    await this.room();
    this.report('fetching');

    const [first, ...others] = this.parts as [Part, ...Part[]];
    // The head is small, and names what all else is checked against: it comes first and is never skipped.
    await this.fetch(first);
    const carried = frames(partialStream(first.href));
    const { head } = await readHead(carried, async (publisher, name) => {
      let found = await known(publisher, name);
      if (!found.documents.length) {
        await trustPublishers(await carrier.publishers(signal));
        found = await known(publisher, name);
      }
      return { ...found, course };
    }).finally(() => carried.return());
    if (head.digest !== downloads.root) throw new BundleError('mixed');
    const arrival = await Arrival.begin(head, rule, choose(head.root, rule));
    await this.bring(others, arrival);
    await this.fill(arrival);
    this.report('checking');
    const version = await arrival.finish(rule);
    await clearPartials(this.parts.map(({ href }) => href));
    this.options.onProgress?.({ phase: 'done', bytes: this.total(), of: this.total() });
    return version;
  }

  /** Fetches packs side by side and takes them in one by one, in their order: what comes later is named by what comes before. */
  private async bring(parts: readonly Part[], arrival: Arrival): Promise<void> {
    const open = parts.filter(({ done }) => !done);
    const stop = new AbortController();
    const signal = this.options.signal;
    const onAbort = () => stop.abort();
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) stop.abort();
    const lanes = Math.max(1, Math.min(3, this.carrier.lanes()));
    const fetched: Promise<void>[] = [];
    open.forEach((part, i) => {
      const before = i < lanes ? Promise.resolve() : (fetched[i - lanes] as Promise<void>);
      const fetching = before.then(() => this.fetch(part, stop.signal));
      fetching.catch(() => undefined);
      fetched.push(fetching);
    });
    try {
      for (let i = 0; i < open.length; i++) {
        await fetched[i];
        await this.unpack(open[i] as Part, arrival);
      }
    } catch (cause) {
      stop.abort();
      // What is still being written must be on the disk before others begin.
      await Promise.all(fetched.map((one) => one.catch(() => undefined)));
      throw cause;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  private async unpack(part: Part, arrival: Arrival): Promise<void> {
    for (let again = false; ; again = true) {
      try {
        await arrival.take(frames(partialStream(part.href)), undefined, this.options.signal);
        break;
      } catch (cause) {
        const wrong = cause instanceof BundleError && ['bundle.damaged', 'bundle.truncated', 'bundle.not_a_bundle'].indexOf(cause.key) >= 0;
        if (!wrong) throw cause;
        // These bytes are of no use. Once more from the beginning, and no more than once: the next time it is not the line.
        await clearPartials([part.href]);
        this.arrived.set(part.href, 0);
        // It came to its full length: so it was not cut, it was made wrong.
        if (again) throw new BundleError('damaged');
        await this.fetch(part, this.options.signal);
      }
    }
    part.done = true;
    await transact(['bundles', 'partials'], 'readwrite', async (store) => {
      const row = await result(store('bundles').get(this.course) as IDBRequest<Shelved | undefined>);
      if (row?.downloads) store('bundles').put({ ...row, downloads: { ...row.downloads, parts: row.downloads.parts.map((one) => (one.href === part.href ? { ...one, done: true } : one)) } });
      store('partials').delete(range(part.href));
    }).catch((cause: unknown) => {
      throw spaceFault(cause);
    });
  }

  /** Fetches one by one what no pack brought: as after the browser threw some away. */
  async fill(arrival: Arrival): Promise<void> {
    const tried = new Set<string>();
    for (;;) {
      const missing = (await arrival.missing(this.rule)).filter(({ digest }) => !tried.has(digest));
      if (!missing.length) return;
      for (const { digest } of missing) {
        if (this.options.signal?.aborted) throw stopped();
        tried.add(digest);
        const bytes = await this.patiently(() => this.carrier.blob(digest, this.options.signal));
        if (bytes) await arrival.single(bytes);
      }
      await arrival.flush();
    }
  }

  private async patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (cause) {
        await this.pause(cause, tries, this.options.signal);
      }
    }
  }

  /** Waits before another try, or throws where there is no use in one. */
  private async pause(cause: unknown, tries: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw stopped();
    if (!(cause instanceof Interrupted)) throw cause;
    if (tries >= patience || !this.carrier.online()) throw new BundleError('no_network');
    // A line that broke off after it brought something is tried again soon.
    await this.carrier.wait(Math.min(30, cause.after ?? (tries ? 2 ** (tries - 1) : 0.2)) * 1000, signal);
  }

  /** Fetches a pack into `partials`, from where it stopped to its last byte. */
  private async fetch(part: Part, signal = this.options.signal): Promise<void> {
    let tries = 0;
    let spoilt = 0;
    // A browser may throw away what it had of an answer that broke off. On a line where that leaves nothing, little is asked for at a
    // time, so that an answer is whole before the line breaks again.
    let most: number | undefined;
    for (;;) {
      const before = await arrived(part.href);
      if (before.total !== undefined && before.size === before.total) return this.came(part, before.size);
      try {
        if (signal?.aborted) throw stopped();
        await this.stretch(part, before, most, signal);
        const now = await arrived(part.href);
        if (now.size === now.total) continue;
        if (most !== undefined && now.size >= before.size + most) {
          tries = 0;
          continue;
        }
        // It ended early: a short read is no end.
        throw new Interrupted();
      } catch (cause) {
        const now = await arrived(part.href);
        tries = now.size > before.size ? 0 : tries + 1;
        // What was here was of no use. That may happen when the server packs anew; again and again it is no pack.
        if (now.size < before.size && ++spoilt >= patience) throw new BundleError('no_network');
        if (tries) most = Math.max(least, most === undefined ? careful : most >> 2);
        await this.pause(cause, tries, signal);
      }
    }
  }

  private async stretch(part: Part, before: Arrived, most: number | undefined, signal?: AbortSignal): Promise<void> {
    const from = { ...(before.size && before.etag !== undefined ? { start: before.size, etag: before.etag } : { start: 0 }), ...(most !== undefined && { most }) };
    const { start, total, etag: said, body } = await this.carrier.pack(part.href, from, signal);
    const etag = said ?? (start ? before.etag : undefined);
    const reader = body.getReader();
    let skip = 0;
    try {
      if (start !== from.start || (from.start && etag !== undefined && etag !== before.etag)) {
        if (start !== 0) throw new Interrupted();
        if (etag !== undefined && etag === before.etag) {
          // All of it again, from one who knows no ranges: what is here need not be written again.
          skip = before.size;
        } else await clearPartials([part.href]);
      } else if (!from.start && before.size) await clearPartials([part.href]);
      let offset = start + skip;
      let held: Uint8Array[] = [];
      let size = 0;
      const all = total ?? (part.bytes || undefined);
      const put = async () => {
        if (!size) return;
        const bytes = new Uint8Array(size);
        let at = 0;
        for (const one of held) {
          bytes.set(one, at);
          at += one.length;
        }
        // More than was said: whatever this is, it is not the pack.
        if (all !== undefined && offset + size > all) {
          await clearPartials([part.href]);
          throw new Interrupted();
        }
        await disk.put('partials', { href: part.href, offset, bytes: bytes.buffer, ...(etag !== undefined && { etag }), ...(all !== undefined && { total: all }) }).catch((cause: unknown) => {
          throw spaceFault(cause);
        });
        offset += size;
        held = [];
        size = 0;
        this.came(part, offset);
      };
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          const use = skip >= value.length ? undefined : value.subarray(skip);
          skip -= Math.min(skip, value.length);
          if (!use) continue;
          held.push(use);
          size += use.length;
          if (size >= step) await put();
        }
      } catch (cause) {
        // Not one byte that came is lost; but a full disk stays full.
        if (!(cause instanceof BundleError)) await put();
        throw cause;
      }
      await put();
      if (all === undefined) await endAt(part.href, offset);
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  private came(part: Part, size: number): void {
    this.arrived.set(part.href, size);
    this.report('fetching');
  }

  private total(): number {
    return this.parts.reduce((sum, { href, bytes }) => sum + Math.max(bytes, this.arrived.get(href) ?? 0), 0);
  }

  private report(phase: 'fetching' | 'checking'): void {
    let bytes = 0;
    this.arrived.forEach((size) => (bytes += size));
    const progress = { phase, bytes, of: this.total() };
    this.options.onProgress?.(progress);
    tell(this.course, progress);
  }

  private async room(): Promise<void> {
    const needed = spaceOf(this.parts.map((part) => ({ ...part, bytes: Math.max(0, part.bytes - (this.arrived.get(part.href) ?? 0)) })));
    const estimate = await (navigator as { storage?: StorageManager }).storage?.estimate?.().catch(() => undefined);
    if (estimate?.quota === undefined) return;
    const free = estimate.quota - (estimate.usage ?? 0);
    if (free < needed) throw new BundleError('no_space', { Needed: needed, Free: Math.max(0, free) });
  }

  /** Gives up what was planned before; what the next plan has too stays. */
  private async forget(next: readonly Part[] = []): Promise<void> {
    const row = await disk.find<Shelved>('bundles', this.course);
    if (!row?.downloads) return;
    const kept = new Set(next.map(({ href }) => href));
    await clearPartials(row.downloads.parts.map(({ href }) => href).filter((href) => !kept.has(href)));
    await change(this.course, (now) => {
      if (!now) return undefined;
      const rest = { ...now };
      delete rest.downloads;
      return rest;
    });
  }
}
