// What is installed on this device, for those who read: pages and the service worker. All that stands in the database was checked when
// it came in, so nothing is checked here, and this file stays small.
import { disk, result, transact } from '../db';
import type { Digest, Edition, Entry, Item, Module, Named, Root, Tier } from './documents';

/** What a learner wants of a course. It survives updates: a new module is wanted where none are named. */
export interface Rule {
  locales: string[];
  tier: Tier;
  modules?: string[];
  /** Only these items, as where a carrier had no more. */
  items?: string[];
  /** At most so many bytes: what fits, in course order (fit.ts). */
  budget?: number;
}

/** A version of a course on this device. */
export interface Version {
  /** The signed document; its first line is the JSON. */
  root: string;
  digest: Digest;
  number: number;
  signed_at: string;
  /** What of it was asked for. */
  rule: Rule;
  /** Whether all that was asked for is here. Pages may find less: a browser short of space throws things away. */
  complete: boolean;
}

/** A pack of a download under way. */
export interface Part {
  href: string;
  bytes: number;
  layer: string;
  locale: string;
  done?: boolean;
}

/** The row of a course in the store `bundles`. */
export interface Shelved {
  course: string;
  publisher: string;
  rule: Rule;
  installed?: Version;
  /** What was installed before; one can go back to it. */
  previous?: Version;
  /** What is coming in. Nothing of it is shown before it is whole. */
  candidate?: Version;
  downloads?: { number: number; root: Digest; rule: Rule; parts: Part[] };
}

export interface Installed extends Shelved {
  installed: Version;
  document: Root;
}

/** The root of a version as it was signed. */
export function rootOf({ root }: Version): Root {
  return JSON.parse(root.slice(0, root.indexOf('\n'))) as Root;
}

/** All courses of which anything is on this device, also those that are still coming. */
export function list(): Promise<Shelved[]> {
  return disk.list<Shelved>('bundles');
}

/** A course that can be opened without a network. */
export async function installed(course: string): Promise<Installed | undefined> {
  const found = await disk.find<Shelved>('bundles', course);
  return found?.installed && { ...found, installed: found.installed, document: rootOf(found.installed) };
}

/** The bytes of a blob, where they are here. */
export async function blob(digest: Digest): Promise<ArrayBuffer | undefined> {
  return (await disk.find<{ bytes: ArrayBuffer }>('blobs', digest))?.bytes;
}

type Documents = { edition: Edition; module: Module; item: Item };

async function document<T extends keyof Documents>(named: Named): Promise<Documents[T] | undefined> {
  const bytes = await blob(named.digest);
  return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as Documents[T]);
}

/** The locale in which a course is read by one who wants `locale`: its source's, where it does not speak it. */
export function spoken({ editions, source_locale }: Root, locale: string): string {
  return editions[locale] ? locale : source_locale;
}

/** The edition of an installed course for a reader of `locale`. Undefined where the course or this edition is not here. */
export async function edition(course: string, locale: string): Promise<Edition | undefined> {
  const found = await installed(course);
  const named = found?.document.editions[spoken(found.document, locale)];
  return named && document<'edition'>(named);
}

/** The modules of an edition, in course order; undefined in the place of one that is not here. */
export function modules({ modules }: Edition): Promise<(Module | undefined)[]> {
  return transact(['blobs'], 'readonly', (store) =>
    Promise.all(
      modules.map(async ({ digest }) => {
        const found = (await result(store('blobs').get(digest) as IDBRequest<{ bytes: ArrayBuffer } | undefined>))?.bytes;
        return found && (JSON.parse(new TextDecoder().decode(found)) as Module);
      }),
    ),
  );
}

export interface Opened {
  edition: Edition;
  module: string;
  entry: Entry;
  item: Item;
}

/** An item of an installed course by its content id. Undefined where anything on the way to it is not here. */
export async function item(course: string, locale: string, id: string): Promise<Opened | undefined> {
  const found = await edition(course, locale);
  if (!found) return undefined;
  for (const module of await modules(found)) {
    const entry = module?.items.find((one) => one.id === id);
    if (!module || !entry) continue;
    const item = await document<'item'>(entry);
    return item && { edition: found, module: module.id, entry, item };
  }
  return undefined;
}
