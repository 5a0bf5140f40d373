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

// The harness sends less than this; the learner's code may send anything.
const deepest = 50;
const most = 20_000;

export function parseValue(raw: unknown): Value {
  return readValue(raw, 0, { left: most });
}

function readValue(raw: unknown, depth: number, nodes: { left: number }): Value {
  if (!Array.isArray(raw) || depth > deepest || --nodes.left < 0) throw new NoValue();
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
      return { kind, items: rest.map((item) => readValue(item, depth + 1, nodes)) };
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

/** A list, tuple or set with the wanted members; neither order nor repeats count. */
export function sameSet(want: unknown[], got: Value): boolean {
  if (got.kind !== 'l' && got.kind !== 'e') return false;
  const { items } = got;
  return items.every((g) => want.some((w) => equal(w, g))) && want.every((w) => items.some((g) => equal(w, g)));
}

/** A list, tuple or set with the wanted members: each as often, in any order. */
export function sameMembers(want: unknown[], got: Value): boolean {
  if ((got.kind !== 'l' && got.kind !== 'e') || got.items.length !== want.length) return false;
  const left = want.slice();
  return got.items.every((g) => {
    const at = left.findIndex((w) => equal(w, g));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

/** Numbers within a tolerance, alone or as the members of lists and maps. */
export function near(want: unknown, tolerance: number, got: Value): boolean {
  if (typeof want === 'number') {
    const n = numberOf(got);
    return n !== undefined && Math.abs(n - want) <= tolerance;
  }
  if (Array.isArray(want)) {
    return got.kind === 'l' && got.items.length === want.length && want.every((w, i) => near(w, tolerance, got.items[i] as Value));
  }
  const wanted = (want ?? {}) as Record<string, unknown>;
  if (got.kind !== 'd' || got.items.length !== 2 * Object.keys(wanted).length) return false;
  const met = new Set<string>();
  for (let i = 0; i < got.items.length; i += 2) {
    const key = got.items[i] as Value;
    if (key.kind !== 's' || met.has(key.text) || !Object.prototype.hasOwnProperty.call(wanted, key.text)) return false;
    if (!near(wanted[key.text], tolerance, got.items[i + 1] as Value)) return false;
    met.add(key.text);
  }
  return true;
}

/** A number as Go and Python write it: without an exponent where JavaScript has none. */
export const numberText = (n: number) => String(n).replace(/e([+-])(\d)$/, 'e$10$2');

/** A JSON value as Python writes it. */
export function python(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  const names = Object.keys(value as object).sort();
  return `{${names.map((name) => `${quote(name)}: ${python((value as Record<string, unknown>)[name])}`).join(', ')}}`;
}

const named: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };

/** A text as Python's repr writes it. */
function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inside = Array.from(text, (char) => {
    if (char === mark) return `\\${char}`;
    if (named[char]) return named[char];
    if (!/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(char)) return char;
    const code = char.codePointAt(0) as number;
    return code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
  return mark + inside.join('') + mark;
}
