import { describe, expect, it } from 'vitest';
import { parseRecord, splitOutput } from './records';

const rs = '\u001e';
const table = { kind: 'table', title: 'T', columns: ['a'], rows: [[1], [null], ['x']] };

describe('output', () => {
  it('keeps text and records in their order', () => {
    const parts = splitOutput(`before\n${rs}${JSON.stringify(table)}\nafter`);
    expect(parts).toEqual([{ text: 'before\n' }, { record: table }, { text: 'after' }]);
  });

  it('finds a record in the middle of a line, and two in a row', () => {
    const one = `${rs}${JSON.stringify(table)}\n`;
    expect(splitOutput(`x${one}${one}`).map((part) => Object.keys(part)[0])).toEqual(['text', 'record', 'record']);
  });

  it('holds back what is not whole yet, and shows it when nothing follows', () => {
    const begun = `a${rs}{"kind":"table"`;
    expect(splitOutput(begun, true)).toEqual([{ text: 'a' }]);
    expect(splitOutput(begun)).toEqual([{ text: 'a{"kind":"table"' }]);
  });

  it('shows as text what is no record, and loses nothing of it', () => {
    expect(splitOutput(`${rs}not json\nafter`)).toEqual([{ text: 'not json\nafter' }]);
    expect(splitOutput(rs + rs)).toEqual([]);
  });

  it('draws forty records of a flood', () => {
    const parts = splitOutput(`${rs}${JSON.stringify(table)}\n`.repeat(50));
    expect(parts.filter((part) => 'record' in part)).toHaveLength(40);
    expect(parts).toHaveLength(41);
  });
});

const good: Record<string, unknown>[] = [
  table,
  { kind: 'table', rows: [] },
  { kind: 'bar', labels: ['a', 'b'], series: [{ values: [1, null] }] },
  { kind: 'line', x: ['Jan'], series: [{ name: 's', values: [1.5] }], y_label: 'y' },
  { kind: 'line', x: [1, 2], series: [{ values: [1, 2] }] },
  { kind: 'scatter', x: [1, null], y: [2, 3] },
  { kind: 'scatter', x: [1], y: [2], groups: [0], names: ['a'] },
  { kind: 'confusion', labels: ['a', 'b'], counts: [[1, 0], [2, 3]] },
];

const bad: [string, unknown][] = [
  ['a list', []],
  ['null', null],
  ['no kind', { rows: [] }],
  ['another kind', { kind: 'html', html: '<img src=x onerror=alert(1)>' }],
  ['a kind of the prototype', { kind: 'constructor' }],
  ['a title that is no text', { kind: 'table', title: { toString: 1 }, rows: [] }],
  ['a long title', { kind: 'table', title: 'x'.repeat(401), rows: [] }],
  ['no rows', { kind: 'table' }],
  ['rows of no list', { kind: 'table', rows: ['abc'] }],
  ['rows of other lengths', { kind: 'table', rows: [[1], [1, 2]] }],
  ['more cells than columns', { kind: 'table', columns: ['a'], rows: [[1, 2]] }],
  ['a cell that is an object', { kind: 'table', rows: [[{ a: 1 }]] }],
  ['a cell that is true', { kind: 'table', rows: [[true]] }],
  ['too many rows', { kind: 'table', rows: Array(501).fill([1]) }],
  ['too many columns', { kind: 'table', rows: [Array(31).fill(1)] }],
  ['values of another length', { kind: 'bar', labels: ['a'], series: [{ values: [1, 2] }] }],
  ['fewer values than labels', { kind: 'bar', labels: ['a', 'b'], series: [{ values: [1] }] }],
  ['values that are texts', { kind: 'bar', labels: ['a'], series: [{ values: ['1'] }] }],
  ['values beyond all scales', { kind: 'bar', labels: ['a'], series: [{ values: [1e300] }] }],
  ['no series', { kind: 'bar', labels: ['a'], series: [] }],
  ['too many series', { kind: 'line', x: [1], series: Array(13).fill({ values: [1] }) }],
  ['too many points', { kind: 'line', x: Array(501).fill(1), series: [{ values: Array(501).fill(1) }] }],
  ['places of two kinds', { kind: 'line', x: [1, 'a'], series: [{ values: [1, 2] }] }],
  ['a group without a name', { kind: 'scatter', x: [1], y: [1], groups: [1], names: ['a'] }],
  ['a group between names', { kind: 'scatter', x: [1], y: [1], groups: [0.5], names: ['a'] }],
  ['groups without names', { kind: 'scatter', x: [1], y: [1], groups: [0] }],
  ['counts of another size', { kind: 'confusion', labels: ['a'], counts: [[1, 2]] }],
  ['counts below zero', { kind: 'confusion', labels: ['a'], counts: [[-1]] }],
  ['counts of parts', { kind: 'confusion', labels: ['a'], counts: [[0.5]] }],
];

describe('records', () => {
  it.each(good.map((record) => [JSON.stringify(record), record] as const))('takes %s', (line, record) => {
    expect(JSON.parse(JSON.stringify(parseRecord(line)))).toEqual(record);
  });

  it.each(bad)('refuses %s', (_, record) => expect(parseRecord(JSON.stringify(record))).toBeUndefined());

  it('refuses what is too long to look at', () => {
    expect(parseRecord(`{"kind":"table","rows":[],"x":"${'x'.repeat(90_000)}"}`)).toBeUndefined();
  });
});
