// Who is signed in. One question a page, asked when an island first needs it.
import { signal } from '@preact/signals';
import { api, ask, type Schemas } from './client';
import { Problem } from './problem';

export type Me = Schemas['Me'];

/** undefined: not known yet · null: nobody · 'unreached': the server did not answer. */
export const me = signal<Me | null | undefined | 'unreached'>(undefined);

let asking: Promise<void> | undefined;

export function loadMe(again = false): Promise<void> {
  if (!asking || again) asking = load();
  return asking;
}

async function load(): Promise<void> {
  try {
    me.value = await ask(api.GET('/api/me'));
  } catch (cause) {
    me.value = cause instanceof Problem && cause.status === 401 ? null : 'unreached';
    if (me.value === 'unreached') asking = undefined;
  }
}

/** The person, when there is one. */
export function signedIn(): Me | undefined {
  const value = me.value;
  return value && value !== 'unreached' ? value : undefined;
}
