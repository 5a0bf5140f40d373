import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Unreached } from '../../../api/problem';
import { connect, RunnerError } from './connect';

const policy = "default-src 'none'; sandbox allow-scripts; connect-src 'none'";
const document_ = (csp?: string) => new Response('<!doctype html>', { headers: csp ? { 'Content-Security-Policy': csp } : {} });

let kept: Map<string, Response>;
let controlled: boolean;

/** What the network says of /lab/frame. */
function network(answer: () => Promise<Response>): void {
  vi.stubGlobal('fetch', answer);
}
const away = () => Promise.reject(new TypeError('offline'));

beforeEach(() => {
  kept = new Map();
  controlled = true;
  vi.stubGlobal('caches', {
    open: async () => ({ put: async (at: string, answer: Response) => void kept.set(at, answer) }),
    match: async (at: string) => kept.get(at),
  });
  Object.defineProperty(navigator, 'serviceWorker', { configurable: true, get: () => ({ controller: controlled ? {} : null }) });
  // No frame loads here: what stands in for one only remembers what it was to show.
  const make = document.createElement.bind(document);
  vi.spyOn(document, 'createElement').mockImplementation((name: string) => {
    const made = make(name === 'iframe' ? 'div' : name);
    Object.defineProperties(made, {
      contentWindow: { value: { postMessage: () => undefined } },
      src: { set: (src: string) => (made.dataset['src'] = src) },
    });
    return made;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  Reflect.deleteProperty(navigator, 'serviceWorker');
  for (const frame of frames()) frame.remove();
});

const frames = () => Array.from(document.querySelectorAll<HTMLIFrameElement>('[data-src]'));
const shown = () => frames().map((frame) => [frame.dataset['src'], frame.getAttribute('sandbox')]);

/** The frame speaks, from an origin as the browser would say it. */
function hello(origin: string) {
  const heard = vi.fn();
  const source = frames()[0]?.contentWindow as Window;
  vi.spyOn(source, 'postMessage').mockImplementation(heard);
  dispatchEvent(new MessageEvent('message', { data: { banyan: 'frame' }, origin, source }));
  return heard;
}

describe('with a network', () => {
  it('the frame is sandboxed twice, and is kept with its headers', async () => {
    network(async () => document_(policy));
    const { port } = connect('/lab/frame');
    expect(shown()).toEqual([['/lab/frame', 'allow-scripts']]);
    await vi.waitFor(() => expect(kept.size).toBe(1));
    expect(kept.get('/assets/lab-frame')?.headers.get('Content-Security-Policy')).toBe(policy);
    const heard = hello('null');
    expect(heard).toHaveBeenCalledOnce();
    // The other end went into the frame.
    const [message, target, [theirs]] = heard.mock.calls[0] as [unknown, string, MessagePort[]];
    expect([message, target]).toEqual([{ banyan: 'page' }, '*']);
    const came = new Promise((resolve) => ((theirs as MessagePort).onmessage = ({ data }) => resolve(data)));
    (await port).postMessage('a job');
    expect(await came).toBe('a job');
    theirs?.close();
  });

  it.each(['http://localhost:3000', ''])('a frame whose origin is "%s" gets nothing', async (origin) => {
    network(async () => document_(policy));
    const { port } = connect('/lab/frame');
    expect(hello(origin)).not.toHaveBeenCalled();
    await expect(port).rejects.toBeInstanceOf(RunnerError);
  });

  it.each([
    ['without a policy', undefined],
    ['with the page\'s policy', "default-src 'none'; script-src 'self'"],
    ['with a sandbox that is open', "default-src 'none'; sandbox allow-scripts allow-same-origin; connect-src 'none'"],
  ])('a document %s is not kept', async (_, csp) => {
    network(async () => document_(csp));
    await expect(connect('/lab/frame').port).rejects.toBeInstanceOf(Unreached);
    expect(kept.size).toBe(0);
  });
});

describe('without a network', () => {
  it('the copy is shown by the worker, and held to its origin', async () => {
    kept.set('/assets/lab-frame', document_(policy));
    network(away);
    const { port } = connect('/lab/frame');
    await vi.waitFor(() => expect(shown()).toEqual([['/assets/lab-frame', null]]));
    expect(hello(location.origin)).not.toHaveBeenCalled();
    await expect(port).rejects.toBeInstanceOf(RunnerError);
  });

  it.each<[string, () => void]>([
    ['there is no copy', () => undefined],
    ['the copy has lost its wall', () => kept.set('/assets/lab-frame', document_())],
    ['no worker is there to show it', () => {
      kept.set('/assets/lab-frame', document_(policy));
      controlled = false;
    }],
  ])('it says so at once where %s', async (_, prepare) => {
    prepare();
    network(away);
    const { port } = connect('/lab/frame');
    await expect(port).rejects.toBeInstanceOf(Unreached);
    expect(shown()).toEqual([['/lab/frame', 'allow-scripts']]);
  });

  it('nobody who has a copy waits for a network that never answers', async () => {
    vi.useFakeTimers();
    kept.set('/assets/lab-frame', document_(policy));
    network(() => new Promise(() => undefined));
    const { port } = connect('/lab/frame');
    await vi.advanceTimersByTimeAsync(3_000);
    expect(shown()).toEqual([['/assets/lab-frame', null]]);
    expect(hello('null')).toHaveBeenCalledOnce();
    await port;
    vi.useRealTimers();
  });
});
