import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { problem, World, type Tab } from './fake-server';
import type { NewStatement } from './outbox';

let world: World;
let tab: Tab;
const lesson = (object_id: string) => ({ enrollment_id: 'e1', verb: 'completed' as const, object_id });
const objects = () => world.server.posts.map(({ statements }) => statements.map(({ object_id }) => object_id)).filter((batch) => batch.length);
const names = () => tab.outbox.waiting.value.map(({ object_id }) => object_id);
const lost = () => 'lost' as const;
const fine = () => 'fine' as const;

/** Opens for somebody, and waits until the first sync has ended. */
async function open(user = 'amina', at = tab): Promise<void> {
  await at.in(() => at.outbox.open(user));
  await at.in(() => at.outbox.flush());
}
const append = (name: string, at = tab) => at.in(() => at.outbox.append(lesson(name)));
const syncNow = (at = tab) => at.in(() => at.outbox.syncNow());

beforeEach(async () => {
  world = new World();
  world.server.enrol('e1');
  tab = await world.tab();
});
afterEach(() => world.close());

describe('the outbox', () => {
  it('keeps, numbers, sends and moves to the history', async () => {
    await open();
    const { id, kept, answered } = append('one');
    await kept;
    expect((await answered).status).toBe('accepted');
    await syncNow();
    expect(names()).toEqual([]);
    expect(objects()).toEqual([['one']]);
    const [sent] = world.server.posts.flatMap(({ statements }) => statements);
    expect(Object.keys(sent as object).sort()).toEqual(['at', 'enrollment_id', 'id', 'object_id', 'sequence', 'verb']);
    expect(sent).toMatchObject({ id, sequence: 1 });
    expect(await tab.in(() => tab.history.everything('amina'))).toMatchObject([{ id, object_id: 'one' }]);
    expect(tab.outbox.syncTrouble.value).toBeUndefined();
    expect(tab.outbox.lastSync.value).toBe('2026-11-23T12:00:00Z');
  });

  it('sends again what was sent when the page died before the acknowledgement', async () => {
    world.weather = ({ url }) => (url.includes('sync') ? 'answer lost' : 'fine');
    await open();
    const { id, kept } = append('one');
    await kept;
    await syncNow();
    expect(world.server.statements.size).toBe(1);
    tab.kill();
    world.weather = fine;
    world.server.posts = [];
    tab = await world.tab();
    await open();
    expect(world.server.posts[0]?.statements.map((one) => one.id)).toEqual([id]);
    expect(world.server.statements.size).toBe(1);
    expect(names()).toEqual([]);
    world.server.posts = [];
    tab.kill();
    tab = await world.tab();
    await open();
    expect(objects()).toEqual([]);
  });

  it('keeps what has no answer', async () => {
    world.weather = lost;
    await open();
    for (const name of ['one', 'two', 'three']) await append(name).kept;
    await syncNow();
    expect(names()).toEqual(['one', 'two', 'three']);
    // A server that answers some and then falls silent.
    let first = true;
    world.weather = (request) => {
      if (!request.url.includes('/api/sync') || request.method !== 'POST') return 'fine';
      if (!first) return 'lost';
      first = false;
      const ids = tab.outbox.waiting.value.slice(0, 2).map(({ id }) => id);
      const answers = ids.map((id) => ({ id, status: 'accepted' }));
      return new Response(JSON.stringify({ answers, epoch: 1, known: 2, cursor: '1:2', current: false, server_time: '2026-11-23T12:00:00Z', credentials: { count: 0 } }), { headers: { 'Content-Type': 'application/json' } });
    };
    await syncNow();
    expect(names()).toEqual(['three']);
    expect(tab.outbox.syncTrouble.value).toBeTruthy();
    expect(tab.outbox.lastSync.value).toBe('');
  });

  it('tells of a refused statement, counts it no longer and keeps it to be exported', async () => {
    await open();
    const { answered, id } = append('bad');
    expect((await answered).status).toBe('rejected');
    expect(tab.outbox.refused.value.map(({ detail }) => detail)).toEqual(['No such lesson.']);
    expect(names()).toEqual([]);
    expect(await tab.in(() => tab.history.everything('amina'))).toEqual([]);
    const { disk } = await import('./db');
    expect(await disk.find('history', ['amina', id])).toMatchObject({ rejected: true, body: { code: 'statement.unknown_object' } });
  });

  it('finds the one at fault in a batch that is refused as a whole', async () => {
    world.weather = lost;
    await open();
    for (const name of ['one', 'huge', 'three', 'four']) await append(name).kept;
    await syncNow();
    world.weather = fine;
    const handle = world.server.handle.bind(world.server);
    world.server.handle = async (request) => {
      const copy = request.clone();
      const count = world.server.posts.length;
      const backup = world.server.backup();
      const answer = await handle(copy as Request);
      if (!world.server.posts[count]?.statements.some(({ object_id }) => object_id === 'huge')) return answer;
      world.server.restore(backup);
      world.server.generation--;
      return problem(413, 'request.too_large');
    };
    for (let i = 0; i < 8; i++) await syncNow();
    expect(names()).toEqual([]);
    expect(tab.outbox.refused.value.map(({ detail }) => detail)).toEqual(['says request.too_large']);
    expect(world.server.of('amina').map(({ object_id }) => object_id).sort()).toEqual(['four', 'one', 'three']);
  });

  it.each([
    [401, 'device.lease_expired'],
    [401, 'device.revoked'],
    [403, 'token.scope_missing'],
    [409, 'device.taken'],
    [422, 'request.invalid'],
    [429, 'rate.limited'],
    [500, 'internal'],
    [503, 'busy'],
  ])('keeps everything on %i %s', async (status, code) => {
    world.weather = ({ url }) => (url.includes('/api/sync') ? problem(status, code) : 'fine');
    await open();
    await append('one').kept;
    await syncNow();
    await syncNow();
    expect(names()).toEqual(['one']);
    expect(tab.outbox.refused.value).toEqual([]);
    expect(tab.outbox.syncTrouble.value).toMatchObject({ code });
    world.weather = fine;
    await syncNow();
    expect(objects()).toEqual([['one']]);
    expect(names()).toEqual([]);
  });

  it('takes the page of a captive portal for no answer', async () => {
    world.weather = () => 'portal';
    await open();
    await append('one').kept;
    await syncNow();
    expect(names()).toEqual(['one']);
    expect(tab.outbox.lastSync.value).toBe('');
    // Nor the JSON of something else.
    world.weather = ({ url }) => (url.includes('/api/sync') ? new Response('{"ok":true,"answers":[]}', { headers: { 'Content-Type': 'application/json' } }) : 'fine');
    await syncNow();
    expect(names()).toEqual(['one']);
    expect(tab.outbox.lastSync.value).toBe('');
  });

  it('never sends one person’s work as another’s', async () => {
    world.weather = lost;
    await open();
    await append('one').kept;
    tab.kill();
    world.weather = fine;
    world.server.user = 'yusuf';
    tab = await world.tab();
    await open('yusuf');
    expect(objects()).toEqual([]);
    tab.kill();
    // The page still thinks of Amina, and somebody else signed in meanwhile.
    tab = await world.tab();
    await open('amina');
    await syncNow();
    expect(objects()).toEqual([]);
    expect(names()).toEqual(['one']);
    world.server.user = 'amina';
    await syncNow();
    expect(objects()).toEqual([['one']]);
    expect(world.server.of('amina')).toHaveLength(1);
  });

  it('sends at most a hundred at a time, zipped, oldest first', async () => {
    world.weather = lost;
    await open();
    await Promise.all(Array.from({ length: 130 }, (_, i) => append(`l${i}`).kept));
    world.weather = fine;
    tab.sync.calm();
    await syncNow();
    expect(objects().map((batch) => batch.length)).toEqual([100, 30]);
    expect(objects().flat()).toEqual(Array.from({ length: 130 }, (_, i) => `l${i}`));
    const [large] = world.server.posts.filter(({ statements }) => statements.length);
    expect(large?.zipped).toBe(true);
    expect(large?.bytes).toBeLessThan(32 * 1024);
  });

  it('sends no more than 32 kB at a time, but for one that is larger', async () => {
    world.weather = lost;
    await open();
    const noise = (length: number) => Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => byte.toString(16)).join('');
    for (const length of [9000, 9000, 9000, 60_000, 9000]) {
      await tab.in(() => tab.outbox.append({ enrollment_id: 'e1', verb: 'answered', object_id: `q${length}`, responses: { a: noise(length) } })).kept;
    }
    world.weather = fine;
    tab.sync.calm();
    await syncNow();
    expect(names()).toEqual([]);
    const batches = world.server.posts.filter(({ statements }) => statements.length);
    for (const { bytes, statements } of batches) expect(bytes <= 32 * 1024 || statements.length === 1).toBe(true);
    expect(world.server.statements.size).toBe(5);
  });

  it('takes up what was appended while it was sending', async () => {
    await open();
    let second: Promise<unknown> | undefined;
    world.weather = (request) => {
      if (request.method === 'POST') second ??= append('two').answered;
      return 'fine';
    };
    await append('one').answered;
    await second;
    await syncNow();
    expect(objects()).toEqual([['one'], ['two']]);
  });

  it('sends when the network returns', async () => {
    world.weather = lost;
    await open();
    const { kept, answered } = append('one');
    await kept;
    await syncNow();
    world.weather = fine;
    tab.in(() => dispatchEvent(new Event('online')));
    expect((await answered).status).toBe('accepted');
  });

  it('knocks ever more seldom, but at once when asked', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      world.weather = lost;
      await open();
      const waits: number[] = [];
      for (let i = 0; i < 6; i++) {
        const before = performance.now();
        const count = world.server.calls.length;
        let asked = 0;
        world.weather = () => (asked++, 'lost');
        while (!asked) {
          await vi.advanceTimersByTimeAsync(500);
          await tab.in(() => tab.outbox.flush());
        }
        waits.push(performance.now() - before);
        expect(world.server.calls).toHaveLength(count);
      }
      expect(waits[5] as number).toBeGreaterThan(10 * (waits[0] as number) - 20_000);
      expect(waits[5] as number).toBeGreaterThan(20_000);
      world.weather = fine;
      await syncNow();
      expect(tab.outbox.syncTrouble.value).toBeUndefined();
    } finally {
      vi.useRealTimers();
    }
  });

  it('works from memory when the browser blocks the disk, and says so', async () => {
    vi.stubGlobal('indexedDB', { open: () => { throw new DOMException('no', 'SecurityError'); } });
    await open();
    const { answered } = append('one');
    expect((await answered).status).toBe('accepted');
    expect(tab.outbox.durable.value).toBe(false);
    expect(names()).toEqual([]);
    expect(world.server.of('amina').map(({ object_id }) => object_id)).toEqual(['one']);
  });

  it('sends what an older page kept without numbers', async () => {
    const old: NewStatement & { user: string } = { user: 'amina', id: '0192-old', enrollment_id: 'e1', verb: 'completed', object_id: 'old', at: '2026-01-01T00:00:00Z' };
    const { disk } = await import('./db');
    await tab.in(() => disk.put('outbox', old));
    await open();
    expect(objects()).toEqual([['old']]);
    expect(world.server.posts.find(({ statements }) => statements.length)?.statements[0]?.sequence).toBe(1);
    expect(names()).toEqual([]);
  });
});

describe('two tabs', () => {
  it.each([true, false])('never give out a number twice (locks: %s)', async (locks) => {
    world.close();
    world = new World({ locks });
    world.server.enrol('e1');
    world.weather = lost;
    tab = await world.tab();
    const other = await world.tab();
    await Promise.all([open('amina', tab), open('amina', other)]);
    await Promise.all(Array.from({ length: 60 }, (_, i) => append(`l${i}`, i % 2 ? tab : other).kept));
    const { disk } = await import('./db');
    const all = await disk.list<{ sequence: number; epoch: number }>('outbox');
    expect(all.map(({ sequence }) => sequence).sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    world.weather = fine;
    await Promise.all([syncNow(tab), syncNow(other)]);
    await Promise.all([syncNow(tab), syncNow(other)]);
    expect(world.server.statements.size).toBe(60);
    expect(Array.from(world.server.epochs.values())).toEqual([1]);
    expect(await disk.list('outbox')).toEqual([]);
  });

  it('hear from each other what was answered', async () => {
    world.weather = lost;
    const other = await world.tab();
    await Promise.all([open('amina', tab), open('amina', other)]);
    const { answered, kept } = append('one', other);
    await kept;
    await vi.waitFor(() => expect(names()).toEqual(['one']));
    world.weather = (_, from) => (from === other ? 'lost' : 'fine');
    await syncNow(tab);
    expect((await answered).status).toBe('accepted');
    await vi.waitFor(() => expect(other.outbox.waiting.value).toEqual([]));
  });
});
