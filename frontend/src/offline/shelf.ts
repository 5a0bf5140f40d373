// Small things that one device keeps for one person: drafts, and what was handed in and has no verdict yet.
import { disk } from './db';

type Drawer = 'drafts' | 'pending';

const memory = new Map<string, unknown>();

interface Kept<T> {
  key: string;
  value: T;
}

/** Keeps a value. Says false when it is in memory only, so gone when the page closes. */
export async function keep<T>(store: Drawer, key: string, value: T): Promise<boolean> {
  memory.set(`${store}/${key}`, value);
  try {
    await disk.put(store, { key, value } satisfies Kept<T>);
    return true;
  } catch {
    return false;
  }
}

export async function kept<T>(store: Drawer, key: string): Promise<T | undefined> {
  try {
    const found = await disk.find<Kept<T>>(store, key);
    if (found) return found.value;
  } catch {
    // Blocked: what this page remembers is all there is.
  }
  return memory.get(`${store}/${key}`) as T | undefined;
}

export async function drop(store: Drawer, key: string): Promise<void> {
  memory.delete(`${store}/${key}`);
  try {
    await disk.remove(store, key);
  } catch {
    // Blocked: nothing was there.
  }
}
