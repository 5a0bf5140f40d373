// What one learner keeps on a shared device is sealed with a key that only they can bring. Without a PIN it stays as it is. The work of it is
// in offline/people, which a page fetches when the device knows a learner: most first visits never need it.
import { disk } from './db';
import type { Who } from '../api/me';

/** The key is away: the learner has not unlocked this device. Nothing is lost, and nothing can be read or written until they do. */
export class Locked extends Error {}

/** What the device knows of a learner before they unlock it. */
export interface Person {
  user: string;
  /** What they are called where they choose themselves: their name, or initials. */
  name: string;
  locale?: string | undefined;
  /** Whose device it is, as the learner said. On a public one nothing stays that has been sent. */
  kind: 'own' | 'shared' | 'public';
  /** How their key is locked away; absent without a PIN. */
  locked?: Lock;
  /** Wrong tries at the PIN since the last right one. */
  failed?: number;
  /** Their account as the server last told it, sealed. */
  profile?: unknown;
}

/** The data key, wrapped twice: by what is derived from the PIN, and to the recovery key whose other half the server keeps. */
export interface Lock {
  count: number;
  salt: Uint8Array;
  iv: Uint8Array;
  wrapped: ArrayBuffer;
  /** Whether the PIN is digits alone: then a keyboard of digits is enough. */
  digits: boolean;
  recovery: { key: JsonWebKey; iv: Uint8Array; wrapped: ArrayBuffer };
}

const isLocked = async (user: string): Promise<boolean> => !!(await disk.find<Person>('people', user))?.locked;

/** What may be written to the disk in place of a value of this learner, a value as JSON has them. Rejects with Locked where the key is away. */
export async function seal(user: string, value: unknown): Promise<unknown> {
  return (await isLocked(user)) ? (await import('./people/key')).seal(user, value) : value;
}

/** The value again. What was written before there was a PIN is given as it is. Rejects with Locked where the key is away. */
export async function open<T>(user: string, sealed: unknown): Promise<T> {
  return isSealed(sealed) ? (await import('./people/key')).open<T>(user, sealed) : (sealed as T);
}

export interface Sealed {
  sealed: 1;
  iv: Uint8Array;
  data: ArrayBuffer;
}

// JSON knows no ArrayBuffer, so no value of a learner looks like this.
export function isSealed(value: unknown): value is Sealed {
  return (value as Sealed | undefined | null)?.data instanceof ArrayBuffer;
}

/** Where this device knows a learner: how to find out who is at it. `leave` is what the page does when it is locked in another tab. */
export async function device(leave: () => void): Promise<(() => Promise<Who>) | undefined> {
  const [one] = await disk.list('people', undefined, 1).catch(() => []);
  if (!one) return undefined;
  const [{ onLocked }, { whoIsHere }] = await Promise.all([import('./people'), import('./people/session')]);
  onLocked(leave);
  return whoIsHere;
}
