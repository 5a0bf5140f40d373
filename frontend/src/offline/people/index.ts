// Who this device knows, and who is at it now. One at a time: there is one cookie a browser, and what one learner does must never count for another.
import type { Schemas } from '../../api/client';
import { disk, transact } from '../db';
import { open, seal, type Person } from '../locker';
import { drop, type KeyRecord } from './key';
import { live, setMarker, tellLocked, unwatch, watch, whenLocked } from './presence';

export type { Person } from '../locker';
type Me = Schemas['Me'];

interface Current {
  key: 'current';
  value: string;
}

/** Everybody whom this device knows, in the order of their names. */
export async function list(): Promise<Person[]> {
  const all = await disk.list<Person>('people');
  return all.filter(({ kind }) => kind !== 'public').sort((a, b) => a.name.localeCompare(b.name));
}

export const find = (user: string): Promise<Person | undefined> => disk.find<Person>('people', user);

let leave: () => void = () => undefined;

/** What the page does when the device is locked under it: it shows nothing more of the learner's. */
export const onLocked = (what: () => void): void => void (leave = what);

whenLocked(() => {
  drop();
  unwatch();
  leave();
});

/** The learner who is at this device: unlocked where they have a PIN, and not signed out. */
export async function current(): Promise<Person | undefined> {
  const user = (await disk.find<Current>('settings', 'current'))?.value;
  const person = user ? await find(user) : undefined;
  if (!person) return undefined;
  if (!person.locked && person.kind !== 'public') return person;
  const record = await disk.find<KeyRecord>('keys', person.user);
  if (!record || (person.locked && !record.key) || !(await live(record))) {
    await lock();
    return undefined;
  }
  watch(person.user, () => void lock().then(leave));
  return person;
}

/** Makes somebody the one who is at this device. `key` is what their PIN gave. */
export async function enter(person: Person, key?: CryptoKey): Promise<void> {
  const session = Math.random().toString(36).slice(2);
  drop();
  unwatch();
  await transact(['people', 'keys', 'settings'], 'readwrite', (store) => {
    store('people').put(person);
    store('keys').clear();
    if (key || person.kind === 'public') store('keys').put({ user: person.user, key, session, used: Date.now() } satisfies KeyRecord);
    store('settings').put({ key: 'current', value: person.user } satisfies Current);
  });
  setMarker(session);
  // Another tab may show somebody else.
  tellLocked();
  if (key || person.kind === 'public') watch(person.user, () => void lock().then(leave));
}

/** Nobody is at this device any more. What they did stays, sealed where they have a PIN; on a public device only what has not been sent. */
export async function lock(): Promise<void> {
  const user = (await disk.find<Current>('settings', 'current'))?.value;
  const person = user ? await find(user) : undefined;
  drop();
  unwatch();
  setMarker(undefined);
  await transact(['keys', 'settings'], 'readwrite', (store) => {
    store('keys').clear();
    store('settings').delete('current');
  });
  tellLocked();
  if (person?.kind === 'public') await (await import('./sweep')).leaveNothing(person.user);
}

/** The account of a learner as the server last told it. */
export async function profile({ user, profile: sealed }: Person): Promise<Me | undefined> {
  return sealed === undefined ? undefined : open<Me>(user, sealed);
}

/** Keeps what the server tells of the learner who is here. */
export async function remember(me: Me): Promise<void> {
  const person = await find(me.id);
  if (!person) return;
  const { limited, ...rest } = me;
  void limited; // says how they signed in, not who they are
  const sealed = await seal(me.id, rest);
  await transact(['people'], 'readwrite', (store) => {
    const request = store('people').get(me.id) as IDBRequest<Person | undefined>;
    return new Promise<void>((done, fail) => {
      request.onerror = () => fail(request.error);
      request.onsuccess = () => {
        if (request.result) store('people').put({ ...request.result, locale: me.locale, profile: sealed });
        done();
      };
    });
  });
}

/** What the server gave this device for one learner, beside what counts statements. */
export interface Grant {
  user: string;
  device: string;
  lease_until?: string;
  /** To this key a data key is wrapped, so that a password can bring it back. */
  recovery_key?: JsonWebKey;
  /** Sealed: the device's token, and the private key that signs exported work. */
  secret?: unknown;
}
export interface Secret {
  token: string;
  key: JsonWebKey;
}

/** The secrets of a learner's device; undefined where it was never made known. */
export async function secret(user: string): Promise<Secret | undefined> {
  const found = await disk.find<Grant>('devices', user);
  return found?.secret === undefined ? undefined : open<Secret>(user, found.secret);
}
