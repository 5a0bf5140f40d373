// Values of the first room, as harness.py writes them: an array that begins with its kind. What comes here may have been
// written by the learner's code, so anything else is refused.

export type Value =
  | { kind: 'n' | 'o' | 'x' }
  | { kind: 'b'; truth: boolean }
  | { kind: 'i'; whole: bigint }
  | { kind: 'f'; float: number }
  | { kind: 's' | 'y'; text: string }
  | { kind: 'l' | 'e' | 'd'; items: Value[] };

/** Not a value of the harness. */
export class NoValue extends Error {}

const deepest = 100;

export function parseValue(raw: unknown, depth = 0): Value {
  if (!Array.isArray(raw) || depth > deepest) throw new NoValue();
  const [kind, ...rest] = raw as unknown[];
  switch (kind) {
    case 'n':
    case 'o':
    case 'x':
      if (rest.length) throw new NoValue();
      return { kind };
    case 'l':
    case 'e':
    case 'd':
      if (kind === 'd' && rest.length % 2) throw new NoValue();
      return { kind, items: rest.map((item) => parseValue(item, depth + 1)) };
    case 'b':
      if (rest.length !== 1 || typeof rest[0] !== 'boolean') throw new NoValue();
      return { kind, truth: rest[0] };
  }
  const [text] = rest;
  if (rest.length !== 1 || typeof text !== 'string') throw new NoValue();
  switch (kind) {
    case 's':
    case 'y':
      return { kind, text };
    case 'i': {
      const hex = /^([+-]?)([0-9a-fA-F]+)$/.exec(text);
      if (!hex) throw new NoValue();
      const whole = BigInt(`0x${hex[2] as string}`);
      return { kind, whole: hex[1] === '-' ? -whole : whole };
    }
    case 'f': {
      const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
      if (special) return { kind, float: /nan/i.test(text) ? NaN : special[1] === '-' ? -Infinity : Infinity };
      if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw new NoValue();
      return { kind, float: Number(text) };
    }
  }
  throw new NoValue();
}

/** An int or a finite float. */
export function numberOf(value: Value): number | undefined {
  const n = value.kind === 'i' ? Number(value.whole) : value.kind === 'f' ? value.float : NaN;
  return Number.isFinite(n) ? n : undefined;
}

/**
 * Compares as JSON does: 1 is 1.0 but not true, a tuple is a list, a set is not, and nothing equals an object of another
 * type or not-a-number.
 */
export function equal(want: unknown, got: Value): boolean {
  if (want === null || want === undefined) return got.kind === 'n';
  if (typeof want === 'boolean') return got.kind === 'b' && got.truth === want;
  if (typeof want === 'string') return got.kind === 's' && got.text === want;
  if (typeof want === 'number') {
    if (got.kind === 'f') return got.float === want;
    return got.kind === 'i' && Number.isInteger(want) && got.whole === BigInt(want);
  }
  if (Array.isArray(want)) {
    return got.kind === 'l' && got.items.length === want.length && want.every((w, i) => equal(w, got.items[i] as Value));
  }
  const wanted = want as Record<string, unknown>;
  const names = Object.keys(wanted);
  if (got.kind !== 'd' || got.items.length !== 2 * names.length) return false;
  const met = new Set<string>(); // the learner's code may claim a key twice
  for (let i = 0; i < got.items.length; i += 2) {
    const key = got.items[i] as Value;
    if (key.kind !== 's' || met.has(key.text) || !Object.prototype.hasOwnProperty.call(wanted, key.text)) return false;
    if (!equal(wanted[key.text], got.items[i + 1] as Value)) return false;
    met.add(key.text);
  }
  return true;
}
