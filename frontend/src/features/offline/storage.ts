// How much room there is, and whether the browser promises to keep what is here.
import { signal } from '@preact/signals';

export interface Room {
  used: number;
  quota: number;
}

/** Undefined where the browser does not say. */
export const room = signal<Room | undefined>(undefined);
/** Whether the browser promised; undefined where it cannot. */
export const kept = signal<boolean | undefined>(undefined);

export async function look(): Promise<void> {
  const storage = navigator.storage as StorageManager | undefined;
  if (!storage) return;
  const estimate = await storage.estimate?.().catch(() => undefined);
  if (estimate?.quota) room.value = { used: estimate.usage ?? 0, quota: estimate.quota };
  kept.value = await storage.persisted?.().catch(() => undefined);
}

/** Asks for the promise. Whatever the answer, nothing here relies on it. */
export async function ask(): Promise<boolean> {
  const storage = navigator.storage as StorageManager | undefined;
  const answer = (await storage?.persist?.().catch(() => false)) ?? false;
  kept.value = answer;
  return answer;
}
