import 'fake-indexeddb/auto';
import { signal } from '@preact/signals';
import { render, type ComponentChild } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import words from 'virtual:words/lab';
import { Unreached } from '../../api/problem';
import { loadWords } from '../../i18n/words';
import { BenchView, createBench, outcomes } from './bench';
import { DataFile } from './data-file';
import { Editor, type EditorHandle } from './editor';
import { Hints } from './hints';
import { History } from './history';
import type { Lab, Submission, Verdict } from './lab';
import { OutputView } from './output-view';
import { VerdictView } from './verdict-view';

const runner = vi.hoisted(() => ({
  packs: [] as { id: string }[],
  chosen: undefined as string | undefined,
  load: () => Promise.resolve() as Promise<void>,
  runs: [] as { order: { files: Record<string, string> }; onOutput: (chunk: string) => void; onEnd: (result: object) => void }[],
  stops: 0,
}));
vi.mock('./run', () => ({
  createRunner: () => ({
    load: () => runner.load(),
    run: (order: { files: Record<string, string> }, handlers: { onOutput: (chunk: string) => void; onEnd: (result: object) => void }) =>
      runner.runs.push({ order, ...handlers }),
    stop: () => runner.stops++,
    close: () => undefined,
  }),
}));
vi.mock('./run/packs', () => ({
  findPacks: () => Promise.resolve({ packs: runner.packs, chosen: runner.chosen, kept: new Set() }),
  PackChoice: ({ found, onChoose }: { found: { packs: { id: string }[] }; onChoose: (pack: object) => void }) => (
    <button onClick={() => onChoose(found.packs[0] as object)}>{`fetch ${found.packs[0]?.id}`}</button>
  ),
}));

let host: HTMLElement;
beforeAll(async () => {
  await loadWords('en');
  await loadWords('en', words);
});
beforeEach(() => document.body.append((host = document.createElement('div'))));
afterEach(() => {
  render(null, host);
  host.remove();
});
const show = (view: ComponentChild) => act(() => render(view, host));
const text = (of: Element | null = host) => (of?.textContent ?? '').replace(/\s+/g, ' ');
const press = (name: string) =>
  act(() => {
    const found = Array.from(host.querySelectorAll('button')).find((button) => text(button).includes(name) || button.getAttribute('aria-label')?.includes(name));
    if (!found) throw new Error(`no button ${name}`);
    found.click();
  });

const lab: Lab = {
  id: 'leaf',
  title: 'Leaf',
  entry: 'main.py',
  starter: { 'main.py': '' },
  hints: [],
  points: 4,
  checks: [
    { id: 'a', title: 'A', points: 1, visible: true, feedback: 'Look at a.', rule: { observe: 'call', kind: 'equals', call: 'a()' } },
    { id: 'h', title: 'H', points: 3, visible: false },
  ],
};
const verdict = (more: Partial<Verdict>): Verdict => ({ outcome: 'partial', attempt: 1, score: 0.75, checks: [], created_at: '2026-11-23T08:00:00Z', ...more });

const submission = { id: 's', enrollment_id: 'e', lab_id: 'leaf', files: {}, created_at: '2026-11-23T08:00:00Z' };

describe('a verdict', () => {
  it('tells per check what was given, what was wanted, and what to do', async () => {
    const checks = [
      { id: 'a', title: 'A', passed: false, score: 0, call: 'a()', got: '<b>1</b>', expected: '2', feedback: 'Look at a.', says: 'Half.' },
      { id: 'h', title: 'H', passed: true, score: 1, got: 'secret', feedback: 'Not needed.' },
    ] as Verdict['checks'];
    await show(<VerdictView submission={submission} verdict={verdict({ checks })} lab={lab} onLine={() => undefined} />);
    expect(text()).toContain('Partly right');
    expect(text()).toContain('1 of 2 checks passed. 3 of 4 points.');
    const [a, h] = Array.from(host.querySelectorAll('.check-results li'));
    expect(text(a as Element)).toBe('Anot passed · 1 pointHalf.Look at a.Trieda()Your code gives<b>1</b>It should give2');
    expect(text(h as Element)).toBe('Hhidden check · passed · 3 points');
    expect(host.querySelector('b')).toBeNull();
  });

  it('names the language of what stands in for a translation', async () => {
    const checks = [{ id: 'a', title: 'A', title_lang: 'en', passed: false, says: 'Half.', says_lang: 'ar', feedback: 'Look at a.', feedback_lang: 'fr' }] as Verdict['checks'];
    await show(<VerdictView submission={submission} verdict={verdict({ checks })} lab={lab} onLine={() => undefined} />);
    expect(Array.from(host.querySelectorAll('[lang]')).map((one) => `${text(one)} ${one.getAttribute('lang')} ${one.getAttribute('dir')}`)).toEqual(['A en ltr', 'Half. ar rtl', 'Look at a. fr ltr']);
  });

  it('keeps weights to itself that are no points', async () => {
    const checks = [{ id: 'a', title: 'A', passed: true }, { id: 'h', title: 'H', passed: true }];
    await show(<VerdictView submission={submission} verdict={verdict({ checks })} lab={{ ...lab, points: 10 }} onLine={() => undefined} />);
    expect(text(host.querySelector('.check-results'))).not.toContain('point');
    expect(text()).toContain('7.5 of 10 points');
  });

  it('knows an exception from a sentence', async () => {
    const checks = [
      { id: 'a', title: 'A', passed: false, error: 'IndexError: list index out of range' },
      { id: 'h', title: 'H', passed: false, error: 'Your code wrote no such file.' },
    ];
    await show(<VerdictView submission={submission} verdict={verdict({ checks })} lab={lab} onLine={() => undefined} />);
    expect(Array.from(host.querySelectorAll('dd')).map((dd) => text(dd))).toEqual(['IndexError: list index out of range']);
    expect(text()).toContain('Your code wrote no such file.');
  });

  it('leads from a traceback to the line', async () => {
    const onLine = vi.fn();
    await show(<VerdictView submission={submission} verdict={verdict({ outcome: 'learner_error', traceback: '  File "main.py", line 7\nKeyError: 1' })} lab={lab} onLine={onLine} />);
    await press('line 7');
    expect(onLine).toHaveBeenCalledWith(7);
  });

  it.each(['author_error', 'platform_error'] as const)('says that %s costs nothing and who is told', async (outcome) => {
    await show(<VerdictView submission={submission} verdict={verdict({ outcome, attempt: 0, message: 'In short.' })} lab={lab} onLine={() => undefined} />);
    expect(text()).not.toContain('In short.');
    expect(text()).toContain('costs you nothing');
    expect(text()).toMatch(/told/);
  });

  it('says when it was graded again', async () => {
    const earlier = [{ outcome: 'failed' as const, attempt: 1, score: 0.25, version: 1, created_at: '2026-11-23T08:00:00Z' }];
    await show(<VerdictView submission={{ ...submission, earlier }} verdict={verdict({ regraded_at: '2026-12-24T08:00:00Z' })} lab={lab} onLine={() => undefined} />);
    expect(text()).toContain('Graded again on December 24, 2026');
    expect(text()).toContain('Before: Not right yet, 25%.');
  });
});

describe('what the page found', () => {
  it('takes the words from the lab, and leaves hidden checks to the server', () => {
    const result = { traceback: '', output: '', files: {}, runtime: '', detail: '', took: 1, checks: [{ id: 'a', passed: false, score: 0, got: '1' }] };
    expect(outcomes(lab, result)).toMatchObject([
      { id: 'a', title: 'A', passed: false, got: '1', feedback: 'Look at a.', call: 'a()' },
      { id: 'h', title: 'H', passed: undefined, hidden: true },
    ]);
  });

  it('tells the language of texts that are not in the page\'s', () => {
    const [a, h] = lab.checks as [Lab['checks'][0], Lab['checks'][0]];
    const judged = { ...a, rule: { ...a.rule, says: { half: 'Half.', all: 'All.' } } as typeof a.rule };
    const result = { traceback: '', output: '', files: {}, runtime: '', detail: '', took: 1, checks: [{ id: 'a', passed: false, score: 0.5, says: 'Half.' }] };
    const langs = { 'check.a.title': 'en', 'check.a.says.half': 'fr', 'check.h.title': 'ar' };
    expect(outcomes({ ...lab, checks: [judged, h], langs }, result)).toMatchObject([
      { title_lang: 'en', says_lang: 'fr', feedback_lang: undefined },
      { title_lang: 'ar' },
    ]);
    expect(outcomes({ ...lab, checks: [judged, h], spoken: 'es' }, result)).toMatchObject([{ title_lang: 'es', says_lang: 'es', feedback_lang: 'es' }, { title_lang: 'es' }]);
  });
});

describe('a run in the page', () => {
  const end = { traceback: '', output: '', checks: [], files: {}, runtime: '', detail: '', took: 1 };
  const passed = { ...end, checks: [{ id: 'a', passed: true, score: 1 }] };
  const settle = () => act(() => new Promise((resolve) => setTimeout(resolve, 30)));
  const begin = async (onLine = vi.fn()) => {
    const ended = vi.fn();
    const bench = createBench(lab, ended);
    await show(<BenchView bench={bench} lab={lab} source="changed" onLine={onLine} />);
    await act(() => bench.run('print(1)'));
    await settle();
    return { bench, ended };
  };
  beforeEach(() => Object.assign(runner, { packs: [{ id: 'light' }], chosen: 'light', load: () => Promise.resolve(), runs: [], stops: 0 }));

  it('asks which Python at first, and no more after that', async () => {
    runner.chosen = undefined;
    const { bench } = await begin();
    expect(runner.runs).toHaveLength(0);
    await press('fetch light');
    await settle();
    expect(runner.runs[0]?.order.files['main.py']).toBe('print(1)');
    await act(() => runner.runs[0]?.onEnd(passed));
    await act(() => bench.run('print(2)'));
    expect(runner.runs).toHaveLength(2);
  });

  it('shows output as it comes, then the checks, and that it is a preview', async () => {
    const { bench, ended } = await begin();
    await act(() => runner.runs[0]?.onOutput('one\n'));
    await settle();
    expect(text()).toContain('Running…');
    expect(text(host.querySelector('.output'))).toBe('one');
    await act(() => runner.runs[0]?.onEnd({ ...passed, output: 'one\ntwo\n' }));
    expect(bench.phase.value).toBe('ended');
    expect(text(host.querySelector('.output'))).toBe('one two');
    expect(text()).toContain('1 of 1 checks passed.');
    expect(text()).toContain("What counts is the server's verdict");
    expect(text()).toContain('You have changed your code since this run.');
    expect(text(host.querySelectorAll('.check-results li')[1] as Element)).toContain('judged when you hand in');
    expect(ended).toHaveBeenCalledTimes(1);
  });

  it.each(['syntax', 'error', 'exit', 'timeout', 'flood', 'memory', 'no_result', 'author', 'stopped', 'needs_exact', 'broken'])('has words for %s', async (message) => {
    await begin();
    await act(() => runner.runs[0]?.onEnd({ ...end, message, lacks: 'unicodedata' }));
    expect(text(host.querySelector('.notice')).length).toBeGreaterThan(5);
    expect(text()).not.toContain('ui.lab');
  });

  it('leads from an error to the line of the code that ran', async () => {
    const onLine = vi.fn();
    await begin(onLine);
    await act(() => runner.runs[0]?.onEnd({ ...end, message: 'error', traceback: '  File "main.py", line 1\nNameError: x' }));
    await press('line 1');
    expect(onLine).toHaveBeenCalledWith(1, 'print(1)');
  });

  it('leaves handing in to a browser that can run nothing', async () => {
    runner.packs = [];
    await begin();
    expect(text()).toContain('You can still hand in');
  });

  it('offers to try again when a pack does not arrive', async () => {
    runner.load = () => Promise.reject(new Error('gone'));
    await begin();
    expect(runner.runs).toHaveLength(0);
    runner.load = () => Promise.resolve();
    await press('Try again');
    await settle();
    expect(runner.runs).toHaveLength(1);
  });

  it('says without a network that Python is not here, and what goes on', async () => {
    runner.load = () => Promise.reject(new Unreached());
    await begin();
    expect(text()).toContain('Python is not on this device yet');
    expect(text()).toContain('You can write and hand in all the same');
    expect(host.querySelector('.bad')).toBeNull();
    runner.load = () => Promise.resolve();
    await press('Try again');
    await settle();
    expect(runner.runs).toHaveLength(1);
  });

  it('passes over the end of a run that another has replaced', async () => {
    const { bench } = await begin();
    await act(() => bench.run('print(2)'));
    await act(() => runner.runs[0]?.onEnd({ ...end, message: 'stopped' }));
    expect(bench.phase.value).toBe('running');
  });
});

describe('output', () => {
  const record = (value: unknown) => `\u001e${JSON.stringify(value)}\n`;
  const evil = '<img src=x onerror=alert(1)>';

  it('draws every kind, with words and data for those who do not see it', async () => {
    const output = [
      'first\n',
      record({ kind: 'table', title: evil, columns: [evil], rows: [[evil]] }),
      record({ kind: 'bar', title: evil, labels: [evil, 'b'], series: [{ values: [3, -4.5] }], x_label: evil, y_label: 'y' }),
      record({ kind: 'bar', labels: Array.from({ length: 40 }, (_, i) => `${i}`), series: [{ values: Array(40).fill(1) }] }),
      record({ kind: 'line', x: [0, 1], series: [{ name: evil, values: [1, null] }, { name: 'n', values: [2, 3] }] }),
      record({ kind: 'line', x: ['Jan', 'Feb'], series: [{ values: [1, 2] }] }),
      record({ kind: 'scatter', x: [1, 2], y: [3, null], groups: [0, 1], names: [evil, 'k'] }),
      record({ kind: 'confusion', labels: [evil, 'b'], counts: [[1, 2], [3, 4]] }),
      record({ kind: 'bar', labels: [], series: [{ values: [] }] }),
      record({ kind: 'scatter', x: [], y: [] }),
      record({ kind: 'table', rows: [] }),
      'last',
    ].join('');
    await show(<OutputView output={output} label="out" />);
    expect(host.querySelectorAll('img')).toHaveLength(0);
    expect(host.querySelectorAll('svg[role=img]')).toHaveLength(7);
    expect(host.querySelector('svg[role=img]')?.getAttribute('aria-label')).toBe(`${evil}. Chart with 2 bars, from \u22124.5 to 3.`);
    expect(host.querySelectorAll('.chart details table')).toHaveLength(7);
    expect(text(host.querySelector('.chart details tbody'))).toBe(`${evil}3b-4.5`);
    expect(Array.from(host.querySelectorAll('table.confusion td.right')).map((cell) => text(cell))).toEqual(['1', '4']);
    expect(Array.from(host.querySelectorAll('pre')).map((pre) => text(pre))).toEqual(['first', 'last']);
    expect(host.innerHTML).not.toContain('NaN');
    expect(host.innerHTML).not.toContain('Infinity');
  });

  it('holds a record back while the program still prints it', async () => {
    await show(<OutputView output={'a\n\u001e{"kind":"ta'} open label="out" />);
    expect(text()).toBe('a');
    await show(<OutputView output={'a\n\u001e{"kind":"ta'} label="out" />);
    expect(text()).toBe('a {"kind":"ta');
  });
});

describe('the editor', () => {
  it('goes to a line and marks the faulty one, wherever it has moved', async () => {
    const handle = signal<EditorHandle | undefined>(undefined);
    const editor = (value: string) => (
      <Editor name="main.py" value={value} maxLength={100} mark={{ line: 2, text: '  bad' }} handle={handle} onChange={() => undefined} />
    );
    await show(editor('a\n  bad\nc'));
    expect(text(host.querySelector('.editor-numbers mark'))).toBe('2');
    await show(editor('new\na\n  bad\nc'));
    expect(text(host.querySelector('.editor-numbers mark'))).toBe('3');
    await show(editor('a\n  good\nc'));
    expect(host.querySelector('mark')).toBeNull();
    const area = host.querySelector('textarea') as HTMLTextAreaElement;
    area.scrollIntoView = HTMLElement.prototype.scrollIntoView = () => undefined;
    await act(() => handle.value?.goTo(2));
    expect(area.selectionStart).toBe(4);
    expect(document.activeElement).toBe(area);
    expect(text(host.querySelector('[aria-live]'))).toBe('Line 2');
    await act(() => handle.value?.goTo(99));
    expect(area.selectionStart).toBe(9);
  });
});

describe('beside the editor', () => {
  it('gives hints one after another', async () => {
    await show(<Hints lab={{ ...lab, hints: ['One.', 'Two.'], langs: { 'hint.2': 'ar' } }} id="h1" />);
    expect(text()).not.toContain('One.');
    await press('Show hint 1 of 2');
    expect(text()).toContain('One.');
    expect(text()).not.toContain('Two.');
    await press('Show hint 2 of 2');
    expect(text()).toContain('Two.');
    // One that stands in for a translation says its language.
    expect(Array.from(host.querySelectorAll('li bdi')).map((hint) => hint.getAttribute('lang'))).toEqual([null, 'ar']);
    expect(host.querySelector('button')).toBeNull();
  });

  it('lists attempts, compares them and brings them back', async () => {
    const item = (id: string, source: string, more: Partial<Verdict>): Submission =>
      ({ id, enrollment_id: 'e', lab_id: 'leaf', files: { 'main.py': source }, created_at: '2026-11-23T08:00:00Z', verdict: verdict(more) }) as Submission;
    const onTake = vi.fn();
    const items = [item('2', 'a\nnow\n', { attempt: 2 }), item('1', 'a\nthen\n', { attempt: 1, outcome: 'failed' })];
    await show(<History items={items} entry="main.py" source={'a\nnow\n'} onTake={onTake} />);
    expect(text()).toContain('Attempt 2 · Partly right · 75%');
    expect(text()).toContain('same as in the editor');
    await press('Compare');
    expect(text(host.querySelector('del'))).toBe('\u2212 then');
    expect(text(host.querySelector('ins'))).toBe('+ now');
    await press('Bring back');
    expect(onTake).toHaveBeenCalledWith('a\nthen\n');
  });

  it('shows data as a table when it is one', async () => {
    await show(<DataFile name="leaves.csv" text={'leaf,size\nmaize,007\nbean,8\n'} />);
    const details = host.querySelector('details') as HTMLDetailsElement;
    await act(() => {
      details.open = true;
      details.dispatchEvent(new Event('toggle'));
    });
    expect(text(host.querySelector('tbody'))).toBe('maize007bean8');
    expect(host.querySelectorAll('td.number')).toHaveLength(1);
    expect(text()).toContain('2 rows.');
  });
});
