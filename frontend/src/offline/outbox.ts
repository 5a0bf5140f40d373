// Statements wait here until the server has acknowledged them, one by one. On the disk first;
// the network is a detail. A repeat is harmless, so whatever is unsure is sent again.
import { signal } from '@preact/signals';
import { api, ask, type Schemas } from '../api/client';
import { Problem } from '../api/problem';
import { disk } from './db';
import { uuidv7 } from './uuidv7';

export type Verb = 'started' | 'completed' | 'answered';
export interface NewStatement {
  id: string;
  enrollment_id: string;
  verb: Verb;
  object_id: string;
  at: string;
  /** Of a quiz that draws its questions: which draw is answered. */
  attempt?: number;
  responses?: Record<string, unknown>;
}
export type Answer = Schemas['StatementAnswer'];
interface Entry extends NewStatement {
  user: string; // a shared phone must not send one person's work as another's
}

/** What waits for this person, oldest first. */
export const waiting = signal<readonly NewStatement[]>([]);
/** Whether what waits survives closing the page. */
export const durable = signal(true);
/** What the server would not take, for people to read. */
export const refused = signal<readonly { id: string; detail: string }[]>([]);

const batch = 100;
const memory = new Map<string, Entry>();
// Acknowledged, also where the disk would not let go of them: they must not go round in circles.
const acknowledged = new Set<string>();
const waiters = new Map<string, (answer: Answer) => void>();
let user = '';
let flushing: Promise<void> | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let failures = 0;
let again = false;

/** Starts sending what waits for this person: now, when the network returns, when the page is looked at again. */
export async function open(userID: string): Promise<void> {
  if (user === userID) return;
  const first = user === '';
  user = userID;
  if (first) {
    addEventListener('online', wake);
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && wake());
  }
  await look();
  void flush();
}

function wake(): void {
  failures = 0;
  void flush();
}

/**
 * Keeps a statement and sends it soon. `kept` resolves when it is on the disk (or, where there is none, in memory),
 * `answered` when the server has acknowledged it, perhaps much later.
 */
export function append(statement: Omit<NewStatement, 'id' | 'at'>): { id: string; kept: Promise<void>; answered: Promise<Answer> } {
  const entry: Entry = { ...statement, id: uuidv7(), at: new Date().toISOString(), user };
  const answered = new Promise<Answer>((resolve) => waiters.set(entry.id, resolve));
  const kept = keep(entry);
  void kept.then(wake);
  return { id: entry.id, kept, answered };
}

async function keep(entry: Entry): Promise<void> {
  try {
    await disk.put('outbox', entry);
  } catch {
    memory.set(entry.id, entry);
    durable.value = false;
  }
  if (entry.user === user) waiting.value = [...waiting.value, entry];
}

async function entries(): Promise<Entry[]> {
  let kept: Entry[] = [];
  try {
    kept = await disk.list<Entry>('outbox', IDBKeyRange.bound([user, ''], [user, '\uffff']));
  } catch {
    durable.value = false;
  }
  const loose = Array.from(memory.values()).filter((entry) => entry.user === user);
  const all = loose.length ? [...kept, ...loose].sort((a, b) => (a.id < b.id ? -1 : 1)) : kept;
  return all.filter(({ id }) => !acknowledged.has(id));
}

async function look(): Promise<Entry[]> {
  const all = await entries();
  waiting.value = all;
  return all;
}

async function remove({ id, user: whose }: Entry): Promise<void> {
  memory.delete(id);
  acknowledged.add(id);
  try {
    await disk.remove('outbox', [whose, id]);
  } catch {
    // It stays, and the next visit sends it again; the server knows it by its id.
  }
  waiting.value = waiting.value.filter((entry) => entry.id !== id);
}

/** Sends all that waits. Calls while it runs join the one under way, which then looks once more. */
export function flush(): Promise<void> {
  again = true;
  flushing ??= loop();
  return flushing;
}

async function loop(): Promise<void> {
  try {
    while (again) {
      again = false;
      await run();
    }
  } finally {
    flushing = undefined;
  }
}

async function run(): Promise<void> {
  clearTimeout(timer);
  if (!user) return;
  const sender = user;
  try {
    for (;;) {
      const all = await look();
      if (!all.length || sender !== user) return;
      const left = await send(all.slice(0, batch));
      failures = 0;
      if (left) return later(undefined);
    }
  } catch (cause) {
    // Signed out: what waits is kept for the next sign-in.
    if (cause instanceof Problem && cause.status === 401) return;
    later(cause instanceof Problem ? cause.retryAfter : undefined);
  }
}

/** Sends some entries and says whether any is left without an answer. */
async function send(some: Entry[]): Promise<boolean> {
  let answers: Answer[];
  try {
    const body = some.map(({ id, enrollment_id, verb, object_id, at, attempt, responses }) => ({ id, enrollment_id, verb, object_id, at, attempt, responses }));
    answers = (await ask(api.POST('/api/statements', { body }))).answers;
  } catch (cause) {
    if (!(cause instanceof Problem) || !final(cause.status)) throw cause;
    // The batch as a whole was refused: find the one at fault, let the others pass.
    if (some.length > 1) {
      const middle = some.length >> 1;
      const left = await send(some.slice(0, middle));
      return (await send(some.slice(middle))) || left;
    }
    answers = [{ id: (some[0] as Entry).id, status: 'rejected', code: cause.code, detail: cause.message }];
  }
  const sent = new Map(some.map((entry) => [entry.id, entry]));
  for (const answer of answers) {
    const entry = sent.get(answer.id);
    if (!entry) continue;
    sent.delete(answer.id);
    if (answer.status === 'rejected') refused.value = [...refused.value, { id: answer.id, detail: answer.detail ?? '' }];
    await remove(entry);
    waiters.get(answer.id)?.(answer);
    waiters.delete(answer.id);
  }
  return sent.size > 0;
}

// 4xx says that sending the same again is no use, but for these.
function final(status: number): boolean {
  return status >= 400 && status < 500 && status !== 401 && status !== 403 && status !== 408 && status !== 425 && status !== 429;
}

function later(seconds: number | undefined): void {
  failures++;
  const wait = seconds ?? Math.min(300, 2 ** failures) * (0.5 + Math.random());
  timer = setTimeout(() => void flush(), wait * 1000);
}

/** For tests: as if the page had been closed and opened again. The disk stays. */
export function reopen(): void {
  clearTimeout(timer);
  removeEventListener('online', wake);
  memory.clear();
  acknowledged.clear();
  waiters.clear();
  user = '';
  failures = 0;
  flushing = undefined;
  waiting.value = [];
  refused.value = [];
  durable.value = true;
}
