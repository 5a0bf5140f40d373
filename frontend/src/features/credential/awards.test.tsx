import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import words from 'virtual:words/app';
import type { Schemas } from '../../api/client';
import { loadWords } from '../../i18n/words';
import { AwardsToCome } from './awards';

const award = (state: Schemas['Award']['state']): Schemas['Award'] => ({
  id: '01950000-0000-7000-8000-000000000001',
  enrollment_id: '01950000-0000-7000-8000-000000000002',
  user_id: '01950000-0000-7000-8000-000000000003',
  username: 'amina',
  name: 'Amina',
  name_confirmed_by_learner: true,
  course_id: 'leaves',
  course_number: 3,
  title: { en: 'Leaves' },
  source_locale: 'en',
  state,
  wants: [],
  ai_help: 'undeclared',
  asks_help: false,
  assessment: 'unsupervised',
  created_at: '2026-03-01T10:00:00Z',
});

let root: HTMLElement;
let states: (Schemas['Award']['state'] | 'away')[];
let asked: number;
let issued: number;

beforeEach(async () => {
  vi.useFakeTimers();
  asked = issued = 0;
  vi.stubGlobal('fetch', () => {
    const state = states[Math.min(asked++, states.length - 1)] as (typeof states)[number];
    if (state === 'away') return Promise.reject(new TypeError('no network'));
    return Promise.resolve(new Response(JSON.stringify({ items: [award(state)] }), { headers: { 'Content-Type': 'application/json' } }));
  });
  await Promise.all([loadWords('en'), loadWords('en', words)]);
  root = document.body.appendChild(document.createElement('main'));
});

afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const pass = (ms: number) => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));
const open = async () => {
  await act(() => render(<AwardsToCome onIssued={() => issued++} />, root));
  await pass(0);
};

it('asks again for what is being signed, until it is a certificate', async () => {
  states = ['ready', 'ready', 'issued'];
  await open();
  expect(root.textContent).toContain('Your certificate is being signed.');
  await pass(1_000);
  expect([asked, issued]).toEqual([2, 0]);
  await pass(2_000);
  expect([asked, issued]).toEqual([3, 1]);
  expect(root.textContent).toBe('');
  await pass(600_000);
  expect(asked).toBe(3);
});

it('does not ask for ever', async () => {
  states = ['ready'];
  await open();
  await pass(3_600_000);
  expect([asked, issued]).toEqual([7, 0]);
  expect(root.textContent).toContain('Your certificate is being signed.');
});

it('asks once for what waits for people, and no more when the server or the reader has gone', async () => {
  states = ['waiting'];
  await open();
  await pass(600_000);
  expect(asked).toBe(1);

  states = ['ready', 'away'];
  asked = 0;
  render(null, root);
  await open();
  await pass(600_000);
  expect(asked).toBe(2);

  states = ['ready'];
  asked = 0;
  render(null, root);
  await open();
  await act(() => render(null, root));
  await pass(600_000);
  expect(asked).toBe(1);
});
