// Which questions an attempt shows and how their options stand: step by step as internal/curriculum/quiz/draw.go,
// whose testdata/draws.json holds both to the same results.
import type { Option, Plan, Question, Quiz } from './quiz';

/** What all of it follows from. */
export interface Seed {
  /** For somebody who practises without an enrollment, a word that the device makes. */
  enrollment: string;
  quiz: string;
  attempt: number;
}

/** A part of the quiz as an attempt shows it. */
export interface Part {
  title?: string;
  lang?: string;
  questions: Question[];
}

export const draws = (plan: Plan): boolean => (plan.sections ?? []).some(({ draw }) => draw);

/** The ids of the questions that an attempt shows, by section. */
export function shown({ sections = [], banks = {} }: Plan, { enrollment, quiz, attempt }: Seed): string[][] {
  const step: Record<string, number> = {};
  for (const { draw } of sections) if (draw) step[draw.bank] = (step[draw.bank] ?? 0) + draw.count;
  const rounds = new Map(
    Object.entries(banks).map(([bank, ids]) => {
      const n = ids.length || 1;
      return [bank, { order: shuffle(random(`draw/${enrollment}/${quiz}/${bank}`), ids), next: (((attempt - 1) % n) * ((step[bank] ?? 0) % n)) % n }];
    }),
  );
  return sections.map(({ questions = [], draw }) => {
    const out = [...questions];
    const round = draw && rounds.get(draw.bank);
    for (let i = 0; round && i < Math.min(draw.count, round.order.length); i++) {
      out.push(round.order[round.next] as string);
      round.next = (round.next + 1) % round.order.length;
    }
    return out;
  });
}

/** Options in the order of an attempt: shuffled, but for those that stay last. */
export function arrange({ enrollment, quiz, attempt }: Seed, question: string, options: readonly Option[]): Option[] {
  const first = options.filter(({ last }) => !last);
  return [...shuffle(random(`options/${enrollment}/${quiz}/${attempt}/${question}`), first), ...options.filter(({ last }) => last)];
}

/** The quiz as an attempt shows it. */
export function layOut(quiz: Quiz, seed: Seed): Part[] {
  const ready = quiz.questions.map((question) =>
    quiz.shuffle && (question.type === 'single' || question.type === 'multiple')
      ? { ...question, options: arrange(seed, question.id, question.options ?? []) }
      : question,
  );
  if (!quiz.sections) return [{ questions: ready }];
  const by = new Map(ready.map((question) => [question.id, question]));
  const ids = shown(quiz, seed);
  return quiz.sections.map(({ title, lang }, i) => ({ title, lang, questions: (ids[i] as string[]).map((id) => by.get(id) as Question) }));
}

// sfc32, begun with three FNV-1a sums of the words.
function random(words: string): () => number {
  const part = (i: number) => {
    let h = 2166136261 ^ i;
    for (let at = 0; at < words.length; at++) h = Math.imul(h ^ words.charCodeAt(at), 16777619);
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return h ^ (h >>> 16);
  };
  let [a, b, c, n] = [part(0), part(1), part(2), 1];
  const next = () => {
    const t = (a + b + n++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 15; i++) next();
  return next;
}

function shuffle<T>(next: () => number, list: readonly T[]): T[] {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    let x = next();
    // The last numbers would make some remainders more likely.
    while (x >= 2 ** 32 - (2 ** 32 % (i + 1))) x = next();
    const j = x % (i + 1);
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}
