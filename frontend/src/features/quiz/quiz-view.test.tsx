import 'fake-indexeddb/auto';
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadMe } from '../../api/me';
import { loadWords } from '../../i18n/words';
import type { Quiz } from './quiz';
import { QuizView } from './quiz-view';

const quiz: Quiz = {
  id: 'first-look',
  title: '',
  graded: false,
  pass: 0.7,
  questions: [
    {
      id: 'one',
      type: 'single',
      prompt: 'Which?',
      points: 1,
      options: [
        { id: 'a', text: 'A', feedback: 'Not A.' },
        { id: 'b', text: 'B', feedback: 'Yes, B.' },
      ],
      key: { correct: ['b'] },
    },
    {
      id: 'steps',
      type: 'order',
      prompt: 'In order?',
      points: 1,
      options: [
        { id: 'x', text: 'X' },
        { id: 'y', text: 'Y' },
        { id: 'z', text: 'Z' },
      ],
      key: { correct: ['y', 'x', 'z'], feedback: { correct: 'In order.', incorrect: 'Y first.' } },
    },
    { id: 'much', type: 'number', prompt: 'How much?', points: 1, key: { number: 80, tolerance: 0.5, feedback: { correct: 'Eighty.' } } },
  ],
};

let root: HTMLElement;
const all = (selector: string) => Array.from(root.querySelectorAll<HTMLElement>(selector));
const click = (element: HTMLElement | undefined) => act(() => element?.click());
const submit = () =>
  act(() => {
    root.querySelector('form')?.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
  });
const write = (text: string) =>
  act(() => {
    const input = root.querySelector<HTMLInputElement>('input.number');
    if (!input) return;
    input.value = text;
    input.dispatchEvent(new Event('input', { bubbles: true }));
  });

const shows = (found: () => unknown) => vi.waitFor(() => act(() => void expect(found()).toBeTruthy()));

beforeEach(async () => {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('{"code":"session.none"}', { status: 401, headers: { 'Content-Type': 'application/json' } })));
  await Promise.all([loadWords('en'), loadMe(true)]);
  document.body.innerHTML = '<div id="root"></div>';
  root = document.getElementById('root') as HTMLElement;
  act(() => render(<QuizView quiz={quiz} />, root));
  await shows(() => all('.question-card').length);
});
afterEach(() => {
  act(() => render(null, root));
  vi.unstubAllGlobals();
});

describe('a practice quiz', () => {
  it('asks for what is missing and goes there', () => {
    submit();
    expect(all('.question-card.missing')).toHaveLength(2);
    expect(document.activeElement?.id).toBe('q-one');
    expect(root.querySelector('[role=alert]')?.textContent).toContain('2 questions');
    expect(all('.marked')).toHaveLength(0);
  });

  it('marks in the page, says why at each option, and starts anew', () => {
    click(all('.choice input')[0]);
    // Y up: the button keeps the focus, and the move is said.
    click(root.querySelector<HTMLElement>('[data-move="y-1"]') ?? undefined);
    expect(all('.ordering-text').map((step) => step.textContent)).toEqual(['Y', 'X', 'Z']);
    expect(document.activeElement?.getAttribute('data-move')).toBe('y-1');
    expect(root.querySelector('[aria-live=polite].unseen')?.textContent).toBe('Y: now 1 of 3');
    write('٨٠٫٢');
    submit();
    expect(all('.question-card').map((card) => card.classList.contains('right'))).toEqual([false, true, true]);
    expect(all('.choice-feedback').map((said) => said.textContent)).toEqual(['Not A.']);
    expect(root.querySelector('.result')?.textContent).toContain('67%');
    expect(root.querySelector('.result')?.textContent).toContain('2 of 3 are right.');
    expect(root.querySelector('.result [role=status]')).not.toBeNull();
    click(all('.result button')[0]);
    expect(all('.marked')).toHaveLength(0);
    expect(all('.ordering-text').map((step) => step.textContent)).toEqual(['X', 'Y', 'Z']);
  });

  it('takes no word for a number', () => {
    click(all('.choice input')[1]);
    write('many');
    expect(root.querySelector('input.number')?.getAttribute('aria-invalid')).toBe('true');
    submit();
    expect(all('.question-card.missing')).toHaveLength(1);
  });
});
