// Makes this device known to the server for one learner, and takes it back. Both need the network once.
import { api, ask, type Schemas } from '../../api/client';
import { disk, result, transact } from '../db';
import { seal, type Person } from '../locker';
import { uuidv7 } from '../uuidv7';
import { enter, find, lock, remember, secret, type Grant, type Secret } from './index';
import { canLock, newLock } from './pin';
import { removeAll, sealAll } from './sweep';

type Me = Schemas['Me'];

/** What counts statements is in the same record; offline/device.ts has the say there. */
type Record = Grant & { epoch: number; sequence: number; acknowledged: number };

async function change(user: string, how: Partial<Record>): Promise<Record> {
  return transact(['devices'], 'readwrite', async (store) => {
    const before = await result(store('devices').get(user) as IDBRequest<Record | undefined>);
    const now = { ...(before ?? { user, device: uuidv7(), epoch: 1, sequence: 0, acknowledged: 0 }), ...how };
    store('devices').put(now);
    return now;
  });
}

const signing = { name: 'ECDSA', namedCurve: 'P-256' } as const;

async function keyPair(): Promise<{ own: JsonWebKey; shown: Schemas['PublicKey'] }> {
  const pair = await crypto.subtle.generateKey(signing, true, ['sign', 'verify']);
  const own = await crypto.subtle.exportKey('jwk', pair.privateKey);
  return { own, shown: shownOf(own) };
}

const shownOf = ({ x = '', y = '' }: JsonWebKey): Schemas['PublicKey'] => ({ kty: 'EC', crv: 'P-256', x, y });

export interface Choice {
  kind: 'own' | 'shared';
  /** What stands where learners choose themselves. */
  name: string;
  /** Only without one on the learner's own device. */
  pin?: string;
}

/**
 * Makes the device known for a learner who has just signed in with the password, as they chose, and makes them the one who is at it. What
 * they did here before is sealed when there is a PIN. Nothing has changed when it rejects; again is no harm.
 */
export async function register(me: Me, choice: Choice, name: string): Promise<void> {
  const before = await find(me.id);
  // Another data key would leave what is sealed without its own.
  if (before?.locked) return renew(me, name);
  const mine = await change(me.id, {});
  const kept = before && (await secret(me.id).catch(() => undefined));
  const { own, shown } = kept ? { own: kept.key, shown: shownOf(kept.key) } : await keyPair();
  const told = await ask(api.POST('/api/devices', { body: { id: mine.device, name, public_key: shown } }));
  const { pin } = choice;
  const made = pin === undefined ? undefined : await newLock(me.id, pin, told.recovery_key);
  const person: Person = { user: me.id, name: choice.name, kind: choice.kind, locale: me.locale, ...(made ? { locked: made.lock } : {}) };
  await change(me.id, { lease_until: told.lease_until, recovery_key: told.recovery_key });
  await enter(person, made?.key);
  const value: Secret = { token: told.token, key: own };
  await change(me.id, { secret: await seal(me.id, value) });
  await remember(me);
  if (made) await sealAll(me.id, made.key);
}

/** Renews the lease of a learner whom this device knows and who has just signed in with the password. The PIN stays what it is. */
export async function renew(me: Me, name: string): Promise<void> {
  if (!canLock()) return;
  const kept = await secret(me.id);
  const { own, shown } = kept ? { own: kept.key, shown: shownOf(kept.key) } : await keyPair();
  const { device } = await change(me.id, {});
  const told = await ask(api.POST('/api/devices', { body: { id: device, name, public_key: shown } }));
  await change(me.id, { lease_until: told.lease_until, recovery_key: told.recovery_key, secret: await seal(me.id, { token: told.token, key: own } satisfies Secret) });
  await remember(me);
}

/** Gives a learner who had none a PIN. Their device must be known. */
export async function addPIN(user: string, pin: string): Promise<void> {
  const [person, grant] = await Promise.all([find(user), disk.find<Grant>('devices', user)]);
  if (!person || person.locked || !grant?.recovery_key) return;
  const { lock: locked, key } = await newLock(user, pin, grant.recovery_key);
  await enter({ ...person, locked, failed: 0 }, key);
  await sealAll(user, key);
}

/** A learner on a public device: nothing is made known, and what is kept goes when they sign out or the browser is closed. */
export function visit(me: Me): Promise<void> {
  return enter({ user: me.id, name: '', kind: 'public', locale: me.locale });
}

/** How much of a learner's work is on this device alone. */
export async function unsent(user: string): Promise<number> {
  const [statements, pending, settings] = await Promise.all([
    disk.list('outbox', IDBKeyRange.bound([user, ''], [user, '\uffff'])),
    disk.list<{ key: string; value: { state?: string } }>('pending'),
    disk.list<{ key: string }>('settings', IDBKeyRange.bound(`intent/${user}`, `intent/${user}/\uffff`)),
  ]);
  const handedIn = pending.filter(({ key, value }) => key.split('/').includes(user) && (value?.state === undefined || value.state === 'waiting'));
  return statements.length + handedIn.length + settings.length;
}

/** Removes a learner from this device, with all that they have here. The server is told where it can be reached; else the lease ends by itself. */
export async function removePerson(user: string): Promise<void> {
  const grant = await disk.find<Grant>('devices', user).catch(() => undefined);
  const token = (await secret(user).catch(() => undefined))?.token;
  if (grant && token) {
    const params = { path: { device_id: grant.device } };
    await ask(api.DELETE('/api/devices/{device_id}', { params, headers: { Authorization: `Bearer ${token}` } })).catch(() => undefined);
  }
  await lock();
  await removeAll(user);
}
