import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { arrange, draws, layOut, shown, type Seed } from './draw';
import type { Option, Plan, Question, Quiz } from './quiz';

interface Vector {
  seed: Seed;
  plan: Plan;
  shown: string[];
  question: string;
  options: Option[];
  arranged: string[];
}
const vectors = JSON.parse(readFileSync(join(process.cwd(), '../internal/curriculum/quiz/testdata/draws.json'), 'utf8')) as Vector[];

describe('a draw', () => {
  it.each(vectors.map((vector) => [`${vector.seed.enrollment}/${vector.seed.attempt}`, vector] as const))('is the server’s: %s', (_, vector) => {
    const parts = shown(vector.plan, vector.seed);
    expect(parts).toHaveLength(vector.plan.sections?.length ?? 0);
    expect(parts.reduce((all, part) => [...all, ...part], [])).toEqual(vector.shown);
    expect(arrange(vector.seed, vector.question, vector.options).map(({ id }) => id)).toEqual(vector.arranged);
  });
});

const question = (id: string, type: Question['type'] = 'single'): Question => ({
  id,
  type,
  prompt: id,
  points: 1,
  options: ['a', 'b', 'c', 'd', 'e'].map((option) => ({ id: option, text: option, ...(option === 'c' ? { last: true } : {}) })),
});
const quiz: Quiz = {
  id: 'quiz',
  title: '',
  graded: false,
  pass: 1,
  shuffle: true,
  sections: [{ title: 'One', questions: ['x', 'y'] }, { draw: { bank: 'bank', count: 2 } }],
  banks: { bank: ['p', 'q', 'r', 's'] },
  questions: [question('x'), question('y', 'order'), ...['p', 'q', 'r', 's'].map((id) => question(id))],
};

describe('a quiz', () => {
  const of = (attempt: number) => layOut(quiz, { enrollment: 'e', quiz: 'quiz', attempt });
  const order = (one: Question | undefined) => (one?.options ?? []).map(({ id }) => id).join('');

  it('shows its sections, with other questions in the next attempt', () => {
    const [first, second] = [of(1), of(2)];
    expect(first.map(({ title }) => title)).toEqual(['One', undefined]);
    expect(first[0]?.questions.map(({ id }) => id)).toEqual(['x', 'y']);
    const drawn = [...(first[1]?.questions ?? []), ...(second[1]?.questions ?? [])].map(({ id }) => id);
    expect(drawn.sort()).toEqual(['p', 'q', 'r', 's']);
    expect(of(1)).toEqual(first);
  });

  it('shuffles options to choose from, and nothing else', () => {
    const orders = new Set(Array.from({ length: 30 }, (_, i) => order(of(i + 1)[0]?.questions[0])));
    expect(orders.size).toBeGreaterThan(10);
    expect(Array.from(orders).every((one) => one.endsWith('c'))).toBe(true);
    expect(order(of(3)[0]?.questions[1])).toBe('abcde');
    expect(order(layOut({ ...quiz, shuffle: false }, { enrollment: 'e', quiz: 'quiz', attempt: 3 })[0]?.questions[0])).toBe('abcde');
  });

  it('of before shows all that it has, as it stands', () => {
    const old: Quiz = { id: 'old', title: '', graded: true, pass: 1, questions: quiz.questions };
    expect(draws(old)).toBe(false);
    expect(layOut(old, { enrollment: 'e', quiz: 'old', attempt: 2 })).toEqual([{ questions: quiz.questions }]);
  });
});
