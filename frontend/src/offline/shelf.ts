// Small things that one device keeps for one person: drafts, and what was handed in and has no verdict yet.
import { disk } from './db';
import { open, seal } from './locker';

type Drawer = 'drafts' | 'pending';

const memory = new Map<string, unknown>();

interface Kept {
  key: string;
  value: unknown;
}

// Keys say whose it is after their first word: lab/<user>/<course>/<lab>.
const whose = (key: string): string => key.split('/')[1] ?? '';

// One after the other: sealing takes its time, and an older draft must not come to lie on a newer one.
let line: Promise<unknown> = Promise.resolve();

function inLine<T>(work: () => Promise<T>): Promise<T> {
  const mine = line.then(work);
  line = mine.catch(() => undefined);
  return mine;
}

/** Keeps a value, sealed where its learner has a PIN. Says false when it is in memory only, so gone when the page closes. */
export async function keep<T>(store: Drawer, key: string, value: T): Promise<boolean> {
  memory.set(`${store}/${key}`, value);
  try {
    await inLine(async () => disk.put(store, { key, value: await seal(whose(key), value) } satisfies Kept));
    return true;
  } catch {
    return false;
  }
}

export async function kept<T>(store: Drawer, key: string): Promise<T | undefined> {
  try {
    const found = await inLine(() => disk.find<Kept>(store, key));
    if (found) return await open<T>(whose(key), found.value);
  } catch {
    // Blocked or locked: what this page remembers is all there is.
  }
  return memory.get(`${store}/${key}`) as T | undefined;
}

export async function drop(store: Drawer, key: string): Promise<void> {
  memory.delete(`${store}/${key}`);
  try {
    await inLine(() => disk.remove(store, key));
  } catch {
    // Blocked: nothing was there.
  }
}
