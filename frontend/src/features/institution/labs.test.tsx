import 'fake-indexeddb/auto';
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import words from 'virtual:words/app';
import consoleWords from 'virtual:words/console';
import type { Schemas } from '../../api/client';
import { loadWords } from '../../i18n/words';
import { labFaults } from './faults';
import { Labs } from './labs';

const inst = '01950000-0000-7000-8000-000000000001';
const title = { en: 'The nearest leaf' };
const fault: Schemas['LabFault'] = {
  course_id: 'leaves',
  version_id: '01950000-0000-7000-8000-000000000002',
  number: 1,
  course_title: { en: 'Leaves' },
  lab_id: 'nearest-leaf',
  title,
  source_locale: 'en',
  submissions: 2,
  since: '2026-03-01T10:00:00Z',
  last_at: '2026-03-02T10:00:00.123456Z',
  cause: 'NameError: name "leafs" is not defined',
};
const regrade: Schemas['Regrade'] = {
  id: '01950000-0000-7000-8000-000000000003',
  course_id: 'leaves',
  course_title: { en: 'Leaves' },
  lab_id: 'nearest-leaf',
  title,
  source_locale: 'en',
  to: 2,
  created_at: '2026-03-03T10:00:00Z',
  state: 'ready',
  total: 5,
  graded: 5,
  better: 3,
  worse: 1,
  same: 1,
  broken: 0,
  applied: 0,
};

let root: HTMLElement;
let calls: string[];
let faults: Schemas['LabFault'][];
let now: Schemas['Regrade'];

async function answer(request: Request): Promise<Response> {
  const { method } = request;
  const path = new URL(request.url).pathname.replace(`/api/institutions/${inst}`, '');
  calls.push(`${method} ${path} ${await request.text()}`.trim());
  const json = (body: unknown, status = 200) =>
    new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
  if (path.endsWith('/seen')) {
    faults = [];
    return new Response(null, { status: 204 });
  }
  if (path === '/lab-faults') return json({ items: faults });
  if (path.endsWith('/application')) {
    now = { ...regrade, state: 'applied', mode: 'all', applied: 4, applied_at: '2026-03-04T10:00:00Z' };
    return json(now, 202);
  }
  if (path.endsWith('/results')) return json({ items: [] });
  if (path === '/regrades') return json({ items: [now] });
  if (path === '/api/courses') return json({ items: [] });
  return json(now);
}

const settle = () => act(() => new Promise((resolve) => setTimeout(resolve, 20)));
const text = () => (root.textContent ?? '').replace(/\s+/g, ' ');
const button = (words: string) => Array.from(root.querySelectorAll('button')).find((one) => one.textContent?.includes(words));
const press = async (words: string) => {
  await act(() => button(words)?.click());
  await settle();
};

beforeEach(async () => {
  calls = [];
  faults = [fault];
  now = regrade;
  labFaults.value = undefined;
  vi.stubGlobal('fetch', answer);
  await Promise.all([loadWords('en'), loadWords('en', words), loadWords('en', consoleWords)]);
  root = document.body.appendChild(document.createElement('main'));
  await act(() => render(<Labs institution={inst} />, root));
  await settle();
});

afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
});

describe('labs at fault', () => {
  it('says which lab, how many are affected and why, until it is seen', async () => {
    expect(text()).toContain('Leaves, version 1');
    expect(text()).toContain('2 submissions since');
    expect(root.querySelector('pre')?.textContent).toContain('NameError');
    await press('Mark as seen');
    // What came after the last look is news: the time travels back as it came, to the microsecond.
    expect(calls).toContain(`PUT /lab-faults/${fault.version_id}/nearest-leaf/seen {"until":"2026-03-02T10:00:00.123456Z"}`);
    expect(text()).toContain('No lab is at fault.');
  });
});

describe('a regrade', () => {
  it('is applied in the learners’ favour unless asked otherwise, and only when sure', async () => {
    await press('Look');
    expect(text()).toContain('3 better');
    expect(text()).toContain('1 worse');
    const [favourable, all] = Array.from(root.querySelectorAll<HTMLInputElement>('input[type=radio]'));
    expect(favourable?.checked).toBe(true);
    await act(() => all?.click());
    await press('Apply');
    expect(calls.some((call) => call.includes('application'))).toBe(false);
    await press('Apply');
    expect(calls).toContain(`PUT /regrades/${regrade.id}/application {"mode":"all"}`);
    expect(text()).toContain('4 new verdicts took effect');
    expect(button('Discard')).toBeUndefined();
  });
});
