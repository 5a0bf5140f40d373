// What a learner has on this device, wherever it lies: sealed when they take a PIN, removed when they go.
import { disk, result, transact, type StoreName } from '../db';
import { isSealed } from '../locker';
import { openWith, sealWith } from './key';

/** Where something of a learner lies, and what part of it is sealed. The rest says where it belongs and in which order it came. */
interface Drawer {
  store: StoreName;
  mine(user: string, record: Record<string, unknown>): boolean;
  part(record: Record<string, unknown>): { value: unknown; with(value: unknown): Record<string, unknown> } | undefined;
}

const field = (name: string) => (record: Record<string, unknown>) => ({
  value: record[name],
  with: (value: unknown) => ({ ...record, [name]: value }),
});
const ofUser = (user: string, record: Record<string, unknown>) => record['user'] === user;
// Keys such as lab/<user>/<course>/<lab>.
const keyed = (user: string, record: Record<string, unknown>) => String(record['key']).split('/').includes(user);
// How far the last sync came says nothing of what was done.
const plainSettings = /^(sync|lease)\//;

const drawers: Drawer[] = [
  {
    store: 'outbox',
    mine: ofUser,
    part: (record) => {
      if (record['body'] !== undefined) return field('body')(record);
      // Before there were numbers, a record was the statement itself.
      const { user, ...statement } = record;
      return { value: statement, with: (value) => (isSealed(value) ? { user, id: statement['id'], body: value } : { user, ...(value as object) }) };
    },
  },
  { store: 'history', mine: ofUser, part: field('body') },
  { store: 'devices', mine: ofUser, part: field('secret') },
  { store: 'people', mine: ofUser, part: field('profile') },
  { store: 'drafts', mine: keyed, part: field('value') },
  {
    store: 'pending',
    mine: keyed,
    part: (record) => {
      const value = record['value'] as { body?: unknown } | undefined;
      if (!value || value.body === undefined) return field('value')(record);
      return { value: value.body, with: (body) => ({ ...record, value: { ...value, body } }) };
    },
  },
  { store: 'settings', mine: (user, record) => keyed(user, record) && !plainSettings.test(String(record['key'])), part: field('value') },
];

/** Changes the sealed part of every record of a learner. A record that changed meanwhile is looked at again. */
async function each(user: string, how: (value: unknown) => Promise<unknown>): Promise<void> {
  for (const { store, mine, part } of drawers) {
    for (let again = true; again; ) {
      again = false;
      for (const record of await disk.list<Record<string, unknown>>(store)) {
        const found = mine(user, record) ? part(record) : undefined;
        if (!found || found.value === undefined) continue;
        const value = await how(found.value);
        if (value === found.value) continue;
        const changed = await transact([store], 'readwrite', async (named) => {
          const on = named(store);
          const now = (await result(on.get(keyIn(on, record)) as IDBRequest<Record<string, unknown> | undefined>)) ?? undefined;
          if (!now) return false;
          if (JSON.stringify(now) !== JSON.stringify(record)) return true;
          on.put(found.with(value));
          return false;
        });
        again ||= changed;
      }
    }
  }
}

function keyIn(store: IDBObjectStore, record: Record<string, unknown>): IDBValidKey {
  const path = store.keyPath;
  return typeof path === 'string' ? (record[path] as IDBValidKey) : (path as string[]).map((part) => record[part] as string);
}

/** Seals what lies open. Called whenever somebody unlocks: another tab may have written while the PIN was new. */
export function sealAll(user: string, key: CryptoKey): Promise<void> {
  return each(user, async (value) => (isSealed(value) ? value : sealWith(key, user, value)));
}

/** Opens what lies sealed, for a learner who gives up the PIN. */
export function openAll(user: string, key: CryptoKey): Promise<void> {
  return each(user, async (value) => (isSealed(value) ? openWith(key, user, value) : value));
}

/** What a learner leaves behind on a public device: what the server has not got, and who it is of. */
export async function leaveNothing(user: string): Promise<void> {
  for (const { store, mine } of drawers) {
    if (store === 'outbox' || store === 'people') continue;
    await transact([store], 'readwrite', async (named) => {
      const on = named(store);
      for (const record of await result(on.getAll() as IDBRequest<Record<string, unknown>[]>)) {
        const waits = store === 'pending' && ['waiting', undefined].includes((record['value'] as { state?: string } | undefined)?.state);
        const intent = store === 'settings' && String(record['key']).startsWith('intent/');
        // Its numbers go with what waits.
        if (mine(user, record) && !waits && !intent && store !== 'devices') on.delete(keyIn(on, record));
      }
    });
  }
}

/** Removes a learner and all that they have here, in one transaction. */
export async function removeAll(user: string): Promise<void> {
  const names: StoreName[] = ['outbox', 'history', 'devices', 'people', 'drafts', 'pending', 'settings', 'keys'];
  await transact(names, 'readwrite', async (store) => {
    for (const name of names) {
      const on = store(name);
      for (const record of await result(on.getAll() as IDBRequest<Record<string, unknown>[]>)) {
        const current = name === 'settings' && record['key'] === 'current' && record['value'] === user;
        if (current || record['user'] === user || (record['key'] !== undefined && typeof record['key'] === 'string' && keyed(user, record))) on.delete(keyIn(on, record));
      }
    }
  });
}
