import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fold } from './fold';
import { mark } from './mark';
import { answered, type Question, type Quiz, type Response } from './quiz';

const pairs = JSON.parse(readFileSync(join(process.cwd(), '../internal/curriculum/quiz/testdata/fold.json'), 'utf8')) as { in: string; want: string }[];

describe('fold', () => {
  it.each(pairs.map((pair) => [pair.in, pair.want]))('%j', (text, want) => expect(fold(text)).toBe(want));
});

const options = ['a', 'b', 'c'].map((id) => ({ id, text: id, feedback: `about ${id}` }));
const feedback = { correct: 'Yes.', incorrect: 'No.' };
const question = (type: Question['type'], more: Partial<Question>): Question => ({ id: type, type, prompt: '?', points: 1, ...more });
const questions: Record<string, Question> = {
  single: question('single', { options, key: { correct: ['b'] } }),
  multiple: question('multiple', { options, key: { correct: ['a', 'c'] } }),
  order: question('order', { options, key: { correct: ['c', 'a', 'b'], feedback } }),
  match: question('match', { lefts: options, rights: options, key: { pairs: { a: 'b', b: 'c', c: 'a' }, feedback } }),
  number: question('number', { key: { number: 0.2, tolerance: 0, feedback } }),
  text: question('text', { key: { accept: ['training data', 'بيانات'], feedback } }),
};

const correct = (type: string, response: Response) => {
  const quiz: Quiz = { id: 'q', title: '', graded: false, pass: 0.7, questions: [questions[type] as Question] };
  return mark(quiz, { [type]: response }).questions[0];
};

describe('mark', () => {
  it.each<[string, Response, boolean]>([
    ['single', 'b', true],
    ['single', 'a', false],
    ['multiple', ['c', 'a'], true],
    ['multiple', ['a'], false],
    ['multiple', ['a', 'b', 'c'], false],
    ['order', ['c', 'a', 'b'], true],
    ['order', ['a', 'b', 'c'], false],
    ['match', { a: 'b', b: 'c', c: 'a' }, true],
    ['match', { a: 'b', b: 'c' }, false],
    ['match', { a: 'b', b: 'c', c: 'b' }, false],
    ['number', 0.3 - 0.1, true],
    ['number', 0.21, false],
    ['text', ' Training  DATA ', true],
    ['text', 'بَيَانَات', true],
    ['text', 'data', false],
    ['text', ' ', false],
  ])('%s %j', (type, response, want) => expect(correct(type, response)?.correct).toBe(want));

  it('says what belongs to the answer', () => {
    expect(correct('order', ['c', 'a', 'b'])?.feedback).toEqual(['Yes.']);
    expect(correct('order', ['a', 'b', 'c'])?.feedback).toEqual(['No.']);
    expect(correct('single', 'a')?.feedback).toEqual([]);
  });

  it('weighs points, and fails nobody by a hair', () => {
    const heavy = { ...(questions['single'] as Question), id: 'heavy', points: 2 };
    const quiz: Quiz = { id: 'q', title: '', graded: false, pass: 2 / 3, questions: [heavy, questions['text'] as Question] };
    const got = mark(quiz, { heavy: 'b', text: 'wrong' });
    expect(got.score).toBeCloseTo(2 / 3);
    expect(got.passed).toBe(true);
    expect(mark(quiz, { text: 'training data' }).passed).toBe(false);
    const ten = Array.from({ length: 10 }, (_, i) => ({ ...(questions['single'] as Question), id: `q${i}` }));
    // 0.1 + 0.2 is a hair more than three in ten.
    expect(mark({ ...quiz, pass: 0.1 + 0.2, questions: ten }, { q0: 'b', q1: 'b', q2: 'b' }).passed).toBe(true);
  });

  it('knows what has no answer yet', () => {
    const is = (type: string, response?: Response) => answered(questions[type] as Question, response);
    expect([is('single'), is('multiple', []), is('match', { a: 'b' }), is('number', ''), is('text', '  ')]).toEqual(Array(5).fill(false));
    expect([is('order'), is('single', 'a'), is('number', 0), is('match', { a: 'b', b: 'b', c: 'b' })]).toEqual(Array(4).fill(true));
  });
});
