// Marks a practice quiz in the page, as internal/curriculum/quiz/mark.go does on the server.
import { fold } from './fold';
import { answered, type Key, type Question, type Quiz, type Response } from './quiz';

export interface MarkedQuestion {
  id: string;
  correct: boolean;
  points: number;
  feedback?: string[];
  /** The language of each feedback, empty where it is the page's. */
  feedback_lang?: string[];
}
export interface Marked {
  score: number;
  passed: boolean;
  questions: MarkedQuestion[];
}

export function mark(quiz: Quiz, responses: Record<string, Response>): Marked {
  let earned = 0;
  let total = 0;
  const questions = quiz.questions.map((question): MarkedQuestion => {
    const response = responses[question.id];
    const correct = response !== undefined && answered(question, response) && right(question, question.key ?? {}, response);
    total += question.points;
    if (correct) earned += question.points;
    return { id: question.id, correct, points: correct ? question.points : 0, ...say(question, correct) };
  });
  const score = total > 0 ? Math.min(earned / total, 1) : 0;
  return { score, passed: score >= quiz.pass - 1e-9, questions };
}

function right({ type, lefts }: Question, key: Key, response: Response): boolean {
  switch (type) {
    case 'single':
      return key.correct?.length === 1 && key.correct[0] === response;
    case 'multiple':
      return same([...(response as string[])].sort(), [...(key.correct ?? [])].sort());
    case 'order':
      return same(response as string[], key.correct ?? []);
    case 'match':
      return (lefts ?? []).every(({ id }) => (response as Record<string, string>)[id] === key.pairs?.[id]);
    case 'number':
      return near(response as number, key);
    case 'text': {
      const said = fold(response as string);
      return said !== '' && (key.accept ?? []).includes(said);
    }
  }
}

function near(got: number, { number, tolerance = 0 }: Key): boolean {
  if (number === undefined) return false;
  // 0.3 - 0.1 is not 0.2 in binary; a learner's 0.2 is right all the same.
  const slack = 1e-9 * Math.max(Math.abs(number), tolerance, 1e-3);
  return Math.abs(got - number) <= tolerance + slack;
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}

// Options carry their own feedback, shown beside them; the other types have one for right and one for wrong.
function say({ key, options, type }: Question, correct: boolean): Pick<MarkedQuestion, 'feedback' | 'feedback_lang'> {
  const said = key?.feedback;
  const text = correct ? said?.correct : said?.incorrect;
  if ((options && type !== 'order') || !text) return { feedback: [] };
  return { feedback: [text], feedback_lang: [(correct ? said?.correct_lang : said?.incorrect_lang) ?? ''] };
}
