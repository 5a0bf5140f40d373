// What fits into so many bytes. The server chooses alike (internal/bundle/choice/fit.go); both are held to the same vectors.
import { layers, type Layer, type Weights } from './documents';
import type { Rule } from './library';
import { resolve, type Choice, type Tree } from './read';

/** An item that fits, with all layers up to `layer`. */
export interface Fitting {
  locale: string;
  module: string;
  item: string;
  layer: Layer;
}
export interface Fit {
  /** What it takes, with the documents. */
  bytes: number;
  /** All that the rule wants. */
  whole: boolean;
  /** By locale in the rule's order, then in course order. */
  items: Fitting[];
}

/**
 * Chooses what fits into so many bytes on a device. An item counts with what it needs or not at all: first the text of every item in
 * course order, one language after the other; only when all text fits, pictures, item by item; then recordings, of items whose pictures
 * are in. A text that does not fit ends the choice, for a course with a hole in the middle teaches nobody. A picture or a recording that
 * does not fit is passed over. Counts raw bytes as the documents state them, and a blob that two items share twice: a promise that holds.
 */
export function fit({ root, size, editions }: Tree, rule: Rule, budget: number): Fit {
  const locales = resolve(root, rule.locales);
  let left = budget - size;
  for (const locale of locales) left -= editions.get(locale)?.ref.size ?? 0;
  if (left < 0) return { bytes: 0, whole: false, items: [] };
  const taken: { fitting: Fitting; bytes: Weights }[] = [];
  let whole = true;
  const text = (): boolean => {
    for (const locale of locales) {
      const edition = editions.get(locale);
      if (!edition) {
        whole = false;
        continue;
      }
      for (const { ref, items } of edition.modules) {
        if (rule.modules?.length && rule.modules.indexOf(ref.id) < 0) continue;
        let cost = ref.size;
        for (const item of items) {
          cost += item.ref.size + item.ref.bytes.text;
          if (cost > left) return false;
          left -= cost;
          cost = 0;
          taken.push({ fitting: { locale, module: ref.id, item: item.ref.id, layer: 'text' }, bytes: item.ref.bytes });
        }
      }
    }
    return true;
  };
  if (text()) {
    const wanted = layers[rule.tier];
    wanted.forEach((layer, i) => {
      if (!i) return;
      for (const { fitting, bytes } of taken) {
        if (fitting.layer !== wanted[i - 1] || bytes[layer] > left) {
          whole = false;
          continue;
        }
        left -= bytes[layer];
        fitting.layer = layer;
      }
    });
  } else whole = false;
  return { bytes: budget - left, whole, items: taken.map(({ fitting }) => fitting) };
}

/** The choice that a fit is: its items at their layers, and the documents on the way to them. */
export function fitted({ items }: Fit): Choice {
  const most = new Map<string, number>();
  const places = new Set<string>();
  for (const { locale, module, item, layer } of items) {
    most.set(`${locale}/${module}/${item}`, layers.all.indexOf(layer));
    places.add(locale);
    places.add(`${locale}/${module}`);
  }
  return ({ rank, locale, module, item, layer }) =>
    rank === 'list' || (item ? layers.all.indexOf(layer) <= (most.get(`${locale}/${module}/${item}`) ?? -1) : places.has(module ? `${locale}/${module}` : locale));
}
