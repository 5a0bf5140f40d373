// Hands in a lab and waits for its verdict. What was handed in is kept on the device first, with its id, so that a reload, a lost answer or a
// dead battery only delays it: sending it again gives the first submission. Without the network it goes with the next sync
// (offline/sync.ts), however many there are. Of all tabs one is at a submission at a time.
import { computed, effect, signal } from '@preact/signals';
import { api, ask, type Schemas } from '../../api/client';
import { Problem, Unreached } from '../../api/problem';
import { changes, findHandIn, keepHandIn, listHandIns, type HandIn as Kept } from '../../offline/hand-ins';
import { flush, lastSync } from '../../offline/outbox';
import { drop, kept } from '../../offline/shelf';
import { alone } from '../../offline/turns';
import { uuidv7 } from '../../offline/uuidv7';
import type { Submission } from './lab';

type NewSubmission = Schemas['NewSubmission'];

/** idle · sending: not with the server yet · grading: it waits for its verdict · waiting: the network is away · refused: see trouble */
export type Phase = 'idle' | 'sending' | 'grading' | 'waiting' | 'refused';

export interface Clock {
  sleep(ms: number): Promise<void>;
}
const realClock: Clock = { sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) };

/** `user`: whose it is. `legacy`: under which key an older page kept what had no verdict. */
export function createHandIn(user: string, legacy: string, clock: Clock = realClock) {
  const phase = signal<Phase>('idle');
  const trouble = signal<unknown>(undefined);
  const told = signal<readonly Submission[]>([]);
  const here = signal<readonly Kept[]>([]);
  /** Whether what waits survives closing the page. */
  const durable = signal(true);
  /** Newest first: what the server has told, and what it has not heard of yet. */
  const history = computed<readonly Submission[]>(() => {
    const all = new Map(told.value.map((one) => [one.id, one]));
    for (const one of here.value) {
      if (one.state === 'refused') continue;
      const before = all.get(one.submission.id);
      if (!before?.verdict) all.set(one.submission.id, one.answer ?? { ...one.submission, created_at: one.made_at });
    }
    // By the server's clock, which a device need not share; what it has not heard of is newest. Of those handed in here the later one
    // stays later, although it may have come to the server first.
    const places = new Map<string, string>();
    let latest = '';
    for (const { submission, answer } of [...here.value].sort((a, b) => (a.submission.id < b.submission.id ? -1 : 1))) {
      const came = answer ? answer.created_at : '~';
      if (came > latest) latest = came;
      places.set(submission.id, latest);
    }
    const place = ({ id, created_at }: Submission) => (places.get(id) ?? created_at) + id;
    return Array.from(all.values()).sort((a, b) => (place(a) < place(b) ? 1 : -1));
  });
  const under = new Set<string>();
  let at: { enrollment: string; lab: string } | undefined;

  // Another tab, or a sync, may bring news of what was handed in.
  const stop = effect(() => {
    if (changes.value || lastSync.value) void look(true);
  });

  async function look(onwards: boolean): Promise<void> {
    if (!at) return;
    const { enrollment, lab } = at;
    const all = await listHandIns(user).catch(() => []);
    here.value = all.filter(({ submission }) => submission.enrollment_id === enrollment && submission.lab_id === lab);
    if (onwards) for (const one of here.value) if (one.state === 'sent') void follow(one.submission.id);
    if (under.size) return;
    const [newest] = here.value;
    if (newest?.state === 'waiting') phase.value = 'waiting';
    else if (newest?.state === 'done' && phase.value !== 'refused') phase.value = 'idle';
  }

  /** Takes up what an earlier visit, or one without the network, left without a verdict. */
  async function resume(enrollmentID: string, labID: string): Promise<void> {
    at = { enrollment: enrollmentID, lab: labID };
    const old = await kept<NewSubmission>('pending', legacy);
    if (old && old.enrollment_id === enrollmentID) {
      await keepHandIn(user, { state: 'waiting', submission: old, made_at: new Date().toISOString() });
      await drop('pending', legacy);
    }
    await look(true);
    for (const one of here.value) if (one.state === 'waiting') void follow(one.submission.id);
  }

  async function handIn(enrollmentID: string, labID: string, files: Record<string, string>): Promise<void> {
    at = { enrollment: enrollmentID, lab: labID };
    const submission: NewSubmission = { id: uuidv7(), enrollment_id: enrollmentID, lab_id: labID, files };
    under.add(submission.id);
    phase.value = 'sending';
    durable.value = await keepHandIn(user, { state: 'waiting', submission, made_at: new Date().toISOString() });
    await look(false);
    under.delete(submission.id);
    await follow(submission.id);
  }

  /** Sends it where that is not done, and waits for the verdict; or for the tab that does so. */
  async function follow(id: string): Promise<void> {
    if (under.has(id)) return;
    under.add(id);
    trouble.value = undefined;
    phase.value = 'sending';
    let next: Phase = 'idle';
    try {
      await alone(`hand-in/${id}`, async () => {
        let one = await findHandIn(user, id);
        if (one?.state === 'waiting') {
          const answer = await ask(api.POST('/api/submissions', { body: one.submission }));
          one = { ...one, state: 'sent', answer };
          await keepHandIn(user, one);
        }
        if (one?.state !== 'sent') return;
        phase.value = 'grading';
        await watch(one);
      }, true);
    } catch (cause) {
      next = await failed(id, cause);
    } finally {
      under.delete(id);
    }
    await look(false);
    if (!under.size) phase.value = next;
  }

  async function failed(id: string, cause: unknown): Promise<Phase> {
    const passing = cause instanceof Unreached || (cause instanceof Problem && (cause.status >= 500 || cause.status === 429));
    if (passing) {
      // Sync goes on trying, ever more seldom, and tells when it came through.
      void flush();
      return 'waiting';
    }
    trouble.value = cause;
    // Signed out, or under an enrollment that the server has yet to hear of: it stays. Refused for good: it would be refused again.
    const one = await findHandIn(user, id);
    const stays = !(cause instanceof Problem) || cause.status === 401 || cause.code === 'enrollment.not_found';
    if (stays) void flush();
    else if (one) await keepHandIn(user, { ...one, state: 'refused', detail: cause.message });
    return cause instanceof Problem && cause.code === 'enrollment.not_found' ? 'waiting' : 'refused';
  }

  async function watch(one: Kept): Promise<void> {
    const { id } = one.submission;
    for (;;) {
      const began = Date.now();
      // It is answered early when the place in line changes.
      const query = { wait: 20 };
      const answer = await ask(api.GET('/api/submissions/{submission_id}', { params: { path: { submission_id: id }, query } }));
      await keepHandIn(user, { ...one, state: answer.verdict ? 'done' : 'sent', answer });
      if (answer.verdict) return;
      phase.value = 'grading';
      // A server that does not wait must not be asked in a tight loop.
      if (Date.now() - began < 2000) await clock.sleep(2000);
    }
  }

  async function loadHistory(enrollmentID: string, labID: string): Promise<void> {
    const query = { enrollment_id: enrollmentID, lab_id: labID, limit: 20 };
    told.value = (await ask(api.GET('/api/submissions', { params: { query } }))).items;
  }

  return { phase, trouble, history, durable, handIn, resume, loadHistory, close: stop };
}

export type HandIn = ReturnType<typeof createHandIn>;

