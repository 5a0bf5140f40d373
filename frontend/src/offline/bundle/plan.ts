// What lies between two versions of a course, for one who follows a rule. The server compares alike (internal/bundle/choice/diff.go).
import type { Digest, Layer, Weights } from './documents';
import type { Rule } from './library';
import { choose, resolve, type EditionNode, type Tree, type Want } from './read';

/** An item that moved and changed has changed. */
export type Change = 'new' | 'changed' | 'moved' | 'removed';
export interface ItemChange {
  locale: string;
  /** Where it stands now; of a removed one, where it stood. */
  module: string;
  item: string;
  change: Change;
}
export interface Difference {
  /** By locale, in the order of the new version; removed ones last. */
  items: ItemChange[];
  /** Languages in which something changed beside the items: titles, order, criteria. */
  details: string[];
  /** Of blobs and documents that who followed the rule in the old version has not. */
  bytes: Weights;
  blobs: number;
}

/** Tells what a new version changes. A language that the old version lacks is all new. */
export function compare(old: Tree, now: Tree, rule: Rule): Difference {
  const difference: Difference = { items: [], details: [], bytes: { text: 0, image: 0, audio: 0 }, blobs: 0 };
  const had = choose(old.root, rule);
  const have = new Set(named(old).filter(({ want }) => had(want)).map(({ digest }) => digest));
  const wants = choose(now.root, rule);
  const inRule = (locale: string, module: string) => wants({ rank: 'module', size: 0, course: '', locale, module, item: '', kind: '', layer: 'text' });
  for (const locale of resolve(now.root, rule.locales)) {
    const edition = now.editions.get(locale);
    if (!edition) continue;
    const was = old.editions.get(locale);
    const before = new Map<string, { module: string; digest: Digest }>();
    for (const { ref, items } of was?.modules ?? []) {
      if (inRule(locale, ref.id)) for (const item of items) before.set(item.ref.id, { module: ref.id, digest: item.ref.digest });
    }
    for (const { ref, items } of edition.modules) {
      if (!inRule(locale, ref.id)) continue;
      for (const item of items) {
        const stood = before.get(item.ref.id);
        before.delete(item.ref.id);
        const change = !stood ? 'new' : stood.digest !== item.ref.digest ? 'changed' : stood.module !== ref.id ? 'moved' : undefined;
        if (change) difference.items.push({ locale, module: ref.id, item: item.ref.id, change });
      }
    }
    for (const item of Array.from(before.keys()).sort()) {
      difference.items.push({ locale, module: (before.get(item) as { module: string }).module, item, change: 'removed' });
    }
    if (was && details(was, edition) !== details(edition, was)) difference.details.push(locale);
    for (const { digest, size, want } of named(now, locale)) {
      if (have.has(digest) || !wants(want)) continue;
      have.add(digest);
      difference.bytes[want.layer] += size;
      difference.blobs++;
    }
  }
  return difference;
}

// What stands around the items: the course's own words, titles, and the order of what both have in the same place.
function details({ doc, modules }: EditionNode, other: EditionNode): string {
  const both = new Set<string>();
  for (const { ref, items } of other.modules) for (const item of items) both.add(`${ref.id}/${item.ref.id}`);
  return JSON.stringify([
    { ...doc, modules: [] },
    modules.map(({ ref, items }) => [
      [ref.id, ref.title, ref.title_lang],
      items.filter((item) => both.has(`${ref.id}/${item.ref.id}`)).map(({ ref: { id, kind, graded, title, title_lang } }) => [id, kind, !!graded, title, title_lang]),
    ]),
  ]);
}

// Every digest in a tree, or below one of its editions.
function named({ root, editions }: Tree, only?: string): { digest: Digest; size: number; want: Want }[] {
  const out: { digest: Digest; size: number; want: Want }[] = [];
  editions.forEach((edition, locale) => {
    if (only !== undefined && only !== locale) return;
    const add = ({ digest, size }: { digest: Digest; size: number }, rank: Want['rank'], module = '', item = '', layer: Layer = 'text') =>
      out.push({ digest, size, want: { rank, size, course: root.course, locale, module, item, kind: '', layer } });
    add(edition.ref, 'edition');
    for (const module of edition.modules) {
      add(module.ref, 'module', module.ref.id);
      for (const item of module.items) {
        add(item.ref, 'item', module.ref.id, item.ref.id);
        for (const piece of item.doc?.blobs ?? []) add(piece, 'blob', module.ref.id, item.ref.id, piece.layer);
      }
    }
  });
  return out;
}
