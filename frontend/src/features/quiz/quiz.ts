// A quiz as the page gets it; see internal/curriculum/course.go.
export type Response = string | string[] | Record<string, string> | number;

export interface Option {
  id: string;
  text: string;
  feedback?: string;
}
export interface Key {
  correct?: string[];
  pairs?: Record<string, string>;
  number?: number;
  tolerance?: number;
  accept?: string[];
  feedback?: { correct?: string; incorrect?: string };
}
export interface Question {
  id: string;
  type: 'single' | 'multiple' | 'order' | 'match' | 'number' | 'text';
  prompt: string;
  points: number;
  options?: Option[];
  lefts?: Option[];
  rights?: Option[];
  key?: Key;
}
export interface Quiz {
  id: string;
  title: string;
  graded: boolean;
  pass: number;
  questions: Question[];
}

/** Whether there is an answer to send. What stands in an order is one as it stands. */
export function answered(question: Question, response: Response | undefined): boolean {
  if (question.type === 'order') return true;
  if (response === undefined) return false;
  if (question.type === 'match') return (question.lefts ?? []).every(({ id }) => (response as Record<string, string>)[id]);
  if (typeof response === 'string') return response.trim() !== '';
  return !Array.isArray(response) || response.length > 0;
}
