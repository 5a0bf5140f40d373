// What a learner does waits here until the server has acknowledged it, one by one. On the disk first; the network is a detail. A repeat is
// harmless, so whatever is unsure is sent again. Sending itself is offline/sync.ts, which a page fetches when it has been read.
import { signal } from '@preact/signals';
import type { Schemas } from '../api/client';
import { disk, transact } from './db';
import { stamp, type Stamp } from './device';
import { open as unseal, seal } from './locker';
import { hear, tell } from './tabs';
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
  /** What the page itself found of a practice quiz. For this device only: it is never sent, and the server's word takes its place. */
  found?: { score: number; passed: boolean };
}
export type Answer = Pick<Schemas['StatementAnswer'], 'id' | 'status' | 'code' | 'detail' | 'marked'>;
/** A statement with its number; without one only where the disk took no part, or before this device numbered any. */
export interface Waiting extends NewStatement, Partial<Stamp> {}
/** As it lies on the disk: the number can be read without the learner's key. */
export interface OutboxRecord extends Partial<Stamp> {
  user: string; // a shared phone must not send one person's work as another's
  id: string;
  body?: unknown;
}
/** Why a sync begins: by itself, because something happened, or because the learner asked for it. */
export type Asked = '' | 'wake' | 'button';
/** Said between tabs. */
interface News {
  user: string;
  answers?: readonly Answer[];
}

/** What waits for this person, oldest first. */
export const waiting = signal<readonly Waiting[]>([]);
/** What the server has acknowledged since the page was opened: what it told us before that does not count these. */
export const acknowledged = signal<readonly NewStatement[]>([]);
/** Whether what waits survives closing the page. */
export const durable = signal(true);
/** What the server would not take, for people to read. */
export const refused = signal<readonly { id: string; detail: string }[]>([]);
/** Whether something is being sent or fetched. */
export const sending = signal(false);
/** When the last sync was whole, by the server's clock. */
export const lastSync = signal('');
/** Counts up when something was fetched. */
export const fetched = signal(0);
/** Why the last sync did not end well; undefined when it did. */
export const syncTrouble = signal<unknown>(undefined);

/** Where the disk takes no part: lost when the page closes, and said so. */
export const memory = new Map<string, NewStatement & { user: string }>();
const waiters = new Map<string, (answer: Answer) => void>();
// Acknowledged, and the disk would not let go of them: they must not go round in circles.
const over = new Set<string>();
let user = '';
let running: Promise<void> | undefined;
let again = false;
let asked: Asked = '';

export const currentUser = (): string => user;

/** Starts sending what waits for this person: now, when the network returns, when the page is looked at again. */
export async function open(userID: string): Promise<void> {
  if (user === userID) return;
  if (!user) {
    addEventListener('online', wake);
    document.addEventListener('visibilitychange', seen);
  }
  user = userID;
  acknowledged.value = [];
  await look();
  void flush();
}

const seen = () => document.visibilityState === 'visible' && wake();

hear<News>((news) => {
  if (news.user !== user) return;
  settle(news.answers ?? []);
  void look();
});

/**
 * Keeps a statement and sends it soon. `kept` resolves when it is on the disk (or, where there is none, in memory),
 * `answered` when the server has acknowledged it, perhaps much later.
 */
export function append(statement: Omit<NewStatement, 'id' | 'at'>): { id: string; kept: Promise<void>; answered: Promise<Answer> } {
  const entry: NewStatement = { ...statement, id: uuidv7(), at: new Date().toISOString() };
  const answered = new Promise<Answer>((resolve) => waiters.set(entry.id, resolve));
  const kept = keep(user, entry);
  void kept.then(wake);
  return { id: entry.id, kept, answered };
}

async function keep(whose: string, entry: NewStatement): Promise<void> {
  let number: Partial<Stamp> = {};
  try {
    const body = await seal(whose, entry);
    // The number and what gets it are kept together: so none is given twice, and none is missing.
    number = await transact(['outbox', 'devices'], 'readwrite', async (store) => {
      const given = await stamp(store('devices'), whose);
      store('outbox').put({ user: whose, id: entry.id, ...given, body } satisfies OutboxRecord);
      return given;
    });
  } catch {
    memory.set(entry.id, { ...entry, user: whose });
    durable.value = false;
  }
  if (whose === user) waiting.value = [...waiting.value, { ...entry, ...number }];
  tell({ user: whose } satisfies News);
}

/** The records of one learner, with numbers and the last of them in order. */
export const range = (whose: string) => IDBKeyRange.bound([whose, ''], [whose, '\uffff']);

/** What waits for a person: from the disk, and from memory. Rejects with Locked where the key is away. */
export async function entries(whose: string = user): Promise<Waiting[]> {
  let kept: OutboxRecord[] = [];
  try {
    kept = await disk.list<OutboxRecord>('outbox', range(whose));
  } catch {
    durable.value = false;
  }
  // Before there were numbers, a record was the statement itself.
  const all = await Promise.all(
    kept.map(async (record): Promise<Waiting> => ({ ...(record.body === undefined ? (record as unknown as NewStatement) : await unseal<NewStatement>(whose, record.body)), epoch: record.epoch, sequence: record.sequence })),
  );
  for (const entry of memory.values()) if (entry.user === whose) all.push(entry);
  return all.filter(({ id }) => !over.has(id)).sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
}

/** Looks what waits, as after another tab sent some of it. */
export async function look(): Promise<void> {
  const whose = user;
  const all = await entries(whose).catch(() => []);
  if (whose === user) waiting.value = all;
}

/** The server has answered: tells who waits for it, here and in the other tabs. What it names has left the disk, unless that was `stuck`. */
export function answer(whose: string, answers: readonly Answer[], stuck = false): void {
  if (stuck) for (const { id } of answers) over.add(id);
  if (whose === user) settle(answers);
  if (answers.length) tell({ user: whose, answers } satisfies News);
}

function settle(answers: readonly Answer[]): void {
  const done = new Map(answers.map((one) => [one.id, one]));
  const gone = waiting.value.filter(({ id }) => done.has(id));
  const taken = gone.filter(({ id }) => done.get(id)?.status !== 'rejected').map((one): NewStatement => ({ ...one, found: done.get(one.id)?.marked ?? one.found }));
  acknowledged.value = [...acknowledged.value, ...taken];
  waiting.value = waiting.value.filter(({ id }) => !done.has(id));
  for (const one of answers) {
    memory.delete(one.id);
    if (one.status === 'rejected' && gone.some(({ id }) => id === one.id)) refused.value = [...refused.value, { id: one.id, detail: one.detail ?? '' }];
    waiters.get(one.id)?.(one);
    waiters.delete(one.id);
  }
}

/** Sends all that waits and fetches what is new, without waiting for the next try. The button. */
export function syncNow(): Promise<void> {
  asked = 'button';
  return flush();
}

function wake(): void {
  if (!asked) asked = 'wake';
  void flush();
}

/** Sends all that waits and fetches what is new. Calls while it runs join the one under way, which then looks once more. */
export function flush(): Promise<void> {
  again = true;
  running ??= loop();
  return running;
}

async function loop(): Promise<void> {
  try {
    while (again && user) {
      again = false;
      const { sync } = await import('./sync');
      const how = asked;
      asked = '';
      await sync(user, how);
    }
  } catch {
    // The script did not arrive. The next trigger asks for it again.
  } finally {
    running = undefined;
  }
}

/** For tests: as if the page had been closed and opened again. The disk stays. */
export function reopen(): void {
  removeEventListener('online', wake);
  document.removeEventListener('visibilitychange', seen);
  memory.clear();
  waiters.clear();
  over.clear();
  user = '';
  running = undefined;
  again = false;
  asked = '';
  waiting.value = acknowledged.value = refused.value = [];
  durable.value = true;
  sending.value = false;
  lastSync.value = '';
  syncTrouble.value = undefined;
}
