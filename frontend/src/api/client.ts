// The one file that calls fetch for JSON. Every call either gives data or throws a Problem or Unreached.
import createClient from 'openapi-fetch';
import { locale } from '../i18n/words';
import { Problem, Unreached } from './problem';
import type { components, paths } from './schema.gen';

export type Schemas = components['schemas'];

const client = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? '',
  // Looked up at every call, so that a test can stand in for it.
  fetch: (request) => globalThis.fetch(request),
});

const whom = 'Banyan-Learner';
/** The headers of a call that is for nobody: it ends the session of the cookie or takes its place, whosever that is. */
export const forNobody = { [whom]: '' };
let learner = '';

/** Whom this page acts for, '' when nobody is known. One browser has one cookie; the server refuses another learner's. */
export const actFor = (user: string): void => void (learner = user);

client.use({
  onRequest({ request }) {
    // What a page shows of an answer stands in the page's language, whatever the account says.
    request.headers.set('Banyan-Language', locale());
    if (learner && !request.headers.has(whom)) request.headers.set(whom, learner);
    return request;
  },
});

export const api = client;

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

const patience = 60_000;

/** Waits for an answer of `api` and unwraps it. Not for ever: whoever sends much says how long. */
export async function ask<T>(answer: Promise<Answer<T>>, wait = patience): Promise<T> {
  let got: Answer<T>;
  let clock: ReturnType<typeof setTimeout> | undefined;
  try {
    const late = new Promise<never>((_, reject) => (clock = setTimeout(reject, wait)));
    got = await Promise.race([answer, late]);
  } catch (cause) {
    // An aborted call is the caller's own wish; all else on this path means no answer arrived.
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new Unreached();
  } finally {
    clearTimeout(clock);
  }
  if (!got.response.ok) {
    const wire = typeof got.error === 'object' && got.error !== null ? got.error : {};
    // A proxy that answers for a server which is down, or a portal that wants a sign-in of its own, speaks no problem+json.
    if (!('code' in wire)) throw new Unreached();
    throw new Problem(wire as Partial<Schemas['Problem']>, got.response.status);
  }
  return got.data as T;
}

/** All pages of a list. */
export async function askAll<T>(page: (cursor?: string) => Promise<{ items: T[]; next?: string }>): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | undefined;
  do {
    const got = await page(cursor);
    all.push(...got.items);
    cursor = got.next;
  } while (cursor);
  return all;
}
