// One try at a quiz: answers are kept on the device until they are handed in.
import { computed, signal } from '@preact/signals';
import { me } from '../../api/me';
import { enrollment, loadProgress, progress, trouble } from '../../learner/enrollment';
import { otherVersion } from '../../learner/join';
import { acknowledged, append, waiting } from '../../offline/outbox';
import { drop, keep, kept } from '../../offline/shelf';
import { draws, layOut, type Part, type Seed } from './draw';
import { mark, type Marked } from './mark';
import { answered, type Question, type Quiz, type Response } from './quiz';

/** sending: the server has it not yet; kept: it takes long, and the learner may leave. */
export type Phase = 'answering' | 'sending' | 'kept' | 'marked' | 'rejected';

/** What stays on the device: which attempt it is, and what is answered so far. */
interface Draft {
  seed: Seed;
  responses: Record<string, Response>;
}

const patience = 6000;

export function createTry(quiz: Quiz, draftKey: () => string) {
  const responses = signal<Record<string, Response>>({});
  const phase = signal<Phase>('answering');
  const marked = signal<Marked | undefined>(undefined);
  const reason = signal('');
  const missing = signal<ReadonlySet<string>>(new Set());
  // Until it is known whose attempt it is, a quiz that draws has nothing to show.
  const seed = signal<Seed | undefined>(undefined);
  const parts = computed<Part[]>(() => (seed.value ? layOut(quiz, seed.value) : []));
  const questions = computed<Question[]>(() => parts.value.reduce<Question[]>((all, part) => [...all, ...part.questions], []));
  const open = computed(() => questions.value.filter((question) => !answered(question, responses.value[question.id])));
  const drawing = draws(quiz);
  let taken = 0; // the last attempt that this page knows to be answered

  /**
   * The seed that page and server share. 'wait': it is not known yet who is here. undefined: nobody who takes the
   * course, so nothing goes to the server and any seed does.
   */
  function shared(): Seed | 'wait' | undefined {
    if (!drawing || me.value === null || me.value === 'unreached') return undefined;
    const mine = enrollment.value;
    if (!me.value || mine === undefined || (mine && !progress.value)) return trouble.value ? undefined : 'wait';
    if (!mine || otherVersion()) return undefined;
    const known = progress.value?.items.find((item) => item.object_id === quiz.id)?.attempts ?? 0;
    const sent = [...acknowledged.value, ...waiting.value].filter((one) => one.object_id === quiz.id && one.enrollment_id === mine.id).map(({ attempt = 0 }) => attempt);
    return { enrollment: mine.id, quiz: quiz.id, attempt: Math.max(known, taken, ...sent) + 1 };
  }

  function orderOf(question: Question): string[] {
    const given = responses.value[question.id];
    return Array.isArray(given) ? given : (question.options ?? []).map(({ id }) => id);
  }

  function answer(question: Question, response: Response): void {
    if (phase.value !== 'answering') return;
    responses.value = { ...responses.value, [question.id]: response };
    if (missing.value.has(question.id)) missing.value = without(missing.value, question.id);
    save();
  }

  function save(): void {
    if (seed.value) void keep('drafts', draftKey(), { seed: seed.value, responses: responses.value } satisfies Draft);
  }

  /** Begins, or goes on where the draft ended. Called again when it becomes known who is here. */
  async function restore(): Promise<void> {
    const common = shared();
    if (common === 'wait') return;
    // Nobody's graded draw would be another one as soon as somebody joins.
    if (!common && drawing && quiz.graded) return;
    const found = await kept<Draft>('drafts', draftKey());
    if (phase.value !== 'answering') return;
    const next = common ?? (found && !drawn(found.seed) ? found.seed : { enrollment: word(), quiz: quiz.id, attempt: 1 });
    // Who has begun goes on: questions do not change under the pen.
    if (seed.value && (same(seed.value, next) || Object.keys(responses.value).length)) return;
    seed.value = next;
    if (found && same(found.seed, next)) responses.value = { ...found.responses, ...responses.value };
    else if (!common) save();
  }

  // Seeds with an enrollment are the server's too; a word of the device is short.
  const drawn = ({ enrollment: whose }: Seed) => whose.length > 16;

  /** Hands in; gives the first question without an answer, if there is one. */
  function handIn(): Question | undefined {
    missing.value = new Set(open.value.map(({ id }) => id));
    if (open.value.length || !seed.value) return open.value[0];
    const all: Record<string, Response> = {};
    for (const question of questions.value) {
      all[question.id] = question.type === 'order' ? orderOf(question) : (responses.value[question.id] as Response);
    }
    if (!quiz.graded) {
      marked.value = mark({ ...quiz, questions: questions.value }, all);
      phase.value = 'marked';
    }
    // Answers to another version than the learner takes count nowhere, nor does a draw from before somebody joined.
    const mine = otherVersion() ? undefined : enrollment.value;
    if (mine && (!drawing || seed.value.enrollment === mine.id)) send(mine.id, all, seed.value);
    else following(seed.value);
    return undefined;
  }

  // The next visit finds the next attempt.
  function following(of: Seed): Promise<unknown> {
    if (drawn(of)) return drop('drafts', draftKey());
    return keep('drafts', draftKey(), { seed: { ...of, attempt: of.attempt + 1 }, responses: {} } satisfies Draft);
  }

  function send(enrollmentID: string, all: Record<string, Response>, of: Seed): void {
    const attempt = drawing ? of.attempt : undefined;
    // A practice quiz counts on this device at once; what counts for good is what the server finds.
    const found = marked.value && { score: marked.value.score, passed: marked.value.passed };
    const sent = append({ enrollment_id: enrollmentID, verb: 'answered', object_id: quiz.id, attempt, responses: all, found });
    void sent.kept.then(() => following(of));
    if (quiz.graded) {
      phase.value = 'sending';
      setTimeout(() => phase.value === 'sending' && (phase.value = 'kept'), navigator.onLine ? patience : 0);
    }
    void sent.answered.then((got) => {
      if (attempt && (got.status !== 'rejected' || got.code === 'statement.attempt_answered')) taken = Math.max(taken, attempt);
      if (quiz.graded) {
        reason.value = got.detail ?? '';
        marked.value = got.marked;
        phase.value = got.status === 'rejected' ? 'rejected' : 'marked';
      }
      return loadProgress().catch(() => undefined);
    });
  }

  function again(): void {
    const common = shared();
    const before = seed.value as Seed;
    responses.value = {};
    marked.value = undefined;
    missing.value = new Set();
    phase.value = 'answering';
    seed.value = common && common !== 'wait' ? common : { ...before, attempt: before.attempt + 1 };
  }

  return { responses, phase, marked, reason, missing, seed, parts, questions, open, orderOf, answer, restore, handIn, again, shared };
}

export type Try = ReturnType<typeof createTry>;

const same = (a: Seed, b: Seed): boolean => a.enrollment === b.enrollment && a.attempt === b.attempt;

function word(): string {
  return Math.random().toString(36).slice(2, 10);
}

function without<T>(set: ReadonlySet<T>, one: T): ReadonlySet<T> {
  const copy = new Set(set);
  copy.delete(one);
  return copy;
}
