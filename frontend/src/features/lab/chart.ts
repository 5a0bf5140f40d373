// The arithmetic of charts: where a scale begins and ends, its round steps, and where things stand. It draws nothing.

export interface Scale {
  low: number;
  high: number;
  steps: number[];
}

/** Numbers beyond this are no matter for a chart; records with such are refused. */
export const largest = 1e100;

/** A scale over the numbers with round steps, some `about` of them. With `zero` it reaches down or up to zero. */
export function scaleOf(values: readonly (number | null)[], about: number, zero = false): Scale {
  const known = values.filter((value): value is number => value !== null);
  if (zero) known.push(0);
  let low = known.length ? known.reduce((a, b) => Math.min(a, b)) : 0;
  let high = known.length ? known.reduce((a, b) => Math.max(a, b)) : 1;
  if (low === high) {
    const room = Math.abs(low) / 2 || 1;
    if (!zero || low > 0) low -= zero ? 0 : room;
    high += room;
  }
  const step = roundStep((high - low) / about);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  const steps: number[] = [];
  // Numbers too close together for any step give a scale of two ends.
  if (!Number.isFinite(step) || step <= 0) return { low, high: high > low ? high : low + 1, steps: [low, high] };
  // Counted from 0: a first step beyond 2^53 would not move by one.
  for (let n = 0; n <= last - first; n++) steps.push(Number(((first + n) * step).toPrecision(12)) + 0);
  return { low: first * step + 0, high: last * step + 0, steps };
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const share = rough / power;
  return (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10) * power;
}

/** Where a value stands between two places. */
export function place({ low, high }: Scale, value: number, from: number, to: number): number {
  return Math.round((from + ((value - low) / (high - low)) * (to - from)) * 10) / 10;
}

/** A number as a chart writes it: short, and with the digits that code prints. */
export function plain(value: number): string {
  return String(Number(value.toPrecision(6))).replace('-', '\u2212');
}

/** The path of a line, broken where there is nothing. */
export function path(points: readonly (readonly [number, number] | null)[]): string {
  let d = '';
  let drawing = false;
  for (const point of points) {
    if (point) d += `${drawing ? 'L' : 'M'}${point[0]} ${point[1]}`;
    drawing = point !== null;
  }
  return d;
}

/** Which of `count` labels to write so that each finds `each` pixels in `room`. */
export function every(count: number, room: number, each: number): number {
  return Math.max(1, Math.ceil((count * each) / Math.max(room, 1)));
}

/** The text cut to what some pixels hold. */
export function cut(text: string, pixels: number): string {
  const most = Math.max(2, Math.floor(pixels / 7));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
