// The service worker: pages and media of installed courses without a network. The page keeps the shell of each language that is read here in
// Cache Storage (bridge.ts), and courses in IndexedDB (offline/bundle). Every page that is made here comes out of one shell all of whose files are
// here, so no page ever points to a file that is gone.
import { rootOf } from '../offline/bundle/library';
import { pages } from './render';
import { ranged, route, type Route } from './route';
import type { Shell } from './shell';
import { blob, shelf } from './stores';

declare const self: ServiceWorkerGlobalScope;

/** How long a network may keep a reader waiting who has a copy here, and one who has none. */
const patienceWithCopy = 3_000;
const patience = 25_000;

const kept = async (address: string) => (await caches.match(address))?.text();

// It takes over at once: what it reads has the same form in every release.
self.oninstall = () => void self.skipWaiting();
self.onactivate = (event) => {
  void self.registration.navigationPreload.enable();
  event.waitUntil(self.clients.claim());
};

self.onfetch = (event) => {
  const { request } = event;
  const url = new URL(request.url);
  // The policy of our pages lets them ask nobody but us.
  const to = request.method === 'GET' && route(url);
  if (!to) return;
  const answer = to.is === 'file' ? file(request) : to.digest ? media(request, to.digest, to.ending) : request.mode === 'navigate' && page(event, to, url);
  if (answer) event.respondWith(answer);
};

/** A built file: its name holds a digest, so what is here is what was asked for. */
async function file(request: Request): Promise<Response> {
  const here = await caches.match(request.url);
  // The frame of labs (offline/python/frame.ts) is not shown without the wall around it.
  if (here && (request.mode !== 'navigate' || /^default-src 'none'; sandbox allow-scripts;/.test(here.headers.get('Content-Security-Policy') as string))) return here;
  const answer = await fetch(request);
  // Who learns here will want it again. A network that wants a sign-in, which answers for everything, does not say that it never changes.
  if (/immutable/.test(answer.headers.get('Cache-Control') ?? '')) {
    const kept = answer.clone();
    // On a full disk the page works all the same.
    caches.open('banyan').then((cache) => cache.put(request.url, kept)).catch(() => 0);
  }
  return answer;
}

async function media(request: Request, digest: string, ending?: string): Promise<Response> {
  const bytes = await blob(digest);
  return bytes ? ranged(request.headers.get('Range'), bytes, digest, ending) : fetch(request);
}

async function page(event: FetchEvent, { is, locale, course, number, item }: Route, url: URL): Promise<Response> {
  const network = (async () => ((await event.preloadResponse) as Response | undefined) ?? fetch(event.request))();
  network.catch(() => 0);
  const shellOf = async (of: string | undefined) => JSON.parse((await kept(`/shell/${of}.json`)) ?? '0') as Shell | 0;
  // /app/ and / do not say their language: it is the one that was last read in.
  const last = await kept('/shell/last');
  const own = await shellOf(locale ?? last);
  const shell = own || (await shellOf(last));
  if (!shell) return network;
  const make = pages(shell, async (digest) => {
    const bytes = await blob(digest);
    return bytes && new TextDecoder().decode(bytes);
  });
  const shelved = await shelf();
  const roots = shelved.flatMap(({ installed }) => (installed ? rootOf(installed) : []));

  /** The page out of what is here; undefined where something is missing. */
  const copy = async () => {
    if (is === 'app') return (await kept(`/shell/${shell.locale}.json?whole`)) && make.plain(is, []);
    if (is === 'catalogue') return roots[0] && make.plain(is, roots);
    const found = shelved.find((one) => one.course === course);
    const version = [found?.installed, found?.previous].find((one) => one && (!number || one.number === +number));
    return version && make.course(rootOf(version), !!number, item);
  };
  const here = own && (await copy().catch(() => ''));

  let portal = false;
  if (!here || navigator.onLine) {
    try {
      const whole = async () => {
        const answer = await network;
        // With a copy at hand nobody waits for an answer that stops halfway.
        if (here) await answer.clone().arrayBuffer();
        return answer;
      };
      const answer = await Promise.race([whole(), new Promise<never>((_, reject) => setTimeout(reject, here ? patienceWithCopy : patience))]);
      // Every answer of ours says so. A redirection cannot be looked at: pages of ours that have a copy do not redirect, but for "/".
      const ours = answer.headers.has('Banyan') || (answer.type === 'opaqueredirect' && !(here && locale));
      if (ours && (answer.status < 400 || !here)) return answer;
      portal = answer.ok;
    } catch {
      // No network, or one that does not answer in time.
    }
  }
  const at = locale ? url.pathname.slice(locale.length + 1) : '/';
  const text = here || (await make.plain(portal ? 'portal' : 'offline', roots, { at, href: url.pathname + url.search }));
  return new Response(text, { status: here ? 200 : 503, headers: shell.headers });
}
