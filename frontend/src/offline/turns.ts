// The tabs of one browser take turns at what only one may do.
import { disk, result, transact } from './db';

const lease = 30_000;
const pause = () => new Promise((resolve) => setTimeout(resolve, 2000));

/**
 * Does work that only one tab may do at a time. Gives undefined at once where another tab is at it; with `wait`, its turn comes when that
 * one has finished or was closed.
 */
export async function alone<T>(name: string, work: () => Promise<T>, wait = false): Promise<T | undefined> {
  const locks = (navigator as { locks?: LockManager }).locks;
  if (locks) return locks.request(`banyan/${name}`, { ifAvailable: !wait }, (lock) => (lock ? work() : undefined));
  // Pages without TLS have no locks, and a school's own server may have none: a note on the disk, renewed while the work lasts.
  const key = `lease/${name}`;
  const tab = Math.random().toString(36).slice(2);
  const take = () =>
    transact(['settings'], 'readwrite', async (store) => {
      const held = await result(store('settings').get(key) as IDBRequest<{ value: { tab: string; until: number } } | undefined>);
      const now = Date.now();
      // A clock that was set back must not keep everybody out for years.
      if (held && held.value.tab !== tab && held.value.until > now && held.value.until <= now + lease) return false;
      store('settings').put({ key, value: { tab, until: now + lease } });
      return true;
    });
  try {
    while (!(await take())) {
      if (!wait) return undefined;
      await pause();
    }
  } catch {
    // No disk: nothing is shared with other tabs either.
    return work();
  }
  const renewing = setInterval(() => void take().catch(() => undefined), lease / 3);
  try {
    return await work();
  } finally {
    clearInterval(renewing);
    await disk.remove('settings', key).catch(() => undefined);
  }
}
