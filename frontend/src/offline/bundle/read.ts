// Walks a bundle from its signed root down to its blobs: what is named, what is here, what is wanted. It takes nothing that no verified
// document above has named, and keeps no bytes.
import { layers, parseBytes, type Digest, type Documents, type Edition, type Item, type Kind, type Layer, type Module, type Named, type Root, type Trust } from './documents';
import { BundleError } from './fault';
import { spoken, type Rule } from './library';

/** How many names one root may have below it. */
const nameLimit = 1 << 17;

type Rank = 'edition' | 'module' | 'item' | 'blob' | 'list';

/** What a document above says of a digest. */
export interface Want {
  rank: Rank;
  size: number;
  course: string;
  locale: string;
  module: string;
  item: string;
  kind: Kind | '';
  layer: Layer;
}
export interface Child extends Want {
  digest: Digest;
}
export type Choice = (want: Want) => boolean;
/** Gives stored bytes, in the order of the digests. */
export type Open = (digests: readonly Digest[]) => Promise<readonly (BufferSource | undefined)[]>;

export const isManifest = ({ rank }: Want) => rank === 'edition' || rank === 'module' || rank === 'item';

/** The editions that stand for the languages that somebody reads, each once. */
export function resolve(root: Root, locales: readonly string[]): string[] {
  return Array.from(new Set(locales.map((locale) => spoken(root, locale))));
}

/** The choice that a rule is for one root. What a budget leaves out is not asked here. */
export function choose(root: Root, { locales, tier, modules, items }: Rule): Choice {
  const spoken = resolve(root, locales);
  return ({ rank, locale, layer, module, item }) =>
    rank === 'list' ||
    (spoken.indexOf(locale) >= 0 && layers[tier].indexOf(layer) >= 0 && (!module || !modules?.length || modules.indexOf(module) >= 0) && (!item || !items || items.indexOf(item) >= 0));
}

export function top(root: Root): Child[] {
  const course = root.course;
  return Object.keys(root.editions)
    .sort()
    .map((locale) => {
      const { digest, size } = root.editions[locale] as Root['editions'][string];
      return { digest, rank: 'edition', size, course, locale, module: '', item: '', kind: '', layer: 'text' };
    });
}

export function lists({ issuers, recognitions = [] }: Trust): Child[] {
  return issuers
    .reduce<Named[]>((all, issuer) => all.concat(issuer.lists ?? []), [])
    .concat(recognitions)
    .map(({ digest, size }) => ({ digest, rank: 'list', size, course: '', locale: '', module: '', item: '', kind: '', layer: 'text' }));
}

/** Reads a manifest and holds it against what was said of it. Gives what it names in turn. */
export function below(want: Want, bytes: BufferSource): Child[] {
  const { course, locale } = want;
  if (want.rank === 'edition') {
    const doc = parseBytes('edition', bytes);
    if (doc.course !== course || doc.locale !== locale) throw new BundleError('mixed');
    return doc.modules.map(({ id, digest, size }) => ({ digest, rank: 'module', size, course, locale, module: id, item: '', kind: '', layer: 'text' }));
  }
  if (want.rank === 'module') {
    const doc = parseBytes('module', bytes);
    if (doc.id !== want.module) throw new BundleError('mixed');
    return doc.items.map(({ id, kind, digest, size }) => ({ digest, rank: 'item', size, course, locale, module: doc.id, item: id, kind, layer: 'text' }));
  }
  const doc = parseBytes('item', bytes);
  if (doc.id !== want.item || doc.kind !== want.kind) throw new BundleError('mixed');
  return doc.blobs.map(({ digest, size, layer }) => ({ digest, rank: 'blob', size, course, locale, module: want.module, item: doc.id, kind: doc.kind, layer }));
}

/** Whether bytes that are right for one name are right for the other. */
function alike(a: Want, b: Want): boolean {
  if (a.rank !== b.rank || a.size !== b.size) return false;
  if (a.rank === 'edition') return a.course === b.course && a.locale === b.locale;
  if (a.rank === 'module') return a.module === b.module;
  if (a.rank === 'item') return a.item === b.item && a.kind === b.kind;
  return true;
}

interface Place {
  wants: Want[];
  below: Child[];
  here: boolean;
}

/** How far an intake has come. */
export interface Counted {
  /** Taken from this carrier. */
  blobs: number;
  bytes: number;
  /** That nobody above names. */
  ignored: number;
  /** Named, and not wanted. */
  skipped: number;
}

/** Lets blobs through that a verified root names. An import goes on where another one stopped: what is here already counts. */
export class Intake {
  readonly counted: Counted = { blobs: 0, bytes: 0, ignored: 0, skipped: 0 };
  private readonly places = new Map<Digest, Place>();
  private named = 0;

  private constructor(
    private readonly has: ReadonlySet<Digest>,
    private readonly open: Open,
    private readonly chosen: Choice,
  ) {}

  /** Walks down from a root through all that is here already. */
  static async begin(root: Root, trust: Trust | undefined, stored: { has: ReadonlySet<Digest>; open: Open }, chosen: Choice = () => true): Promise<Intake> {
    const intake = new Intake(stored.has, stored.open, chosen);
    await intake.name(top(root));
    if (trust) await intake.name(lists(trust));
    return intake;
  }

  /** Takes note of what a document names, level by level. */
  private async name(level: Child[]): Promise<void> {
    while (level.length) {
      const next: Child[] = [];
      const stored = new Map<Digest, Place>();
      for (const want of level) {
        const { digest } = want;
        if (++this.named > nameLimit) throw new BundleError('damaged');
        const place = this.places.get(digest);
        if (!place) {
          const fresh: Place = { wants: [want], below: [], here: false };
          this.places.set(digest, fresh);
          if (!this.has.has(digest)) continue;
          if (isManifest(want)) stored.set(digest, fresh);
          else fresh.here = true;
          continue;
        }
        if (!alike(place.wants[0] as Want, want)) throw new BundleError('mixed');
        place.wants.push(want);
        // The same bytes in another language or module name the same things there.
        if (place.here) next.push(...under(place, want));
      }
      if (stored.size) {
        const digests = Array.from(stored.keys());
        const found = await this.open(digests);
        digests.forEach((digest, i) => {
          const place = stored.get(digest) as Place;
          const bytes = found[i];
          try {
            if (bytes) next.push(...this.enter(place, bytes));
          } catch {
            // It was right when it came: it rotted, and a carrier may bring it again.
          }
        });
      }
      level = next;
    }
  }

  private enter(place: Place, bytes: BufferSource): Child[] {
    const want = place.wants[0] as Want;
    if (bytes.byteLength !== want.size) throw new BundleError('damaged');
    if (isManifest(want)) place.below = below(want, bytes);
    place.here = true;
    const next: Child[] = [];
    for (const other of place.wants) next.push(...under(place, other));
    return next;
  }

  /** Checks a blob by its name. True: keep it. Throws BundleError where it is not what was said of it. */
  async take(digest: Digest, bytes: BufferSource): Promise<boolean> {
    const place = this.places.get(digest);
    if (!place) {
      if (!this.has.has(digest)) this.counted.ignored++;
      return false;
    }
    if (place.here) return false;
    if (!isManifest(place.wants[0] as Want) && !place.wants.some(this.chosen)) {
      this.counted.skipped++;
      return false;
    }
    const next = this.enter(place, bytes);
    this.counted.blobs++;
    this.counted.bytes += bytes.byteLength;
    await this.name(next);
    return true;
  }

  /** What a choice wants and is not here. Where a document is missing, what it names is not known. */
  missing(choice: Choice = this.chosen): { digest: Digest; want: Want }[] {
    return this.all(choice).filter(({ here }) => !here);
  }

  /** All that a choice wants, as far as it is known. */
  all(choice: Choice = this.chosen): { digest: Digest; want: Want; here: boolean }[] {
    const out: { digest: Digest; want: Want; here: boolean }[] = [];
    this.places.forEach(({ wants, here }, digest) => {
      const want = wants.find(choice);
      if (want) out.push({ digest, want, here });
    });
    return out;
  }

  /**
   * The largest rule that a carrier serves, by what is here: the languages whose editions came, the modules of which something came where
   * not all did, and the highest tier that begins in it. Where something came that nobody names, the carrier must be whole: else what was
   * swapped would look like what was left out on purpose.
   */
  offers(): Rule {
    const locales: string[] = [];
    let tier: Rule['tier'] = 'text';
    const modules = new Set<string>();
    const all = new Set<string>();
    this.places.forEach(({ wants, below, here }) => {
      const { rank, locale } = wants[0] as Want;
      if (rank === 'edition' && (here || this.counted.ignored)) locales.push(locale);
      if (!here) return;
      if (rank === 'edition') {
        for (const { module, digest } of below) {
          all.add(module);
          if (this.places.get(digest)?.here) modules.add(module);
        }
      } else if (rank === 'blob') {
        for (const { layer } of wants) if (layer === 'audio' || (layer === 'image' && tier === 'text')) tier = layer === 'audio' ? 'all' : 'images';
      }
    });
    if (this.counted.ignored) return { locales: locales.sort(), tier: 'all' };
    const rule: Rule = { locales: locales.sort(), tier };
    if (modules.size && modules.size < all.size) rule.modules = Array.from(modules).sort();
    return rule;
  }
}

// What is named below, in the place of another parent.
function under({ wants, below }: Place, { rank, locale, module }: Want): Child[] {
  // Mostly there is one parent, and what it names is kept once.
  const [first] = wants as [Want];
  if (first.locale === locale && first.module === module) return below;
  return below.map((child) => ({ ...child, locale, module: rank === 'edition' ? child.module : module }));
}

/** A root with the documents below it, as far as they are here. */
export interface Tree {
  root: Root;
  /** Bytes of the signed root. */
  size: number;
  editions: Map<string, EditionNode>;
}
export interface EditionNode {
  ref: Root['editions'][string];
  doc: Edition;
  modules: ModuleNode[];
}
export interface ModuleNode {
  ref: Edition['modules'][number];
  doc?: Module;
  items: { ref: Module['items'][number]; doc?: Item }[];
}

/** Reads the documents of some languages. What is not here is left out. */
export async function load(root: Root, size: number, locales: readonly string[], open: Open): Promise<Tree> {
  const tree: Tree = { root, size, editions: new Map() };
  const read = async <T extends 'edition' | 'module' | 'item'>(type: T, refs: { digest: Digest }[]): Promise<(Documents[T] | undefined)[]> =>
    (await open(refs.map(({ digest }) => digest))).map((bytes) => bytes && parseBytes(type, bytes));
  const names = resolve(root, locales);
  const refs = names.map((locale) => root.editions[locale] as Root['editions'][string]);
  (await read('edition', refs)).forEach((doc, i) => {
    if (doc) tree.editions.set(names[i] as string, { ref: refs[i] as Root['editions'][string], doc, modules: doc.modules.map((ref) => ({ ref, items: [] })) });
  });
  const modules = Array.from(tree.editions.values()).reduce<ModuleNode[]>((all, edition) => all.concat(edition.modules), []);
  (await read('module', modules.map(({ ref }) => ref))).forEach((doc, i) => {
    const node = modules[i] as ModuleNode;
    if (doc) Object.assign(node, { doc, items: doc.items.map((ref) => ({ ref })) });
  });
  const items = modules.reduce<ModuleNode['items']>((all, module) => all.concat(module.items), []);
  (await read('item', items.map(({ ref }) => ref))).forEach((doc, i) => {
    if (doc) (items[i] as ModuleNode['items'][number]).doc = doc;
  });
  return tree;
}
