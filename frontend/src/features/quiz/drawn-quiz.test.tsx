import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadMe, me } from '../../api/me';
import { loadWords } from '../../i18n/words';
import { enrollment, loadEnrollment, progress, trouble } from '../../learner/enrollment';
import { close } from '../../offline/db';
import { reopen } from '../../offline/outbox';
import { shown } from './draw';
import type { Question, Quiz } from './quiz';
import { QuizView } from './quiz-view';

const bank = ['p', 'q', 'r', 's', 't', 'u'];
const question = (id: string): Question => ({
  id,
  type: 'single',
  prompt: `About ${id}?`,
  points: 1,
  options: [
    { id: 'a', text: 'A' },
    { id: 'b', text: 'B' },
    { id: 'none', text: 'None of these', last: true },
  ],
  key: { correct: ['b'] },
});
const practice: Quiz = {
  id: 'practice',
  title: '',
  graded: false,
  pass: 0.5,
  shuffle: true,
  sections: [{ title: 'Facts', lang: 'fr', draw: { bank: 'facts', count: 2 } }, { questions: ['x'] }],
  banks: { facts: bank },
  questions: [{ ...question('x'), lang: 'ar', prompt: 'ماذا؟' }, ...bank.map(question)],
};
const exam: Quiz = { ...practice, id: 'exam', graded: true, questions: practice.questions.map((one) => ({ ...one, key: undefined })) };

const e1 = '0190a000-0000-7000-8000-000000000001';
const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
type Sent = { id: string; attempt?: number; responses: Record<string, unknown> };

let root: HTMLElement;
let sent: Sent[];
let attempts: number;
let reply: (one: Sent) => object;
let joined: boolean;

const all = (selector: string) => Array.from(root.querySelectorAll<HTMLElement>(selector));
const prompts = () => all('.prompt').map((one) => one.textContent?.trim());
const ids = () => all('.prompt').map((one) => one.id.slice(2));
const shows = (found: () => unknown) => vi.waitFor(() => act(() => void expect(found()).toBeTruthy()));
const press = (element: HTMLElement | undefined) => act(() => element?.click());
const draw = (quiz: Quiz, attempt: number) => shown(quiz, { enrollment: e1, quiz: quiz.id, attempt }).reduce((a, b) => [...a, ...b], []);

function serve(request: Request): Response {
  const path = new URL(request.url, 'http://x').pathname;
  if (path === '/api/me') return joined ? json({ id: 'lea', display_name: 'Lea', memberships: [] }) : json({ code: 'session.none' }, 401);
  if (path === '/api/enrollments') return json({ items: [{ id: e1, course_id: '', number: 0 }] });
  return json({ enrollment_id: e1, course_id: '', number: 0, completed: false, items: attempts ? [{ object_id: 'exam', attempts }] : [] });
}

/** Opens the page: what is on the disk stays, what was in memory goes. */
async function visit(quiz: Quiz): Promise<void> {
  act(() => render(null, root));
  reopen();
  me.value = undefined;
  enrollment.value = undefined;
  progress.value = undefined;
  trouble.value = undefined;
  act(() => render(<QuizView quiz={quiz} />, root));
  await act(async () => {
    await loadMe(true);
    await loadEnrollment('', true);
  });
}

/** Answers every question with the option that reads so, and hands in. */
function handIn(text: string): void {
  for (const card of all('.question-card')) {
    press(Array.from(card.querySelectorAll<HTMLElement>('label')).find((one) => one.textContent === text)?.querySelector('input') ?? undefined);
  }
  act(() => void root.querySelector('form')?.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true })));
}

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  close();
  sent = [];
  attempts = 0;
  joined = true;
  reply = ({ id }) => {
    attempts++;
    return { id, status: 'accepted', marked: { score: 0, passed: false, questions: [] } };
  };
  vi.stubGlobal('fetch', async (request: Request) => {
    if (new URL(request.url, 'http://x').pathname !== '/api/sync') return serve(request);
    const stands = { epoch: 1, known: 0, cursor: 'c', current: true, server_time: '2026-11-23T00:00:00Z', credentials: { count: 0 } };
    if (request.method === 'GET') return json({ ...stands, statements: [], enrollments: [], more: false, reset: false });
    const bytes = Buffer.from(await request.arrayBuffer());
    const text = request.headers.get('Content-Encoding') === 'gzip' ? gunzipSync(bytes) : bytes;
    const { statements: batch } = JSON.parse(text.toString()) as { statements: Sent[] };
    sent.push(...batch);
    return json({ ...stands, answers: batch.map((one) => reply(one)) });
  });
  document.body.innerHTML = '<div id="root"></div>';
  root = document.getElementById('root') as HTMLElement;
  await loadWords('en');
});
afterEach(() => {
  act(() => render(null, root));
  reopen();
  vi.unstubAllGlobals();
});

describe('a graded quiz that draws', () => {
  it('shows nobody a draw that would not be theirs', async () => {
    joined = false;
    await visit(exam);
    await shows(() => root.textContent?.includes('once you take the course'));
    await act(() => new Promise((resolve) => setTimeout(resolve, 50))); // long enough to read a draft
    expect(all('.question-card')).toHaveLength(0);
    expect(all('button[type=submit]')).toHaveLength(0);
  });

  it('hands in the attempt that it shows, and then shows the next', async () => {
    await visit(exam);
    await shows(() => all('.question-card').length);
    expect(ids()).toEqual(draw(exam, 1));
    handIn('A');
    await shows(() => root.querySelector('.result-score'));
    expect(sent.map(({ attempt }) => attempt)).toEqual([1]);
    expect(Object.keys(sent[0]?.responses ?? {})).toEqual(draw(exam, 1));
    press(all('.result button')[0]);
    await shows(() => ids().join() === draw(exam, 2).join());
    // Reloading keeps the draw and the answers, and picks no other.
    press(all('.choice input')[1]);
    const chosen = () => all('.choice input').findIndex((one) => (one as HTMLInputElement).checked);
    await visit(exam);
    await shows(() => all('.choice.chosen').length);
    expect([ids(), chosen()]).toEqual([draw(exam, 2), 1]);
  });

  it('counts attempts that wait on this device', async () => {
    attempts = 2;
    await visit(exam);
    await shows(() => all('.question-card').length);
    expect(ids()).toEqual(draw(exam, 3));
    reply = ({ id }) => ({ id: `not-${id}` }); // no answer to it: it waits
    handIn('B');
    await shows(() => sent.length);
    expect(sent[0]?.attempt).toBe(3);
    await visit(exam);
    await shows(() => all('.question-card').length);
    expect(ids()).toEqual(draw(exam, 4));
  });

  it('goes on to the next when another tab has answered this one', async () => {
    await visit(exam);
    await shows(() => all('.question-card').length);
    reply = ({ id }) => ({ id, status: 'rejected', code: 'statement.attempt_answered', detail: 'Answered before.' });
    handIn('A');
    await shows(() => root.textContent?.includes('Answered before.'));
    press(all('.result button')[0]);
    expect(ids()).toEqual(draw(exam, 2));
  });

  it('shows the same again when something else was wrong', async () => {
    await visit(exam);
    await shows(() => all('.question-card').length);
    reply = ({ id }) => ({ id, status: 'rejected', code: 'statement.bad_time', detail: 'The clock is wrong.' });
    handIn('A');
    await shows(() => root.textContent?.includes('The clock is wrong.'));
    press(all('.result button')[0]);
    expect(ids()).toEqual(draw(exam, 1));
  });
});

describe('a practice quiz that draws', () => {
  it('works without an account, keeps its draw, and draws anew', async () => {
    joined = false;
    await visit(practice);
    await shows(() => all('.question-card').length);
    const first = prompts();
    expect(first).toHaveLength(3);
    await visit(practice);
    await shows(() => all('.question-card').length);
    expect(prompts()).toEqual(first);
    handIn('B');
    await shows(() => root.querySelector('.result-score'));
    expect(root.querySelector('.result-score')?.textContent).toBe('100%');
    expect(sent).toEqual([]);
    press(all('.result button')[0]);
    const second = prompts();
    expect(second.slice(0, 2).filter((one) => first.slice(0, 2).includes(one))).toEqual([]);
    await visit(practice);
    await shows(() => all('.question-card').length);
    expect(prompts()).toEqual(second);
  });

  it('is the server’s draw for who takes the course', async () => {
    await visit(practice);
    await shows(() => all('.question-card').length);
    expect(ids()).toEqual(draw(practice, 1));
    handIn('A');
    await shows(() => sent.length);
    expect(sent[0]?.attempt).toBe(1);
  });

  it('has headings in their order, says what language a text is in, and how many are left', async () => {
    await visit(practice);
    await shows(() => all('.question-card').length);
    expect(all('h2, h3').map((one) => one.tagName)).toEqual(['H2', 'H3', 'H3', 'H2']);
    const section = root.querySelector('section') as HTMLElement;
    expect(document.getElementById(section.getAttribute('aria-labelledby') ?? '')?.outerHTML).toContain('lang="fr" dir="ltr"');
    expect(root.querySelector('#q-x')?.getAttribute('dir')).toBe('rtl');
    expect(all('.question-number').map((one) => one.textContent)).toEqual(['Question 1 of 3', 'Question 2 of 3', 'Question 3 of 3']);
    expect(root.querySelector('.quiz-left')?.textContent).toBe('3 questions have no answer yet.');
    press(all('.choice input')[0]);
    expect(root.querySelector('.quiz-left progress')?.getAttribute('aria-label')).toBe('2 questions have no answer yet.');
    expect(all('.choice label').map((one) => one.textContent)[2]).toBe('None of these');
  });
});
