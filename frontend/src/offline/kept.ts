// Named things that one device keeps for one learner, sealed: enrollments, certificates, where the last sync ended.
import { disk } from './db';
import { open, seal } from './locker';

interface Setting {
  key: string;
  value: unknown;
}

/** The key of a thing of a learner: `sync/<user>`, or with an id `intent/<user>/<id>`. */
export const keyOf = (user: string, name: string, id = ''): string => `${name}/${user}${id && '/'}${id}`;

/** Keeps a value until it is forgotten. Rejects where the disk does not take part. */
export async function remember(user: string, name: string, value: unknown, id?: string): Promise<void> {
  await disk.put('settings', { key: keyOf(user, name, id), value: await seal(user, value) } satisfies Setting);
}

/** What was kept; undefined also where the disk or the key is away. */
export async function recall<T>(user: string, name: string): Promise<T | undefined> {
  try {
    const found = await disk.find<Setting>('settings', keyOf(user, name));
    return found && (await open<T>(user, found.value));
  } catch {
    return undefined;
  }
}

/** All things of a kind: `intent` gives those that were kept under `intent/<user>/<id>`. */
export async function recallAll<T>(user: string, name: string): Promise<T[]> {
  try {
    const from = `${keyOf(user, name)}/`;
    const found = await disk.list<Setting>('settings', IDBKeyRange.bound(from, `${from}\uffff`));
    return await Promise.all(found.map(({ value }) => open<T>(user, value)));
  } catch {
    return [];
  }
}

export function forget(user: string, name: string, id?: string): Promise<void> {
  return disk.remove('settings', keyOf(user, name, id)).catch(() => undefined);
}
