// One at a time across tabs. Web Locks where the browser gives them; where not, rows in the database that die with their tab.
import { result, transact } from '../db';
import { uuidv7 } from '../uuidv7';

export type Mode = 'shared' | 'exclusive';
interface Wish {
  mode?: Mode;
  /** Rather not at all than later: gives undefined where somebody else holds it. */
  now?: boolean;
  signal?: AbortSignal;
}

/** Works while holding a lock. Waits for it, unless `now`. Rejects with AbortError when told to stop waiting. */
export function locked<T>(name: string, { mode = 'exclusive', now = false, signal }: Wish, work: () => Promise<T>): Promise<T | undefined> {
  const locks = (navigator as Partial<Navigator>).locks;
  if (!locks) return byRows(name, { mode, now, signal }, work);
  // A signal and ifAvailable exclude each other.
  const options: LockOptions = now ? { mode, ifAvailable: true } : { mode, ...(signal && { signal }) };
  return locks.request(`banyan/${name}`, options, async (lock) => (lock ? await work() : undefined)) as Promise<T | undefined>;
}

interface Holder {
  id: string;
  mode: Mode;
  at: number;
}

const beat = 5_000;
const dead = 20_000;
const pause = 50;

export function stopped(): DOMException {
  return new DOMException('stopped', 'AbortError');
}

async function byRows<T>(name: string, { mode, now, signal }: Wish & { mode: Mode }, work: () => Promise<T>): Promise<T | undefined> {
  const id = uuidv7();
  const key = `lock/${name}`;
  /** Leaves out the dead, and puts us in where we may be; says whether we are. */
  const enter = (stay: boolean) =>
    transact(['settings'], 'readwrite', async (store) => {
      const row = await result(store('settings').get(key) as IDBRequest<{ value: Holder[] } | undefined>);
      // The distance and not the order: the clock may have jumped.
      const others = (row?.value ?? []).filter((one) => one.id !== id && Math.abs(Date.now() - one.at) < dead);
      const free = mode === 'shared' ? others.every((one) => one.mode === 'shared') : !others.length;
      if (stay && free) others.push({ id, mode, at: Date.now() });
      await result(store('settings').put({ key, value: others }));
      return free;
    });
  while (!(await enter(true))) {
    if (now) return undefined;
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (signal?.aborted) throw stopped();
  }
  const timer = setInterval(() => void enter(true).catch(() => undefined), beat);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await enter(false).catch(() => undefined);
  }
}
