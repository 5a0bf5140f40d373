// Labs that were handed in on this device: kept here first, sealed, until their verdicts are there; the last ones stay to be read.
import { signal } from '@preact/signals';
import type { Schemas } from '../api/client';
import { disk, result, transact } from './db';
import { open, seal } from './locker';
import { hear, tell } from './tabs';

export type Submission = Schemas['Submission'];

const states = ['waiting', 'sent', 'done', 'refused'] as const;

/** waiting: not with the server yet · sent: it has no verdict that this device knows of · done · refused: the server will not take it */
export interface HandIn {
  state: (typeof states)[number];
  submission: Schemas['NewSubmission'];
  made_at: string;
  /** What the server said last. */
  answer?: Submission;
  /** Why it was refused, in the reader's language. */
  detail?: string;
}
interface Record {
  key: string;
  value: { state: HandIn['state']; body: unknown };
}
interface News {
  handIns: string;
}

/** Counts up when what is kept changed, here or in another tab. */
export const changes = signal(0);

hear<News>(({ handIns }) => handIns && changes.value++);

const keyOf = (user: string, id: string) => `hand-in/${user}/${id}`;
const memory = new Map<string, HandIn>();
const enough = 5;

/** Keeps a hand-in, or what is new of it. Never takes a step back, unless told to. Says false where it is kept in memory only. */
export async function keepHandIn(user: string, handIn: HandIn, back = false): Promise<boolean> {
  const key = keyOf(user, handIn.submission.id);
  let kept = true;
  try {
    const body = await seal(user, handIn);
    await transact(['pending'], 'readwrite', async (store) => {
      const before = await result(store('pending').get(key) as IDBRequest<Record | undefined>);
      if (!back && before && states.indexOf(before.value.state) > states.indexOf(handIn.state)) return;
      store('pending').put({ key, value: { state: handIn.state, body } } satisfies Record);
    });
    memory.delete(key);
  } catch {
    memory.set(key, handIn);
    kept = false;
  }
  changes.value++;
  tell({ handIns: user } satisfies News);
  return kept;
}

/** What this device has of a learner's, newest first. Rejects with Locked where the key is away. */
export async function listHandIns(user: string): Promise<HandIn[]> {
  const from = keyOf(user, '');
  const found = await disk.list<Record>('pending', IDBKeyRange.bound(from, `${from}\uffff`)).catch(() => []);
  const all = await Promise.all(found.map(({ value }) => open<HandIn>(user, value.body)));
  for (const [key, one] of memory) if (key.startsWith(from)) all.push(one);
  return all.sort((a, b) => (a.submission.id < b.submission.id ? 1 : -1));
}

/** One of them as it is now. */
export async function findHandIn(user: string, id: string): Promise<HandIn | undefined> {
  const key = keyOf(user, id);
  const found = await disk.find<Record>('pending', key).catch(() => undefined);
  return found ? open<HandIn>(user, found.value.body) : memory.get(key);
}

export async function dropHandIn(user: string, id: string): Promise<void> {
  memory.delete(keyOf(user, id));
  await disk.remove('pending', keyOf(user, id)).catch(() => undefined);
  changes.value++;
}

/** Lets go of verdicts that nobody reads: of each lab the last few stay. */
export async function tidy(user: string): Promise<void> {
  const seen = new Map<string, number>();
  for (const { state, submission } of await listHandIns(user)) {
    if (state !== 'done') continue;
    const lab = `${submission.enrollment_id}/${submission.lab_id}`;
    const count = (seen.get(lab) ?? 0) + 1;
    seen.set(lab, count);
    if (count > enough) await dropHandIn(user, submission.id);
  }
}
