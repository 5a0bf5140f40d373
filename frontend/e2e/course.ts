// What a good learner knows: the shipped course's own answers and solutions, read from its folder.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const courseID = 'ai-in-daily-life';
const content = join(import.meta.dirname, '../../content');
const folder = join(content, 'examples', courseID);
const read = <T>(path: string) => parse(readFileSync(join(folder, path), 'utf8')) as T;

export interface Item {
  id: string;
  kind: 'lesson' | 'quiz' | 'lab';
}

export function items(): Item[] {
  const course = read<{ modules: { items: Record<string, string>[] }[] }>('course.yaml');
  return course.modules.flatMap((module) =>
    module.items.map((item) => {
      const [kind, id] = Object.entries(item)[0] as [Item['kind'], string];
      return { id, kind };
    }),
  );
}

export interface Question {
  id: string;
  type: string;
  options?: { id: string; correct?: boolean }[];
  pairs?: { id: string; left: string; right: string }[];
  answer?: number;
  accept?: string[];
}
interface PublicQuestion {
  id: string;
  lefts?: { id: string; text: string }[];
  rights?: { id: string; text: string }[];
}

/** The questions of a bank of a shipped course, by id. */
export function bankOf(course: string, bank: string): Map<string, Question> {
  const { questions } = parse(readFileSync(join(content, 'courses', course, 'banks', `${bank}.yaml`), 'utf8')) as { questions: Question[] };
  return new Map(questions.map((question) => [question.id, question]));
}

export function isGraded(quiz: string): boolean {
  return read<{ graded: boolean }>(`quizzes/${quiz}.yaml`).graded;
}

/** The right answers to a quiz. Match questions need the page's English data, for their right ids are opaque. */
export function answers(quiz: string, shown: { questions: PublicQuestion[] }): Record<string, unknown> {
  const { questions } = read<{ questions: Question[] }>(`quizzes/${quiz}.yaml`);
  return Object.fromEntries(questions.map((question) => [question.id, answer(question, shown)]));
}

function answer(question: Question, shown: { questions: PublicQuestion[] }): unknown {
  const options = question.options ?? [];
  const correct = options.filter((option) => option.correct).map(({ id }) => id);
  const page = shown.questions.find(({ id }) => id === question.id);
  switch (question.type) {
    case 'single':
      return correct[0];
    case 'multiple':
      return correct;
    case 'order':
      return options.map(({ id }) => id);
    case 'match':
      return Object.fromEntries(
        (question.pairs ?? []).map((pair) => [
          page?.lefts?.find(({ text }) => text === pair.left)?.id,
          page?.rights?.find(({ text }) => text === pair.right)?.id,
        ]),
      );
    case 'number':
      return question.answer;
    default:
      return question.accept?.[0];
  }
}

export function solution(lab: string): string {
  return readFileSync(join(folder, 'labs', lab, 'solution.py'), 'utf8');
}

/** A solution that some checks find wanting. */
export function wrong(lab: string): string {
  const dir = join(folder, 'labs', lab, 'wrong');
  return readFileSync(join(dir, readdirSync(dir).sort()[0] as string), 'utf8');
}
