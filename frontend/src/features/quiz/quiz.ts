// A quiz as the page gets it; see internal/curriculum/quiz/quiz.go. A `lang` says that a text is not in the page's language.
export type Response = string | string[] | Record<string, string> | number;

export interface Option {
  id: string;
  text: string;
  lang?: string;
  last?: boolean;
  feedback?: string;
  feedback_lang?: string;
}
export interface Key {
  correct?: string[];
  pairs?: Record<string, string>;
  number?: number;
  tolerance?: number;
  accept?: string[];
  feedback?: { correct?: string; correct_lang?: string; incorrect?: string; incorrect_lang?: string };
}
export interface Question {
  id: string;
  type: 'single' | 'multiple' | 'order' | 'match' | 'number' | 'text';
  prompt: string;
  lang?: string;
  points: number;
  options?: Option[];
  lefts?: Option[];
  rights?: Option[];
  key?: Key;
}
/** Which questions an attempt shows; without sections, all. */
export interface Plan {
  sections?: { title?: string; lang?: string; questions?: string[]; draw?: { bank: string; count: number } }[];
  banks?: Record<string, string[]>;
}
export interface Quiz extends Plan {
  id: string;
  title: string;
  graded: boolean;
  pass: number;
  shuffle?: boolean;
  questions: Question[];
  /** The language of all its texts, where the course does not speak the page's at all. */
  spoken?: string;
}

/** Names the language of every text of a quiz that is not in the page's. */
export function withLanguage(quiz: Quiz): Quiz {
  const { spoken } = quiz;
  if (!spoken) return quiz;
  for (const section of quiz.sections ?? []) section.lang ??= spoken;
  for (const question of quiz.questions) {
    question.lang ??= spoken;
    for (const option of [question.options, question.lefts, question.rights].flatMap((some) => some ?? [])) {
      option.lang ??= spoken;
      option.feedback_lang ??= spoken;
    }
    const said = question.key?.feedback;
    if (said) {
      said.correct_lang ??= spoken;
      said.incorrect_lang ??= spoken;
    }
  }
  return quiz;
}

/** Whether there is an answer to send. What stands in an order is one as it stands. */
export function answered(question: Question, response: Response | undefined): boolean {
  if (question.type === 'order') return true;
  if (response === undefined) return false;
  if (question.type === 'match') return (question.lefts ?? []).every(({ id }) => (response as Record<string, string>)[id]);
  if (typeof response === 'string') return response.trim() !== '';
  return !Array.isArray(response) || response.length > 0;
}
