// Who is signed in. One question a page, asked when an island first needs it. Where the device knows its learners, it is asked who is at it,
// and does the rest (offline/people/session.ts).
import { signal } from '@preact/signals';
import { api, ask, type Schemas } from './client';
import { Problem } from './problem';

export type Account = Schemas['Me'];
export interface Me extends Account {
  /** This is what the device knows: the server was not reached, or does not know this learner now. */
  local?: true;
  /** Why it does not: the code of its refusal. Signing in with the password mends it; the work goes on meanwhile. */
  away?: string;
}
export type Who = Me | null | 'unreached';

/** undefined: not known yet · null: nobody · 'unreached': the server did not answer, and the device knows nobody. */
export const me = signal<Who | undefined>(undefined);

let asking: Promise<void> | undefined;
let answeredAt = -Infinity;
let local: (() => Promise<(() => Promise<Who>) | undefined>) | undefined;
const brief = 10_000;

/** Says how to ask the device; it has nothing to say where it knows nobody. */
export const knowLocally = (how: typeof local): void => void (local = how);

export function loadMe(again = false): Promise<void> {
  if (!asking || again) asking = load();
  return asking;
}

async function load(): Promise<void> {
  const here = await local?.().catch(() => undefined);
  const who = await (here ? here() : byCookie());
  if (who === 'unreached' || who?.local) asking = undefined;
  else answeredAt = performance.now();
  me.value = who;
}

/** What the server says. */
export async function byCookie(): Promise<Who> {
  try {
    return await ask(api.GET('/api/me'));
  } catch (cause) {
    return cause instanceof Problem && cause.status === 401 ? null : 'unreached';
  }
}

/** Whether the server said so just now. Another tab may have signed somebody else in since. */
export function fresh(): boolean {
  return performance.now() - answeredAt < brief;
}

/** The person, when there is one. */
export function signedIn(): Me | undefined {
  const value = me.value;
  return value && value !== 'unreached' ? value : undefined;
}
