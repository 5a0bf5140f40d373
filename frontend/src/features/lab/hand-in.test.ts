import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { close } from '../../offline/db';
import { keepHandIn, listHandIns } from '../../offline/hand-ins';
import { keep, kept } from '../../offline/shelf';
import { createHandIn, type HandIn } from './hand-in';

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
const verdict = { outcome: 'passed', attempt: 1, score: 1, checks: [], created_at: '2026-11-23T00:00:00Z' };
const clock = { sleep: () => Promise.resolve() };

let calls: { method: string; id: string }[];
let reply: (method: string, id: string, count: number) => Response | Promise<Response>;
let made: HandIn[];

function create(user = 'amina', legacy = 'old'): HandIn {
  const hand = createHandIn(user, legacy, clock);
  made.push(hand);
  return hand;
}
const answer = (id: string, more: object = {}, status = 200) => json({ id, enrollment_id: 'e1', lab_id: 'lab', files: {}, created_at: '2026-11-23T00:00:00Z', ...more }, status);
const states = async (user = 'amina') => (await listHandIns(user)).map(({ state }) => state);

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  close();
  calls = [];
  made = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    const body = request.method === 'POST' ? (JSON.parse(await request.text()) as { id: string }) : undefined;
    const id = body?.id ?? (/submissions\/([^?]+)/.exec(request.url)?.[1] as string);
    calls.push({ method: request.method, id });
    return reply(request.method, id, calls.length);
  });
});
afterEach(() => {
  for (const hand of made) hand.close();
  vi.unstubAllGlobals();
});

describe('handing in', () => {
  it('sends, waits for the verdict and keeps it to be read', async () => {
    reply = (method, id, count) => answer(id, method === 'GET' && count > 3 ? { verdict } : {}, method === 'POST' ? 202 : 200);
    const hand = create();
    await hand.handIn('e1', 'lab', { 'main.py': 'x' });
    expect(hand.phase.value).toBe('idle');
    expect(hand.history.value).toHaveLength(1);
    expect(hand.history.value[0]?.verdict?.outcome).toBe('passed');
    expect(calls.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET', 'GET']);
    expect(await states()).toEqual(['done']);
    // The next visit shows it, also without the network.
    reply = () => Promise.reject(new TypeError('network'));
    const later = create();
    await later.resume('e1', 'lab');
    expect(later.history.value[0]?.verdict?.outcome).toBe('passed');
    expect(calls).toHaveLength(4);
  });

  it('goes on after a reload with the same id', async () => {
    // The page dies while the first answer is on its way.
    reply = () => new Promise(() => undefined);
    void create().handIn('e1', 'lab', { 'main.py': 'x' });
    await vi.waitFor(() => expect(calls).toHaveLength(1));
    const first = calls[0]?.id;
    for (const hand of made) hand.close();
    await new Promise((resolve) => setTimeout(resolve));
    globalThis.indexedDB = await restart();
    reply = (method, id) => answer(id, method === 'GET' ? { verdict } : {});
    const after = create();
    await after.resume('e1', 'another lab');
    expect(calls).toHaveLength(1);
    await after.resume('e1', 'lab');
    await vi.waitFor(() => expect(after.history.value[0]?.verdict).toBeTruthy());
    await vi.waitFor(() => expect(after.phase.value).toBe('idle'));
    expect(new Set(calls.map(({ id }) => id))).toEqual(new Set([first]));
  });

  it('takes up what an older page kept', async () => {
    await keep('pending', 'old', { id: 'left', enrollment_id: 'e1', lab_id: 'lab', files: { 'main.py': 'x' } });
    reply = (method, id) => answer(id, method === 'GET' ? { verdict } : {});
    const hand = create();
    await hand.resume('e1', 'lab');
    await vi.waitFor(() => expect(hand.history.value[0]?.verdict).toBeTruthy());
    expect(hand.history.value[0]?.id).toBe('left');
    expect(await kept('pending', 'old')).toBeUndefined();
  });

  it('keeps several while the network is away, and lets the learner go on', async () => {
    reply = () => Promise.reject(new TypeError('network'));
    const hand = create();
    await hand.handIn('e1', 'lab', { 'main.py': 'one' });
    expect(hand.phase.value).toBe('waiting');
    await hand.handIn('e1', 'lab', { 'main.py': 'two' });
    expect(hand.phase.value).toBe('waiting');
    expect(hand.history.value.map(({ files }) => files['main.py'])).toEqual(['two', 'one']);
    expect(hand.durable.value).toBe(true);
    expect(await states()).toEqual(['waiting', 'waiting']);
    // One try each; the rest is sync's, which is not in a hurry.
    expect(calls.filter(({ method, id }) => method === 'POST' && id)).toHaveLength(2);
    // Sync sends them: what it brings shows at once.
    reply = (_, id) => answer(id, { verdict });
    for (const one of await listHandIns('amina')) await keepHandIn('amina', { ...one, state: 'sent' });
    await vi.waitFor(() => expect(hand.history.value.every((one) => one.verdict)).toBe(true));
    await vi.waitFor(() => expect(hand.phase.value).toBe('idle'));
  });

  it('stops at a refusal, and keeps what signing in again would mend', async () => {
    const hand = create();
    reply = () => json({ code: 'submission.too_large', title: 'x', detail: 'Too large.', status: 422 }, 422);
    await hand.handIn('e1', 'lab', { 'main.py': 'x' });
    expect(hand.phase.value).toBe('refused');
    expect(String(hand.trouble.value)).toContain('Too large.');
    expect(await states()).toEqual(['refused']);
    expect(hand.history.value).toEqual([]);
    reply = () => json({ code: 'session.none', title: 'x', status: 401 }, 401);
    await hand.handIn('e1', 'lab', { 'main.py': 'x' });
    expect(hand.phase.value).toBe('refused');
    expect(await states()).toEqual(['waiting', 'refused']);
  });

  it('shows nobody else’s', async () => {
    reply = () => Promise.reject(new TypeError('network'));
    await create().handIn('e1', 'lab', { 'main.py': 'x' });
    const other = create('yusuf');
    await other.resume('e1', 'lab');
    expect(other.history.value).toEqual([]);
    expect(other.phase.value).toBe('idle');
  });

  it('is at a submission once, however many pages show the lab', async () => {
    let answered: (() => void) | undefined;
    reply = (method, id) => (method === 'POST' ? answer(id, {}, 202) : new Promise((resolve) => (answered = () => resolve(answer(id, { verdict })))));
    const locks = queue();
    Object.defineProperty(navigator, 'locks', { configurable: true, value: locks });
    try {
      const first = create();
      const second = create();
      const going = first.handIn('e1', 'lab', { 'main.py': 'x' });
      await vi.waitFor(() => expect(answered).toBeTruthy());
      await second.resume('e1', 'lab');
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(calls.map(({ method }) => method)).toEqual(['POST', 'GET']);
      answered?.();
      await going;
      await vi.waitFor(() => expect(second.history.value[0]?.verdict).toBeTruthy());
      expect(calls.map(({ method }) => method)).toEqual(['POST', 'GET']);
    } finally {
      Reflect.deleteProperty(navigator, 'locks');
    }
  });
});

/** Web Locks in small. */
function queue() {
  const last = new Map<string, Promise<unknown>>();
  return {
    request: (name: string, { ifAvailable }: { ifAvailable: boolean }, work: (lock: object | null) => unknown) => {
      const before = last.get(name);
      if (before && ifAvailable) return Promise.resolve(work(null));
      const mine: Promise<unknown> = (before ?? Promise.resolve()).then(() => work({})).finally(() => last.get(name) === mine && last.delete(name));
      last.set(name, mine);
      return mine;
    },
  };
}

/** The same disk, without the notes of a tab that is gone: a real browser's locks end with it. */
async function restart(): Promise<IDBFactory> {
  const { disk } = await import('../../offline/db');
  for (const { key } of await disk.list<{ key: string }>('settings')) await disk.remove('settings', key);
  return globalThis.indexedDB;
}
