// The answers of the page's judge and the grader's, over the same cases. Scripts of authors are judged by Python in both.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AuthorFault, decide, expected, foundBy, judge, taskOf, type Observation } from './judge';
import type { Rule } from './rule';
import { NoValue } from './value';

interface Case {
  name: string;
  rule: Rule;
  observation: Observation;
  passed: boolean;
  score: number;
}
const cases = JSON.parse(readFileSync(join(process.cwd(), '../internal/lab/grading/testdata/judge.json'), 'utf8')) as Case[];

describe('the cases of the grader', () => {
  it('are many', () => expect(cases.length).toBeGreaterThan(60));

  it.each(cases.filter(({ rule }) => rule.kind !== 'judge').map((one) => [one.name, one] as const))('%s', (_, { rule, observation, passed, score }) => {
    expect(decide(rule, observation)).toMatchObject({ passed, score });
  });

  it.each(cases.filter(({ rule }) => rule.kind === 'judge').map((one) => [one.name, one] as const))('%s goes to a script', (_, { rule, observation }) => {
    expect(taskOf(rule, observation)).toMatchObject({ source: rule.judge, says: Object.keys(rule.says ?? {}), hidden: false });
  });
});

describe('what the learner\'s code may have written', () => {
  const call = { observe: 'call', kind: 'equals', want: 1 } as Rule;
  it.each<[string, unknown]>([
    ['no list', 1],
    ['nothing', undefined],
    ['an unknown kind', ['z', '1']],
    ['a number that is none', ['i', 'one']],
    ['a float that is none', ['f', '0x10']],
    ['half a pair', ['d', ['s', 'a']]],
    ['more than a kind holds', ['n', 1]],
    ['depth', Array.from({ length: 60 }).reduce<unknown>((inner) => ['l', inner], ['n'])],
    ['length', ['l', ...Array.from({ length: 20_001 }, () => ['n'])]],
  ])('is refused: %s', (_, value) => {
    expect(() => decide(call, { value })).toThrow(NoValue);
  });

  it('claims no exception that is none', () => {
    expect(() => taskOf({ observe: 'call', kind: 'judge' } as Rule, { raised: 'X', classes: ['str'] })).toThrow(NoValue);
  });
});

it('shows what the grader shows', async () => {
  const rules: Rule[] = [
    { observe: 'call', call: 'f()', kind: 'equals', want: [1, "it's\n"], reveal: true },
    { observe: 'call', call: 'g()', kind: 'equals', want: 1, reveal: false },
    { observe: 'file', file: 'out.csv', kind: 'equals', want: 'a', reveal: true },
    { observe: 'call', call: 'h()', kind: 'metric', metric: { name: 'accuracy', labels: [1, 1, 1], at_least: 0.9 }, reveal: true },
    { observe: 'call', call: 'j()', kind: 'judge', judge: '…', says: { near: 'Nearly.' } },
  ];
  const seen = [
    { value: ['l'], repr: '[]' },
    { raised: 'ValueError: no', classes: ['ValueError', 'Exception', 'BaseException'] },
    { value: ['l', ['i', '1'], ['i', '1'], ['i', '2']], repr: '[1, 1, 2]' },
    { value: ['n'], repr: 'None' },
  ];
  const results = await judge(
    rules.map((rule, i) => ({ id: String(i), rule })),
    { traceback: '', stdout: '', seen, files: {} },
    async (tasks) => tasks.map(() => ({ score: 0.5, says: 'near' })),
  );
  expect(results).toEqual([
    { id: '0', passed: false, score: 0, got: '[]', expected: '[1, "it\'s\\n"]' },
    { id: '1', passed: false, score: 0, error: 'ValueError: no' },
    { id: '2', passed: false, score: 0, error: 'lab.check_error.no_file', expected: 'a' },
    { id: '3', passed: false, score: 0, got: '0.6667', expected: '≥ 0.9' },
    { id: '4', passed: false, score: 0.5, got: 'None', says: 'Nearly.' },
  ]);
});

it('leaves to the server what no script can be asked about here', async () => {
  const rule: Rule = { observe: 'output', kind: 'judge', judge: '…' };
  expect(await judge([{ id: 'a', rule }], { traceback: '', stdout: 'x', seen: [], files: {} }, async () => undefined)).toEqual([
    { id: 'a', passed: undefined, score: 0 },
  ]);
});

it('blames the author for a script that fails', () => {
  expect(() => foundBy({ error: 'NameError' })).toThrow(AuthorFault);
});

it('writes what is expected as Python does', () => {
  expect(expected({ observe: 'call', kind: 'equals', want: { b: [1, true, null], a: `both ' and "` } })).toBe(`{'a': 'both \\' and "', 'b': [1, True, None]}`);
  expect(expected({ observe: 'call', kind: 'near', want: 0.5, tolerance: 0.01 })).toBe('0.5 ± 0.01');
});
