// The copy of the frame that learners' code runs in, for days without a network (docs/lab-runner.md).
import { Unreached } from '../../api/problem';

/** Where the service worker finds the copy, and the server has nothing. Cache Storage of its own: what tidies the shell's leaves it alone. */
export const keptAt = '/assets/lab-frame';
const cache = 'banyan-lab';

/** How the policy of our frame begins. The service worker asks for it too. */
const wall = /^default-src 'none'; sandbox allow-scripts; /;
const walled = (answer: Response) => answer.ok && wall.test(answer.headers.get('Content-Security-Policy') ?? '');

/** Fetches the frame's document and keeps it, its headers with it. Rejects where our server does not answer. */
export async function keepFrame(address = '/lab/frame'): Promise<void> {
  // eslint-disable-next-line no-restricted-globals -- no part of the API: a document beside the page
  const answer = await fetch(address, { cache: 'no-cache' });
  // A network that wants a sign-in answers for everything.
  if (!walled(answer)) throw new Unreached();
  // Cut off, it is not kept. On a full disk, and where there is no Cache Storage, it runs all the same.
  await caches
    .open(cache)
    .then((c) => c.put(keptAt, answer))
    .catch(() => undefined);
}

/** Whether the service worker can show the copy. */
export async function isKept(): Promise<boolean> {
  if (!navigator.serviceWorker?.controller) return false;
  const here = await caches.match(keptAt, { cacheName: cache }).catch(() => undefined);
  return !!here && walled(here);
}
