import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { close } from './db';
import { append, durable, flush, open, refused, reopen, waiting, type Answer, type NewStatement } from './outbox';

type Reply = (batch: NewStatement[]) => Response | Promise<Response>;
const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
const accept: Reply = (batch) => json({ answers: batch.map(({ id }) => ({ id, status: 'accepted' })) });
const problem = (status: number, code: string) => json({ code, title: code, detail: `says ${code}`, status }, status);

let reply: Reply;
let batches: NewStatement[][];

const lesson = (object_id: string) => ({ enrollment_id: 'e1', verb: 'completed' as const, object_id });
const objects = () => batches.map((batch) => batch.map(({ object_id }) => object_id));

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  close();
  reopen();
  batches = [];
  reply = accept;
  vi.stubGlobal('fetch', async (request: Request) => {
    const batch = JSON.parse(await request.text()) as NewStatement[];
    batches.push(batch);
    return reply(batch);
  });
});
afterEach(() => {
  reopen();
  vi.unstubAllGlobals();
});

describe('the outbox', () => {
  it('keeps, sends and removes', async () => {
    await open('amina');
    const { id, kept, answered } = append(lesson('one'));
    await kept;
    expect((await answered).status).toBe('accepted');
    await flush();
    expect(waiting.value).toEqual([]);
    expect(batches).toHaveLength(1);
    expect(Object.keys(batches[0]?.[0] ?? {}).sort()).toEqual(['at', 'enrollment_id', 'id', 'object_id', 'verb']);
    expect(batches[0]?.[0]?.id).toBe(id);
  });

  it('sends again what was sent when the page died before the acknowledgement', async () => {
    await open('amina');
    // The server takes it, and its answer never arrives.
    reply = () => Promise.reject(new TypeError('network'));
    const { id, kept } = append(lesson('one'));
    await kept;
    await flush();
    expect(batches.length).toBeGreaterThan(0);
    reopen();
    batches = [];
    reply = (batch) => json({ answers: batch.map((one) => ({ id: one.id, status: 'duplicate' })) });
    await open('amina');
    await flush();
    expect(batches.map((batch) => batch.map((one) => one.id))).toEqual([[id]]);
    expect(waiting.value).toEqual([]);
    reopen();
    batches = [];
    await open('amina');
    await flush();
    expect(batches).toEqual([]);
  });

  it('removes one by one: what has no answer stays', async () => {
    await open('amina');
    reply = () => Promise.reject(new TypeError('network'));
    for (const name of ['one', 'two', 'three']) await append(lesson(name)).kept;
    await flush();
    const answered: Answer['status'][] = ['accepted', 'duplicate'];
    reply = (batch) => json({ answers: batch.slice(0, 2).map(({ id }, i) => ({ id, status: answered[i] })) });
    await flush();
    expect(waiting.value.map(({ object_id }) => object_id)).toEqual(['three']);
  });

  it('tells of a refused statement and keeps it no longer', async () => {
    await open('amina');
    reply = (batch) => json({ answers: batch.map(({ id }) => ({ id, status: 'rejected', code: 'x', detail: 'No such lesson.' })) });
    const { answered } = append(lesson('one'));
    expect((await answered).status).toBe('rejected');
    expect(refused.value.map(({ detail }) => detail)).toEqual(['No such lesson.']);
    expect(waiting.value).toEqual([]);
  });

  it('finds the one at fault in a batch that is refused as a whole', async () => {
    await open('amina');
    reply = () => Promise.reject(new TypeError('network'));
    for (const name of ['one', 'bad', 'three', 'four']) await append(lesson(name)).kept;
    await flush();
    batches = [];
    reply = (batch) => (batch.some(({ object_id }) => object_id === 'bad') ? problem(422, 'request.invalid') : accept(batch));
    await flush();
    expect(objects()).toEqual([['one', 'bad', 'three', 'four'], ['one', 'bad'], ['one'], ['bad'], ['three', 'four']]);
    expect(waiting.value).toEqual([]);
    expect(refused.value.map(({ detail }) => detail)).toEqual(['says request.invalid']);
  });

  it.each([401, 429, 500, 503])('keeps everything on %i', async (status) => {
    await open('amina');
    reply = () => problem(status, 'x');
    await append(lesson('one')).kept;
    await flush();
    expect(waiting.value).toHaveLength(1);
    expect(refused.value).toEqual([]);
  });

  it('never sends one person’s work as another’s', async () => {
    await open('amina');
    reply = () => Promise.reject(new TypeError('network'));
    await append(lesson('one')).kept;
    await flush();
    reopen();
    batches = [];
    reply = accept;
    await open('yusuf');
    await flush();
    expect(batches).toEqual([]);
    reopen();
    await open('amina');
    await flush();
    expect(objects()).toEqual([['one']]);
  });

  it('sends at most a hundred at a time, oldest first', async () => {
    await open('amina');
    reply = () => Promise.reject(new TypeError('network'));
    await Promise.all(Array.from({ length: 130 }, (_, i) => append(lesson(`l${i}`)).kept));
    await flush();
    batches = [];
    reply = accept;
    await flush();
    expect(batches.map((batch) => batch.length)).toEqual([100, 30]);
    expect(objects().flat()).toEqual(Array.from({ length: 130 }, (_, i) => `l${i}`));
  });

  it('takes up what was appended while it was sending', async () => {
    await open('amina');
    let second: Promise<unknown> | undefined;
    reply = (batch) => {
      second ??= append(lesson('two')).answered;
      return accept(batch);
    };
    await append(lesson('one')).answered;
    await second;
    expect(objects()).toEqual([['one'], ['two']]);
  });

  it('sends when the network returns', async () => {
    await open('amina');
    reply = () => Promise.reject(new TypeError('network'));
    const { kept, answered } = append(lesson('one'));
    await kept;
    await flush();
    reply = accept;
    dispatchEvent(new Event('online'));
    expect((await answered).status).toBe('accepted');
  });

  it('sends once what the disk will not let go of', async () => {
    await open('amina');
    const stuck = vi.spyOn(IDBObjectStore.prototype, 'delete').mockImplementation(() => {
      throw new DOMException('no', 'ReadOnlyError');
    });
    await append(lesson('one')).answered;
    await flush();
    stuck.mockRestore();
    expect(batches).toHaveLength(1);
    expect(waiting.value).toEqual([]);
  });

  it('works from memory when the browser blocks the disk, and says so', async () => {
    const blocked = { open: () => { throw new DOMException('no', 'SecurityError'); } };
    globalThis.indexedDB = blocked as unknown as IDBFactory;
    await open('amina');
    const { answered } = append(lesson('one'));
    expect((await answered).status).toBe('accepted');
    expect(durable.value).toBe(false);
    expect(waiting.value).toEqual([]);
  });
});
