// The network that bundles come over. It fetches for itself and not through api/client.ts: packs are bytes, and of every answer it must know
// whether our server gave it or what stood in between, a captive portal or a proxy.
import type { Schemas } from '../../api/client';
import { type Carrier, Interrupted, type Stretch } from './carriage';
import { BundleError } from './fault';
import { stopped } from './lock';

/** A line that brings nothing for so long is dead, also on 2G. */
const silence = 60_000;
const pack = 'application/vnd.banyan.pack';

interface Connection {
  effectiveType?: string;
  saveData?: boolean;
}

let time: string | undefined;

/** Sends a request and gives an answer of our server, whatever it says. */
async function reach(href: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    // A redirect is nobody of ours: our server sends none here, and a portal's sign-in page is behind it. What arrives is kept in the
    // database; the browser's cache need not keep it once more.
    response = await fetch(href, { headers, signal, redirect: 'manual', cache: 'no-store', credentials: 'same-origin' });
  } catch {
    if (signal.aborted) throw stopped();
    throw new Interrupted();
  }
  const { status } = response;
  if (response.type === 'opaqueredirect' || status === 511) throw new BundleError('captive_portal');
  if (status === 429 || status >= 500) throw new Interrupted(Number(response.headers.get('Retry-After')) || undefined);
  return response;
}

/** Whether our server wrote it: every answer of it says so, and a pack by its type. What a portal puts in its place is a page. */
function ours(response: Response, type: RegExp): void {
  const sent = response.headers.get('Content-Type') ?? '';
  if (!type.test(sent) || (!response.headers.get('Banyan') && sent.indexOf(pack) < 0)) throw new BundleError('captive_portal');
  const date = Date.parse(response.headers.get('Date') ?? '');
  if (!isNaN(date)) time = new Date(date).toISOString().replace(/\.\d+/, '');
}

async function json<T>(href: string, signal?: AbortSignal): Promise<T> {
  const response = await reach(href, { Accept: 'application/json' }, signal ?? new AbortController().signal).catch((cause: unknown) => {
    throw cause instanceof Interrupted ? new BundleError('no_network') : cause;
  });
  ours(response, /^application\/(problem\+)?json\b/);
  if (response.status === 404) throw new BundleError('not_found');
  if (!response.ok) throw new BundleError('no_network');
  return (await response.json().catch(() => {
    throw new BundleError('no_network');
  })) as T;
}

/** A stream that fails when nothing comes for too long. */
function awake(body: ReadableStream<Uint8Array>, silent: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const timer = setTimeout(silent, silence);
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch {
        controller.error(new Interrupted());
      } finally {
        clearTimeout(timer);
      }
    },
    cancel: (cause) => reader.cancel(cause),
  });
}

/** Aborts with another signal, and by itself. */
function leash(signal?: AbortSignal): AbortController {
  const controller = new AbortController();
  if (signal?.aborted) controller.abort();
  else signal?.addEventListener('abort', () => controller.abort());
  return controller;
}

function strong(etag: string | null): string | undefined {
  return etag && !etag.startsWith('W/') ? etag : undefined;
}

/** The server that this page came from. */
export const http: Carrier = {
  plan(course, { locales, tier, modules, budget }, { number, from }, signal) {
    const query = new URLSearchParams();
    for (const locale of locales) query.append('locale', locale);
    query.append('tier', tier);
    for (const module of modules ?? []) query.append('module', module);
    if (budget !== undefined) query.append('budget', String(budget));
    if (number !== undefined) query.append('number', String(number));
    if (from !== undefined) query.append('from', String(from));
    return json<Schemas['BundlePlan']>(`/api/bundles/${encodeURIComponent(course)}/plan?${query.toString()}`, signal);
  },

  async publishers(signal) {
    return (await json<Schemas['PublisherList']>('/api/publishers', signal)).items;
  },

  async pack(href, { start, etag, most }, signal): Promise<Stretch> {
    const controller = leash(signal);
    const range = most === undefined ? `bytes=${start}-` : `bytes=${start}-${start + most - 1}`;
    const headers: Record<string, string> = start || most !== undefined ? { Range: range, ...(etag !== undefined && { 'If-Range': etag }) } : {};
    const silent = setTimeout(() => controller.abort(), silence);
    let response: Response;
    try {
      response = await reach(href, headers, controller.signal);
    } catch (cause) {
      throw signal?.aborted || cause instanceof BundleError || cause instanceof Interrupted ? cause : new Interrupted();
    } finally {
      clearTimeout(silent);
    }
    if (response.status === 404 || response.status === 410) {
      ours(response, /./);
      throw new BundleError('not_found');
    }
    if (response.status === 416) {
      ours(response, /^/);
      // Whatever is here reaches further than the pack: once more from its beginning.
      return http.pack(href, { start: 0 }, signal);
    }
    ours(response, /^application\/vnd\.banyan\.pack\b/);
    if (!response.body || (response.status !== 200 && response.status !== 206)) throw new Interrupted();
    const body = awake(response.body as ReadableStream<Uint8Array>, () => controller.abort());
    const tag = strong(response.headers.get('ETag'));
    if (response.status === 200) {
      const length = response.headers.get('Content-Length');
      // What a proxy packed once more has another length.
      const total = length && !response.headers.get('Content-Encoding') ? Number(length) : undefined;
      return { start: 0, total, etag: tag, body };
    }
    const said = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('Content-Range') ?? '');
    if (!said) {
      controller.abort();
      throw new Interrupted();
    }
    return { start: Number(said[1]), total: said[2] === '*' ? undefined : Number(said[2]), etag: tag, body };
  },

  async blob(digest, signal) {
    const response = await reach(`/api/blobs/${encodeURIComponent(digest)}`, {}, signal ?? new AbortController().signal);
    ours(response, /^/);
    if (!response.ok) return undefined;
    return new Uint8Array(
      await response.arrayBuffer().catch(() => {
        throw signal?.aborted ? stopped() : new Interrupted();
      }),
    );
  },

  time: () => time,

  wait: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      const onAbort = () => {
        clearTimeout(timer);
        reject(stopped());
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, milliseconds);
      signal?.addEventListener('abort', onAbort);
    }),

  online: () => navigator.onLine,

  // Side by side, slow lines only share their slowness.
  lanes() {
    const { effectiveType, saveData } = (navigator as { connection?: Connection }).connection ?? {};
    return saveData || effectiveType === 'slow-2g' || effectiveType === '2g' ? 1 : 3;
  },
};

/**
 * What the server knows of issuers, as a pack (/api/trust), or what those say whom an institution trusts: no body where that is what `etag` names, or
 * nothing. Undefined: no answer of our server, or one that refuses.
 */
export async function fetchWords(etag: string, institution?: string): Promise<{ etag: string; body?: ReadableStream<Uint8Array> } | undefined> {
  const controller = leash();
  const response = await reach(institution === undefined ? '/api/trust' : `/api/institutions/${institution}/trust`, etag ? { 'If-None-Match': etag } : {}, controller.signal);
  const { status, body } = response;
  if (status === 304) return { etag };
  if (status === 204 && response.headers.get('Banyan')) return { etag: '' };
  ours(response, /^application\/(octet-stream|problem\+json)\b/);
  if (status === 403 && institution !== undefined) return { etag: '' };
  if (status !== 200 || !body) return undefined;
  return { etag: strong(response.headers.get('ETag')) ?? '', body: awake(body as ReadableStream<Uint8Array>, () => controller.abort()) };
}
