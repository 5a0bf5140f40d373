// Hands in a lab and waits for its verdict. What was handed in is kept on the device first, with its id, so that a
// reload, a lost answer or a dead battery only delays it: sending it again gives the first submission.
import { signal } from '@preact/signals';
import { api, ask, type Schemas } from '../../api/client';
import { Problem, Unreached } from '../../api/problem';
import { drop, keep, kept } from '../../offline/shelf';
import { uuidv7 } from '../../offline/uuidv7';
import type { Submission } from './lab';

type NewSubmission = Schemas['NewSubmission'];

/** idle · sending: not with the server yet · grading: it waits for its verdict · waiting: the network is away · refused: see trouble */
export type Phase = 'idle' | 'sending' | 'grading' | 'waiting' | 'refused';

export interface Clock {
  sleep(ms: number): Promise<void>;
}
const realClock: Clock = { sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) };

export function createHandIn(key: string, clock: Clock = realClock) {
  const phase = signal<Phase>('idle');
  const trouble = signal<unknown>(undefined);
  /** Newest first. */
  const history = signal<readonly Submission[]>([]);
  let running = false;

  /** Takes up what an earlier visit left without a verdict. */
  async function resume(enrollmentID: string): Promise<void> {
    const left = await kept<NewSubmission>('pending', key);
    if (left && left.enrollment_id === enrollmentID) void follow(left);
  }

  async function handIn(enrollmentID: string, labID: string, files: Record<string, string>): Promise<void> {
    const submission: NewSubmission = { id: uuidv7(), enrollment_id: enrollmentID, lab_id: labID, files };
    await keep('pending', key, submission);
    await follow(submission);
  }

  async function follow(submission: NewSubmission): Promise<void> {
    if (running) return;
    running = true;
    trouble.value = undefined;
    try {
      phase.value = 'sending';
      note(await insist(() => ask(api.POST('/api/submissions', { body: submission }))));
      phase.value = 'grading';
      await watch(submission.id);
      await drop('pending', key);
      phase.value = 'idle';
    } catch (cause) {
      trouble.value = cause;
      phase.value = 'refused';
      // Signed out: it stays, for the next sign-in. Refused for good: it would be refused again.
      if (!(cause instanceof Problem && cause.status === 401)) await drop('pending', key);
    } finally {
      running = false;
    }
  }

  async function watch(id: string): Promise<void> {
    for (;;) {
      const began = Date.now();
      // It is answered early when the place in line changes.
      const query = { wait: 20 };
      const now = await insist(() =>
        ask(api.GET('/api/submissions/{submission_id}', { params: { path: { submission_id: id }, query } })),
      );
      note(now);
      if (now.verdict) return;
      phase.value = 'grading';
      // A server that does not wait must not be asked in a tight loop.
      if (Date.now() - began < 2000) await clock.sleep(2000);
    }
  }

  /** Asks until there is an answer; only a refusal ends it. */
  async function insist<T>(request: () => Promise<T>): Promise<T> {
    for (let failures = 0; ; failures++) {
      try {
        return await request();
      } catch (cause) {
        const passing = cause instanceof Unreached || (cause instanceof Problem && (cause.status >= 500 || cause.status === 429));
        if (!passing) throw cause;
        phase.value = 'waiting';
        const seconds = (cause instanceof Problem && cause.retryAfter) || Math.min(30, 2 ** failures);
        await Promise.race([clock.sleep(seconds * 1000), online()]);
      }
    }
  }

  function note(submission: Submission): void {
    history.value = [submission, ...history.value.filter(({ id }) => id !== submission.id)];
  }

  async function loadHistory(enrollmentID: string, labID: string): Promise<void> {
    const query = { enrollment_id: enrollmentID, lab_id: labID, limit: 20 };
    const { items } = await ask(api.GET('/api/submissions', { params: { query } }));
    const known = new Set(history.value.map(({ id }) => id));
    history.value = [...history.value, ...items.filter(({ id }) => !known.has(id))];
  }

  return { phase, trouble, history, handIn, resume, loadHistory };
}

export type HandIn = ReturnType<typeof createHandIn>;

function online(): Promise<void> {
  return new Promise((resolve) => addEventListener('online', () => resolve(), { once: true }));
}
