import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { World, type Tab } from './fake-server';
import type { Certificates } from './sync';

let world: World;
let tab: Tab;

async function open(user = 'amina', at = tab): Promise<void> {
  await at.in(() => at.outbox.open(user));
  await at.in(() => at.outbox.flush());
}
const read = (object_id: string, at = tab, enrollment_id = 'e1') => at.in(() => at.outbox.append({ enrollment_id, verb: 'completed', object_id }));
const syncNow = (at = tab) => at.in(() => at.outbox.syncNow());
const done = async (at = tab, enrollment = 'e1') =>
  ((await at.in(() => at.history.standings('amina'))).get(enrollment) ?? []).filter(({ completed }) => completed).map(({ object_id }) => object_id);

beforeEach(async () => {
  world = new World();
  world.server.enrol('e1');
  tab = await world.tab();
});
afterEach(() => world.close());

// A small generator of chance that gives the same on every run.
function chance(seed: number): (below: number) => number {
  let state = seed + 0x9e3779b9;
  return (below) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    state = (Math.imul(state ^ (state >>> 12), 0x297a2d39) + 1) | 0;
    return ((state ^ (state >>> 15)) >>> 0) % below;
  };
}

describe('sync', () => {
  it('fetches what another device did, page by page, and shows the same', async () => {
    world.server.pageSize = 3;
    for (let i = 0; i < 10; i++) {
      world.server.add({ id: `far-${i}`, user: 'amina', enrollment_id: 'e1', verb: 'completed', object_id: `l${i}`, at: '1999-01-01T00:00:00Z', device: 'other', epoch: 1, sequence: i + 1 });
    }
    await open();
    expect((await done()).length).toBe(10);
    expect(tab.outbox.fetched.value).toBe(1);
    expect((await tab.in(() => tab.history.enrollments('amina'))).map(({ id, done: count }) => [id, count])).toEqual([['e1', 4]]);
    const before = world.server.calls.length;
    await syncNow();
    // Nothing new: nothing is fetched.
    expect(world.server.calls.slice(before).filter((call) => call !== 'GET /api/me')).toEqual(['POST /api/sync']);
  });

  it('goes on where a pull was cut, and is not done before', async () => {
    world.server.pageSize = 2;
    for (let i = 0; i < 7; i++) world.server.add({ id: `far-${i}`, user: 'amina', enrollment_id: 'e1', verb: 'completed', object_id: `l${i}`, at: '1999-01-01T00:00:00Z' });
    let left = 2;
    world.weather = ({ method, url }) => (method === 'GET' && url.includes('/api/sync') && left-- <= 0 ? 'lost' : 'fine');
    await open();
    expect(tab.outbox.lastSync.value).toBe('');
    expect(tab.outbox.syncTrouble.value).toBeTruthy();
    expect((await done()).length).toBe(4);
    tab.kill();
    world.weather = () => 'fine';
    tab = await world.tab();
    const before = world.server.calls.length;
    await open();
    expect((await done()).length).toBe(7);
    expect(world.server.calls.slice(before).filter((call) => call === 'GET /api/sync')).toHaveLength(2);
    expect(tab.outbox.lastSync.value).not.toBe('');
  });

  it('numbers anew what waits when the device was cloned, and both histories live', async () => {
    await open();
    await read('one').answered;
    await read('two').answered;
    // The same device from a copy of its disk: it goes on with numbers that the first has used by then.
    const copy = await tab.in(() => tab.device.findDevice('amina'));
    await read('three').answered;
    await read('four').answered;
    world.weather = () => 'lost';
    await tab.in(() => tab.device.change('amina', (device) => Object.assign(device, copy)));
    for (const name of ['five', 'six', 'seven']) await read(name).kept;
    world.weather = () => 'fine';
    await syncNow();
    await syncNow();
    expect(tab.outbox.waiting.value).toEqual([]);
    expect((await done()).sort()).toEqual(['five', 'four', 'one', 'seven', 'six', 'three', 'two']);
    expect(world.server.of('amina')).toHaveLength(7);
    const device = await tab.in(() => tab.device.findDevice('amina'));
    expect(device?.epoch).toBe(2);
    await read('eight').answered;
    const places = world.server.of('amina').map(({ epoch, sequence }) => `${epoch}/${sequence}`);
    expect(new Set(places).size).toBe(8);
  });

  it('sends again from its history what a server restored from a backup has lost', async () => {
    await open();
    await read('one').answered;
    await syncNow();
    const backup = world.server.backup();
    await read('two').answered;
    await read('three').answered;
    await syncNow();
    world.server.restore(backup);
    expect(world.server.of('amina')).toHaveLength(1);
    await syncNow();
    await syncNow();
    expect(world.server.of('amina').map(({ object_id }) => object_id).sort()).toEqual(['one', 'three', 'two']);
    expect((await done()).sort()).toEqual(['one', 'three', 'two']);
    expect(tab.outbox.waiting.value).toEqual([]);
    const quiet = world.server.posts.length;
    await syncNow();
    // And that was all: no circles.
    expect(world.server.posts.slice(quiet).flatMap(({ statements }) => statements)).toEqual([]);
  });

  it('sends again what was taken and a whole pull does not show, whatever the numbers say', async () => {
    world.weather = ({ method, url }) => (method === 'GET' && url.includes('/api/sync') ? 'lost' : 'fine');
    await open();
    await read('one').answered;
    await read('two').answered;
    const [forgotten] = world.server.of('amina');
    world.server.statements.delete(forgotten?.id ?? '');
    world.weather = () => 'fine';
    await syncNow();
    await syncNow();
    expect(world.server.of('amina').map(({ object_id }) => object_id).sort()).toEqual(['one', 'two']);
    expect(tab.outbox.waiting.value).toEqual([]);
  });

  it('makes an enrollment known that the server has lost', async () => {
    await open();
    await read('one').answered;
    await syncNow();
    world.server.restore(JSON.stringify([[], [], [], [], [], []]));
    await syncNow();
    await syncNow();
    expect(world.server.enrollments.get('e1')?.user_id).toBe('amina');
    expect(world.server.of('amina').map(({ object_id }) => object_id)).toEqual(['one']);
  });

  it('counts work under an enrollment that was made without the network', async () => {
    world.server.enrollments.clear();
    world.weather = () => 'lost';
    await open();
    await tab.in(() => tab.kept.remember('amina', 'intent', { id: 'e9', course_id: 'course', number: 3, title: 'Course', locale: 'en', total: 0, created_at: '2026-11-23T00:00:00Z' }, 'e9'));
    await read('one', tab, 'e9').kept;
    expect(await done(tab, 'e9')).toEqual(['one']);
    expect((await tab.in(() => tab.history.enrollmentIn('amina', 'course')))?.id).toBe('e9');
    world.weather = () => 'fine';
    await syncNow();
    // In the version that was learnt with, whatever is new by now.
    expect(world.server.enrollments.get('e9')).toMatchObject({ user_id: 'amina', number: 3 });
    expect(world.server.of('amina').map(({ object_id, enrollment_id }) => enrollment_id + object_id)).toEqual(['e9one']);
    expect(await tab.in(() => tab.kept.recallAll('amina', 'intent'))).toEqual([]);
  });

  it('gives that work to the enrollment of another device, where there is one', async () => {
    world.weather = () => 'lost';
    await open();
    await tab.in(() => tab.kept.remember('amina', 'intent', { id: 'e9', course_id: 'course', number: 3, title: 'Course', locale: 'en', total: 0, created_at: '2026-11-23T00:00:00Z' }, 'e9'));
    await read('one', tab, 'e9').kept;
    world.weather = () => 'fine';
    await syncNow();
    expect(world.server.of('amina').map(({ object_id, enrollment_id }) => enrollment_id + object_id)).toEqual(['e1one']);
    expect(tab.outbox.waiting.value).toEqual([]);
    expect(await done()).toEqual(['one']);
  });

  it('sends what was handed in, and fetches the verdict with a later sync', async () => {
    world.weather = () => 'lost';
    await open();
    const submission = (id: string) => ({ id, enrollment_id: 'e1', lab_id: 'lab', files: { 'main.py': id } });
    for (const id of ['s1', 's2']) await tab.in(() => tab.handIns.keepHandIn('amina', { state: 'waiting', submission: submission(id), made_at: '2026-11-23T00:00:00Z' }));
    world.weather = ({ method, url }) => (method === 'POST' && url.includes('submissions') ? 'answer lost' : 'fine');
    await syncNow();
    expect(world.server.submissions.size).toBe(1);
    world.weather = () => 'fine';
    await syncNow();
    expect(Array.from(world.server.submissions.keys())).toEqual(['s1', 's2']);
    const states = async () => (await tab.in(() => tab.handIns.listHandIns('amina'))).map(({ state }) => state);
    expect(await states()).toEqual(['sent', 'sent']);
    for (const one of world.server.submissions.values()) one.verdict = { outcome: 'passed', attempt: 1, score: 1, checks: [], created_at: '' };
    await syncNow();
    expect(await states()).toEqual(['done', 'done']);
  });

  it('keeps certificates and asks for them when they changed', async () => {
    world.server.credentials = [];
    await open();
    const asked = () => world.server.calls.filter((call) => call === 'GET /api/credentials').length;
    expect(asked()).toBe(1);
    await syncNow();
    expect(asked()).toBe(1);
  });

  it('fetches documents and codes again that were signed anew, and no others', async () => {
    world.server.credentials = ['a', 'b'].map((id) => ({ id, changed_at: '2026-03-01T00:00:00Z', signature: `old-${id}` }));
    await open();
    const kept = async () => {
      const { documents, codes } = (await tab.in(() => tab.kept.recall<Certificates>('amina', 'credentials'))) as Certificates;
      return ['a', 'b'].map((id) => [(JSON.parse(documents[id] as string) as { signature: string }).signature, ...(codes?.[id] ?? [])]);
    };
    expect(await kept()).toEqual([
      ['old-a', 'BNY1:old-a0', 'BNY1:old-a1'],
      ['old-b', 'BNY1:old-b0', 'BNY1:old-b1'],
    ]);
    world.server.credentials = world.server.credentials.map((one) => (one.id === 'b' ? { ...one, changed_at: '2026-03-02T00:00:00Z', signature: 'new-b' } : one));
    world.server.calls.length = 0;
    await syncNow();
    expect(await kept()).toEqual([
      ['old-a', 'BNY1:old-a0', 'BNY1:old-a1'],
      ['new-b', 'BNY1:new-b0', 'BNY1:new-b1'],
    ]);
    expect(world.server.calls.filter((call) => call.startsWith('GET /api/credentials/'))).toEqual(['GET /api/credentials/b', 'GET /api/credentials/b/code.txt', 'GET /api/credentials/b/code.txt']);
  });
});

describe('whatever happens', () => {
  it('nothing is lost, nothing doubled, nobody’s work becomes another’s', async () => {
    for (let seed = 0; seed < 30; seed++) {
      world.close();
      world = new World();
      const { server } = world;
      server.enrol('e-amina', 'amina');
      server.enrol('e-yusuf', 'yusuf');
      server.pageSize = 3;
      const roll = chance(seed);
      world.weather = ({ method }) => {
        const luck = roll(10);
        if (luck === 0) return 'lost';
        if (luck === 1 && method === 'POST') return 'answer lost';
        return luck === 2 ? 'portal' : 'fine';
      };
      const made: { user: string; name: string }[] = [];
      let backup = server.backup();
      for (let day = 0; day < 4; day++) {
        const user = roll(3) ? 'amina' : 'yusuf';
        server.user = user;
        const tabs = [await world.tab(), await world.tab()];
        for (const one of tabs) void one.in(() => one.outbox.open(user));
        for (let step = 0; step < 6; step++) {
          const at = tabs[roll(2)] as Tab;
          if (at.dead) continue;
          const name = `${seed}-${day}-${step}`;
          if (roll(3)) {
            const { kept } = at.in(() => at.outbox.append({ enrollment_id: `e-${user}`, verb: 'completed', object_id: name }));
            await Promise.race([kept.then(() => !at.outbox.durable.value || at.dead || made.push({ user, name })), new Promise((resolve) => setTimeout(resolve, 20))]);
          }
          if (!roll(4)) Object.assign(at, { left: 1 + roll(5), survives: roll(2) === 0 });
          if (roll(2)) await Promise.race([at.in(() => at.outbox.syncNow()), new Promise((resolve) => setTimeout(resolve, 30))]);
        }
        for (const one of tabs) one.kill();
        if (!roll(3)) server.restore(backup);
        else if (!roll(2)) backup = server.backup();
      }
      world.weather = () => 'fine';
      for (const user of ['amina', 'yusuf']) {
        server.user = user;
        const last = await world.tab();
        await open(user, last);
        for (let i = 0; i < 4; i++) await syncNow(last);
        expect(last.outbox.waiting.value, `seed ${seed}`).toEqual([]);
        const there = server.of(user).map(({ object_id }) => object_id);
        expect(there.filter((name, i) => there.indexOf(name) !== i), `seed ${seed}, doubled`).toEqual([]);
        const want = made.filter((one) => one.user === user).map(({ name }) => name);
        expect(want.filter((name) => !there.includes(name)), `seed ${seed}, lost`).toEqual([]);
        expect(server.of(user).every(({ enrollment_id }) => enrollment_id === `e-${user}`)).toBe(true);
        // And the page shows what the server has.
        const shown = (await last.in(() => last.history.standings(user))).get(`e-${user}`) ?? [];
        expect(shown.map(({ object_id }) => object_id).sort(), `seed ${seed}, shown`).toEqual([...there].sort());
        last.kill();
      }
    }
  }, 120_000);
});
