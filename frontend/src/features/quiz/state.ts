// One try at a quiz: answers are kept on the device until they are handed in.
import { signal } from '@preact/signals';
import { enrollment, loadProgress } from '../../learner/enrollment';
import { otherVersion } from '../../learner/join';
import { append } from '../../offline/outbox';
import { drop, keep, kept } from '../../offline/shelf';
import { mark, type Marked } from './mark';
import { answered, type Question, type Quiz, type Response } from './quiz';

/** sending: the server has it not yet; kept: it takes long, and the learner may leave. */
export type Phase = 'answering' | 'sending' | 'kept' | 'marked' | 'rejected';

const patience = 6000;

export function createTry(quiz: Quiz, draftKey: () => string) {
  const responses = signal<Record<string, Response>>({});
  const phase = signal<Phase>('answering');
  const marked = signal<Marked | undefined>(undefined);
  const reason = signal('');
  const missing = signal<ReadonlySet<string>>(new Set());

  function orderOf(question: Question): string[] {
    const given = responses.value[question.id];
    return Array.isArray(given) ? given : (question.options ?? []).map(({ id }) => id);
  }

  function answer(question: Question, response: Response): void {
    if (phase.value !== 'answering') return;
    responses.value = { ...responses.value, [question.id]: response };
    if (missing.value.has(question.id)) missing.value = without(missing.value, question.id);
    void keep('drafts', draftKey(), responses.value);
  }

  async function restore(): Promise<void> {
    const found = await kept<Record<string, Response>>('drafts', draftKey());
    if (found && phase.value === 'answering') responses.value = { ...found, ...responses.value };
  }

  /** Hands in; gives the first question without an answer, if there is one. */
  function handIn(): Question | undefined {
    const open = quiz.questions.filter((question) => !answered(question, responses.value[question.id]));
    missing.value = new Set(open.map(({ id }) => id));
    if (open.length) return open[0];
    const all: Record<string, Response> = {};
    for (const question of quiz.questions) {
      all[question.id] = question.type === 'order' ? orderOf(question) : (responses.value[question.id] as Response);
    }
    // Answers to another version than the learner takes count nowhere.
    const mine = otherVersion() ? undefined : enrollment.value;
    if (!quiz.graded) {
      marked.value = mark(quiz, all);
      phase.value = 'marked';
    }
    if (mine) send(mine.id, all);
    return undefined;
  }

  function send(enrollmentID: string, all: Record<string, Response>): void {
    const sent = append({ enrollment_id: enrollmentID, verb: 'answered', object_id: quiz.id, responses: all });
    void sent.kept.then(() => drop('drafts', draftKey()));
    if (quiz.graded) {
      phase.value = 'sending';
      setTimeout(() => phase.value === 'sending' && (phase.value = 'kept'), patience);
    }
    void sent.answered.then((got) => {
      if (quiz.graded) {
        reason.value = got.detail ?? '';
        marked.value = got.marked;
        phase.value = got.status === 'rejected' ? 'rejected' : 'marked';
      }
      return loadProgress().catch(() => undefined);
    });
  }

  function again(): void {
    responses.value = {};
    marked.value = undefined;
    phase.value = 'answering';
  }

  return { responses, phase, marked, reason, missing, orderOf, answer, restore, handIn, again };
}

export type Try = ReturnType<typeof createTry>;

function without<T>(set: ReadonlySet<T>, one: T): ReadonlySet<T> {
  const copy = new Set(set);
  copy.delete(one);
  return copy;
}
