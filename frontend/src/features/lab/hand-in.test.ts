import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { close } from '../../offline/db';
import { kept } from '../../offline/shelf';
import { createHandIn } from './hand-in';

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
const verdict = { outcome: 'passed', attempt: 1, score: 1, checks: [], created_at: '2026-11-23T00:00:00Z' };
const clock = { sleep: () => Promise.resolve() };

let calls: { method: string; id: string }[];
let reply: (method: string, id: string, count: number) => Response | Promise<Response>;

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  close();
  calls = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    const body = request.method === 'POST' ? (JSON.parse(await request.text()) as { id: string }) : undefined;
    const id = body?.id ?? (/submissions\/([^?]+)/.exec(request.url)?.[1] as string);
    calls.push({ method: request.method, id });
    return reply(request.method, id, calls.length);
  });
});
afterEach(() => vi.unstubAllGlobals());

describe('handing in', () => {
  it('sends, waits for the verdict and forgets what waited', async () => {
    reply = (method, id, count) => json({ id, files: {}, ...(method === 'GET' && count > 3 ? { verdict } : {}) }, method === 'POST' ? 202 : 200);
    const hand = createHandIn('k1', clock);
    await hand.handIn('e1', 'lab', { 'main.py': 'x' });
    expect(hand.phase.value).toBe('idle');
    expect(hand.history.value).toHaveLength(1);
    expect(hand.history.value[0]?.verdict?.outcome).toBe('passed');
    expect(calls.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET', 'GET']);
    expect(await kept('pending', 'k1')).toBeUndefined();
  });

  it('goes on after a reload with the same id', async () => {
    // The page dies while the first answer is on its way.
    reply = () => new Promise(() => undefined);
    void createHandIn('k2', clock).handIn('e1', 'lab', { 'main.py': 'x' });
    await vi.waitFor(() => expect(calls).toHaveLength(1));
    const first = calls[0]?.id;
    reply = (method, id) => json({ id, files: {}, ...(method === 'GET' ? { verdict } : {}) });
    const after = createHandIn('k2', clock);
    await after.resume('another enrollment');
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(calls).toHaveLength(1);
    await after.resume('e1');
    await vi.waitFor(() => expect(after.phase.value).toBe('idle'));
    await vi.waitFor(() => expect(after.history.value[0]?.verdict).toBeTruthy());
    expect(new Set(calls.map(({ id }) => id))).toEqual(new Set([first]));
  });

  it('insists while the network or the server is away', async () => {
    const seen: string[] = [];
    const hand = createHandIn('k3', { sleep: () => (seen.push(hand.phase.value), Promise.resolve()) });
    reply = (method, id, count) => {
      if (count === 1) throw new TypeError('network');
      if (count === 2) return json({ code: 'x', title: 'x', status: 503 }, 503);
      return json({ id, files: {}, ...(method === 'GET' ? { verdict } : {}) });
    };
    await hand.handIn('e1', 'lab', { 'main.py': 'x' });
    expect(seen).toEqual(['waiting', 'waiting']);
    expect(hand.history.value[0]?.verdict?.outcome).toBe('passed');
    expect(new Set(calls.map(({ id }) => id)).size).toBe(1);
  });

  it('stops at a refusal, and keeps only what signing in again would mend', async () => {
    const hand = createHandIn('k4', clock);
    reply = () => json({ code: 'submission.too_large', title: 'x', detail: 'Too large.', status: 422 }, 422);
    await hand.handIn('e1', 'lab', { 'main.py': 'x' });
    expect(hand.phase.value).toBe('refused');
    expect(String(hand.trouble.value)).toContain('Too large.');
    expect(await kept('pending', 'k4')).toBeUndefined();
    reply = () => json({ code: 'session.none', title: 'x', status: 401 }, 401);
    await hand.handIn('e1', 'lab', { 'main.py': 'x' });
    expect(await kept('pending', 'k4')).toBeTruthy();
  });
});
