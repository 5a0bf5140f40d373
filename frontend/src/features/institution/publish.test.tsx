import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import words from 'virtual:words/app';
import consoleWords from 'virtual:words/console';
import type { Schemas } from '../../api/client';
import { loadWords } from '../../i18n/words';
import { Publish } from './publish';

const inst = '01950000-0000-7000-8000-000000000001';
const version: Schemas['CourseVersion'] = {
  version_id: '01950000-0000-7000-8000-000000000002',
  institution_id: inst,
  modules: [],
  course_id: 'leaves',
  number: 3,
  digest: 'sha256:00',
  published_at: '2026-03-01T10:00:00Z',
  title: { en: 'Leaves' },
  summary: { en: 'On leaves.' },
  source_locale: 'en',
  locales: ['en'],
  licence: 'CC-BY-SA-4.0',
  authors: ['A'],
  minutes: 5,
};
const advice = [
  { file: 'lessons/a.md', line: 12, pointer: '', code: 'gate.hard_to_read', detail: 'Make sentences shorter.' },
  { file: 'media/talk.mp3', pointer: '', code: 'gate.recording_heavy', detail: 'Run content encode.' },
] as Schemas['ProblemDetail'][];

let root: HTMLElement;
let replies: Response[];
let asked: Request[];

const json = (body: unknown, status: number) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json' } });

// The answer is there when the button asks no more for patience.
const publish = async () => {
  await act(() => void root.querySelector('form')?.dispatchEvent(new Event('submit', { cancelable: true })));
  await vi.waitFor(async () => {
    await act(() => Promise.resolve());
    expect(replies).toEqual([]);
    expect(root.querySelector('button')?.getAttribute('aria-disabled')).not.toBe('true');
  });
};
const places = () => Array.from(root.querySelectorAll('.faults li'), (one) => one.textContent);

beforeEach(async () => {
  asked = [];
  vi.stubGlobal('fetch', (request: Request) => {
    asked.push(request);
    return Promise.resolve(replies.shift());
  });
  await Promise.all([loadWords('en'), loadWords('en', words), loadWords('en', consoleWords)]);
  root = document.body.appendChild(document.createElement('main'));
  await act(() => render(<Publish institution={inst} />, root));
  const input = root.querySelector('input') as HTMLInputElement;
  Object.defineProperty(input, 'files', { value: [new File(['zip'], 'course.zip')] });
  await act(() => void input.dispatchEvent(new Event('change')));
});

afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
});

it('shows what the author should think about, although the course is published', async () => {
  replies = [json({ ...version, advice }, 201)];
  await publish();
  expect(asked.map((one) => [one.method, new URL(one.url).pathname])).toEqual([['POST', `/api/institutions/${inst}/course-versions`]]);
  expect(root.textContent).toContain('Published: Leaves, version 3.');
  expect(root.querySelector('a')?.getAttribute('href')).toBe('/en/courses/leaves@3');
  expect(root.textContent).toContain('To think about');
  expect(places()).toEqual(['lessons/a.md:12 Make sentences shorter.', 'media/talk.mp3 Run content encode.']);
});

it('says nothing of advice where there is none', async () => {
  replies = [json(version, 201)];
  await publish();
  expect(root.textContent).toContain('Published: Leaves, version 3.');
  expect(root.textContent).not.toContain('To think about');
  expect(places()).toEqual([]);
});

it('shows faults with their places, and the advice of the time before no more', async () => {
  replies = [json({ ...version, advice }, 201)];
  await publish();
  const errors = [{ file: 'course.yaml', line: 2, pointer: '/title', code: 'course.empty_text', detail: 'Write some words.' }];
  replies = [json({ type: 'about:blank', title: 'Not right', status: 422, code: 'course.invalid', detail: 'The course has faults.', errors }, 422)];
  await publish();
  expect(root.textContent).toContain('The course has faults.');
  expect(root.textContent).not.toContain('Published');
  expect(places()).toEqual(['course.yaml:2 Write some words.']);
});
