// What a program printed, taken apart: text, and the records of the banyan module (docs/banyan-module.md). A learner's
// code can print anything, so a record counts only when all of it is as promised; what else begins like one is text.

import { largest } from './chart';

export interface Series {
  name?: string;
  values: (number | null)[];
}
export type Cell = string | number | null;
interface Axes {
  title?: string;
  x_label?: string;
  y_label?: string;
}
export interface TableRecord {
  kind: 'table';
  title?: string;
  columns?: string[];
  rows: Cell[][];
}
export interface BarRecord extends Axes {
  kind: 'bar';
  labels: string[];
  series: Series[];
}
export interface LineRecord extends Axes {
  kind: 'line';
  x: number[] | string[];
  series: Series[];
}
export interface ScatterRecord extends Axes {
  kind: 'scatter';
  x: (number | null)[];
  y: (number | null)[];
  groups?: number[];
  names?: string[];
}
export interface ConfusionRecord {
  kind: 'confusion';
  title?: string;
  labels: string[];
  counts: number[][];
}
export type OutputRecord = TableRecord | BarRecord | LineRecord | ScatterRecord | ConfusionRecord;
export type Part = { text: string } | { record: OutputRecord };

const separator = '\u001e';
const mostRecords = 40;
const longest = 80_000;

/** Takes output apart. With `open` it may go on: a record that has begun is held back until it ends. */
export function splitOutput(output: string, open = false): Part[] {
  const parts: Part[] = [];
  const say = (text: string) => {
    const last = parts[parts.length - 1];
    if (last && 'text' in last) last.text += text;
    else if (text) parts.push({ text });
  };
  let records = 0;
  const [first = '', ...rest] = output.split(separator);
  say(first);
  rest.forEach((piece, i) => {
    const end = piece.indexOf('\n');
    if (end < 0 && open && i === rest.length - 1) return;
    const record = end < 0 || records >= mostRecords ? undefined : parseRecord(piece.slice(0, end));
    if (!record) return say(piece);
    records++;
    parts.push({ record });
    say(piece.slice(end + 1));
  });
  return parts;
}

export function parseRecord(line: string): OutputRecord | undefined {
  if (line.length > longest) return undefined;
  let found: unknown;
  try {
    found = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return undefined;
  const raw = found as Record<string, unknown>;
  try {
    switch (raw['kind']) {
      case 'table':
        return table(raw);
      case 'bar':
        return bar(raw);
      case 'line':
        return lineChart(raw);
      case 'scatter':
        return scatter(raw);
      case 'confusion':
        return confusion(raw);
    }
  } catch (cause) {
    if (!(cause instanceof Odd)) throw cause;
  }
  return undefined;
}

class Odd extends Error {}

function want(good: boolean): asserts good {
  if (!good) throw new Odd();
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 400;
const isNumber = (value: unknown): value is number => typeof value === 'number' && Math.abs(value) <= largest;
const isGap = (value: unknown): value is number | null => value === null || isNumber(value);
const isCell = (value: unknown): value is Cell => isText(value) || isGap(value);

function list<T>(value: unknown, most: number, is: (item: unknown) => item is T): T[] {
  want(Array.isArray(value) && value.length <= most && value.every(is));
  return value as T[];
}

function optional(value: unknown): string | undefined {
  want(value === undefined || isText(value));
  return value as string | undefined;
}

const axes = (raw: Record<string, unknown>): Axes => ({
  title: optional(raw['title']),
  x_label: optional(raw['x_label']),
  y_label: optional(raw['y_label']),
});

function table(raw: Record<string, unknown>): TableRecord {
  const { rows: all } = raw;
  want(Array.isArray(all) && all.length <= 500);
  const rows = (all as unknown[]).map((row) => list(row, 30, isCell));
  const columns = raw['columns'] === undefined ? undefined : list(raw['columns'], 30, isText);
  const wide = columns?.length ?? rows[0]?.length ?? 0;
  want(rows.every((row) => row.length === wide));
  return { kind: 'table', title: optional(raw['title']), columns, rows };
}

function series(value: unknown, length: number): Series[] {
  want(Array.isArray(value) && value.length >= 1 && value.length <= 12);
  return (value as unknown[]).map((one) => {
    want(typeof one === 'object' && one !== null);
    const { name, values: all } = one as Record<string, unknown>;
    const values = list(all, length, isGap);
    want(values.length === length);
    return { name: optional(name), values };
  });
}

function bar(raw: Record<string, unknown>): BarRecord {
  const labels = list(raw['labels'], 100, isText);
  return { kind: 'bar', ...axes(raw), labels, series: series(raw['series'], labels.length) };
}

function lineChart(raw: Record<string, unknown>): LineRecord {
  const { x: places } = raw;
  const x = Array.isArray(places) && places.every(isNumber) ? list(places, 500, isNumber) : list(places, 500, isText);
  return { kind: 'line', ...axes(raw), x, series: series(raw['series'], x.length) };
}

function scatter(raw: Record<string, unknown>): ScatterRecord {
  const x = list(raw['x'], 500, isGap);
  const y = list(raw['y'], 500, isGap);
  want(x.length === y.length);
  if (raw['groups'] === undefined) return { kind: 'scatter', ...axes(raw), x, y };
  const names = list(raw['names'], 12, isText);
  const groups = list(raw['groups'], 500, isNumber);
  want(groups.length === x.length && groups.every((group) => names[group] !== undefined));
  return { kind: 'scatter', ...axes(raw), x, y, groups, names };
}

function confusion(raw: Record<string, unknown>): ConfusionRecord {
  const labels = list(raw['labels'], 20, isText);
  const { counts: all } = raw;
  want(Array.isArray(all) && all.length === labels.length);
  const counts = (all as unknown[]).map((row) => list(row, 20, isNumber));
  want(counts.every((row) => row.length === labels.length && row.every((count) => Number.isInteger(count) && count >= 0)));
  return { kind: 'confusion', title: optional(raw['title']), labels, counts };
}
