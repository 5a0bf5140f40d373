// @vitest-environment node
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { close, disk } from '../db';
import { collect } from './collect';
import { checkUpdate, cost, install, repair, update } from './download';
import type { Rule } from './library';
import { blob, edition, installed, item, list } from './shelf';
import { blobFrames, type Made, noise, Publisher, rawPack } from './testing/maker';
import { Server } from './testing/server';

let server: Server;
let publisher: Publisher;
let one: Made;
const rule: Rule = { locales: ['en'], tier: 'images' };

const lesson = (id: string, text = id) => ({ id, text: `${text} ${Buffer.from(noise(150, id.length + text.charCodeAt(0))).toString('base64')}` });
const plot = () => [
  { id: 'm1', items: [lesson('a'), { ...lesson('bb'), image: noise(9000, 2) }] },
  { id: 'm2', items: [lesson('ccc'), lesson('dddd')] },
];

beforeEach(() => {
  // No Web Locks and no estimate: rows in the database stand in.
  vi.stubGlobal('navigator', {});
  globalThis.indexedDB = new IDBFactory();
  close();
  server = new Server();
  publisher = new Publisher();
  server.publisherDocuments = [{ id: publisher.id, documents: publisher.documents }];
  one = publisher.make({ locales: ['en', 'ar'], modules: plot() });
  server.versions = [one];
});

async function whole(made: Made, locales = ['en'], layers: ('text' | 'image')[] = ['text', 'image']): Promise<void> {
  const found = await installed(made.course);
  expect(found?.installed).toMatchObject({ digest: made.digest, number: made.number, complete: true });
  for (const locale of locales) {
    for (const layer of layers) {
      for (const digest of made.order(locale, layer)) expect(Buffer.from((await blob(digest)) as ArrayBuffer).equals(Buffer.from(made.blobs.get(digest) as Uint8Array))).toBe(true);
    }
  }
  expect(found?.candidate).toBeUndefined();
  expect(found?.downloads).toBeUndefined();
  expect(await disk.list('partials')).toEqual([]);
}

/** As if the page had been closed and opened again. The disk stays. */
function reload(): void {
  close();
}

describe('a download', () => {
  it('brings a course that can be read', async () => {
    const seen: number[] = [];
    await install(server, 'small', rule, { onProgress: ({ bytes, of }) => seen.push(bytes / of) });
    await whole(one);
    expect((await edition('small', 'en'))?.modules.map(({ id }) => id)).toEqual(['m1', 'm2']);
    expect((await edition('small', 'sw'))?.locale).toBe('en');
    expect((await item('small', 'en', 'ccc'))?.item.blobs).toHaveLength(1);
    expect(await item('small', 'en', 'none')).toBeUndefined();
    expect(seen.every((share, i) => share <= 1 && share >= (seen[i - 1] ?? 0))).toBe(true);
    expect(seen[seen.length - 1]).toBe(1);
  });

  it('says beforehand what it costs, and asks no more than that', async () => {
    const before = await cost(server, 'small', rule);
    expect(before).toMatchObject({ number: 1, update: false });
    await install(server, 'small', rule);
    expect(server.sent).toBe(before.bytes);
  });

  it('goes on at whatever byte it was cut, with nothing sent twice', async () => {
    await install(server, 'small', rule);
    const all = server.sent;
    for (let cut = 1; cut < all; cut += 307) {
      globalThis.indexedDB = new IDBFactory();
      close();
      server.sent = 0;
      server.budget = cut;
      server.connected = true;
      server.wait = () => {
        // The line breaks, and the learner goes home.
        server.connected = false;
        return Promise.resolve();
      };
      await expect(install(server, 'small', rule), `cut at ${cut}`).rejects.toMatchObject({ key: 'bundle.no_network' });
      expect((await installed('small'))?.installed).toBeUndefined();
      reload();
      server.connected = true;
      server.budget = Infinity;
      await install(server, 'small', rule);
      await whole(one);
      expect(server.sent, `cut at ${cut}`).toBe(all);
    }
  });

  it.each([600, 3000])('asks for little at a time where answers of more than %i bytes never arrive', async (swallows) => {
    server.swallows = swallows;
    await install(server, 'small', rule);
    await whole(one, ['en'], ['text', 'image']);
    expect(server.sent).toBe(Array.from(server.packs.values()).reduce((sum, { length }) => sum + length, 0));
  });

  it.each([1, 97, 4096])('comes through a line that breaks every %i bytes', async (refill) => {
    const wish: Rule = refill > 1 ? rule : { locales: ['en'], tier: 'text' };
    server.refill = refill;
    server.budget = refill;
    await install(server, 'small', wish);
    await whole(one, ['en'], refill > 1 ? ['text', 'image'] : ['text']);
    expect(server.sent).toBe(Array.from(server.packs.values()).reduce((sum, { length }) => sum + length, 0));
  });

  it('gives up where not a byte comes, and keeps what came', async () => {
    server.budget = 5000;
    await expect(install(server, 'small', rule)).rejects.toMatchObject({ key: 'bundle.no_network' });
    const [row] = await list();
    expect(row?.downloads?.parts.length).toBe(3);
    expect(await collect()).toBe(0);
    server.budget = Infinity;
    await install(server, 'small', rule);
    await whole(one);
  });

  it('begins a pack again that is another one now', async () => {
    server.piece = 500;
    server.budget = 6500;
    server.width = 1;
    await install(server, 'small', rule).catch(() => undefined);
    expect((await disk.list<{ href: string }>('partials')).filter(({ href }) => href.includes('image'))).not.toEqual([]);
    const image = Array.from(server.packs.keys()).find((href) => href.includes('image')) as string;
    // The server packs anew: other bytes under the same address, and so another ETag. What is here of the old ones fits nowhere.
    const other = rawPack(blobFrames(one, [...one.order('en', 'text'), ...one.order('en', 'image')]));
    server.packs.set(image, other);
    server.budget = Infinity;
    await install(server, 'small', rule);
    await whole(one);
  });

  it.each([
    ['no ranges', { ranges: false }],
    ['no ETag', { etags: false }],
    ['neither', { ranges: false, etags: false }],
    ['no length', { lengths: false }],
  ])('puts up with a server that has %s', async (_, less) => {
    Object.assign(server, less);
    server.budget = 5000;
    server.refill = 20_000;
    await install(server, 'small', rule);
    await whole(one);
  });

  it('takes a portal for a portal, and is not harmed', async () => {
    server.budget = 5000;
    await install(server, 'small', rule).catch(() => undefined);
    server.portal = true;
    server.budget = Infinity;
    await expect(install(server, 'small', rule)).rejects.toMatchObject({ key: 'bundle.captive_portal' });
    server.portal = false;
    const before = server.sent;
    await install(server, 'small', rule);
    await whole(one);
    expect(server.sent).toBeGreaterThan(before);
  });

  it('fetches once more what arrived damaged, and then says so', async () => {
    let times = 0;
    server.change = (href, bytes) => {
      if (!href.includes('text')) return bytes;
      times++;
      const wrong = bytes.slice();
      wrong[700] = (wrong[700] as number) ^ 8;
      return times > 1 ? bytes : wrong;
    };
    await install(server, 'small', rule);
    await whole(one);
    expect(times).toBe(2);
    globalThis.indexedDB = new IDBFactory();
    close();
    server.change = (href, bytes) => (href.includes('text') ? Uint8Array.from(bytes, (byte, i) => (i === 700 ? byte ^ 8 : byte)) : bytes);
    await expect(install(server, 'small', rule)).rejects.toMatchObject({ key: 'bundle.damaged' });
    server.change = undefined;
    await install(server, 'small', rule);
    await whole(one);
  });

  it('believes no longer pack than was said', async () => {
    server.change = (href, bytes) => (href.includes('text') ? Uint8Array.from([...bytes, ...bytes]) : bytes);
    await expect(install(server, 'small', rule)).rejects.toMatchObject({ key: 'bundle.no_network' });
    expect(await installed('small')).toBeUndefined();
  });

  it('stops when told, and goes on later', async () => {
    const controller = new AbortController();
    await expect(install(server, 'small', rule, { signal: controller.signal, onProgress: ({ bytes }) => bytes > 3000 && controller.abort() })).rejects.toMatchObject({ name: 'AbortError' });
    const sent = server.sent;
    await install(server, 'small', rule);
    await whole(one);
    expect(server.sent).toBeLessThan(2 * sent + 20_000);
  });

  it('goes one by one on a slow line, and three at a time at most', async () => {
    const many = publisher.make({ locales: ['en', 'ar', 'fr', 'es'], modules: plot() });
    for (const [width, most] of [[1, 1], [3, 3], [9, 3]] as const) {
      globalThis.indexedDB = new IDBFactory();
      close();
      server = new Server();
      server.publisherDocuments = [{ id: publisher.id, documents: publisher.documents }];
      server.versions = [many];
      server.width = width;
      server.gate = most;
      await install(server, 'small', { locales: ['en', 'ar', 'fr', 'es'], tier: 'images' });
      await whole(many, ['en', 'ar', 'fr', 'es']);
      expect(server.most).toBe(most);
    }
  });

  it('is done once by two tabs', async () => {
    const [a, b] = await Promise.all([install(server, 'small', rule), install(server, 'small', rule)]);
    expect(a).toEqual(b);
    await whole(one);
    expect(server.log.filter((line) => line.startsWith('plan'))).toHaveLength(1);
  });

  it('of no course is asked for once', async () => {
    await expect(install(server, 'none', rule)).rejects.toMatchObject({ key: 'bundle.not_found' });
    expect(server.log).toEqual(['plan - -']);
    expect(await list()).toEqual([]);
  });

  it('refuses a server that sends another course', async () => {
    const other = publisher.make({ course: 'other', modules: plot() });
    server.versions = [{ ...one, root: other.root, digest: other.digest }];
    await expect(install(server, 'small', rule)).rejects.toMatchObject({ key: 'bundle.mixed' });
    expect(await installed('small')).toBeUndefined();
  });

  it('refuses a publisher that the server does not name', async () => {
    server.publisherDocuments = [];
    await expect(install(server, 'small', rule)).rejects.toMatchObject({ key: 'bundle.unknown_publisher', args: { Publisher: publisher.id } });
  });
});

describe('more of a course', () => {
  it('fetches only the pictures where the text is here', async () => {
    await install(server, 'small', { locales: ['en'], tier: 'text' });
    await whole(one, ['en'], ['text']);
    server.log.length = 0;
    await install(server, 'small', rule);
    await whole(one);
    expect(server.log.filter((line) => line.includes('text.pack'))).toEqual([]);
    server.log.length = 0;
    await install(server, 'small', { locales: ['en', 'ar'], tier: 'images' });
    await whole(one, ['en', 'ar']);
    expect(server.log.filter((line) => line.startsWith('pack')).map((line) => line.split('?')[0])).toEqual(['pack head.pack 0', 'pack text.pack', 'pack image.pack']);
  });

  it('has one module where one was chosen, and all later', async () => {
    await install(server, 'small', { ...rule, modules: ['m2'] });
    expect(await item('small', 'en', 'ccc')).toBeDefined();
    expect(await item('small', 'en', 'a')).toBeUndefined();
    await install(server, 'small', rule);
    await whole(one);
  });

  it('stays at its version while others come', async () => {
    await install(server, 'small', { locales: ['en'], tier: 'text' });
    server.versions.push(publisher.make({ number: 2, locales: ['en', 'ar'], modules: [...plot(), { id: 'm3', items: [lesson('eeeee')] }] }));
    await install(server, 'small', rule);
    await whole(one);
  });
});

describe('an update', () => {
  const next = (modules = [...plot().slice(0, 1), { id: 'm2', items: [lesson('ccc', 'better'), lesson('dddd')] }]) => publisher.make({ number: 2, locales: ['en', 'ar'], modules });

  it('is said with its cost, costs what changed, and happens by choice', async () => {
    await install(server, 'small', rule);
    expect(await checkUpdate(server, 'small')).toBeUndefined();
    const two = next();
    server.versions.push(two);
    const said = await checkUpdate(server, 'small');
    expect(said).toMatchObject({ number: 2, update: true });
    await whole(one);
    const before = server.sent;
    await update(server, 'small', 2);
    await whole(two);
    expect(server.sent - before).toBe(said?.bytes);
    expect(said?.bytes).toBeLessThan(4000);
    expect((await installed('small'))?.previous?.number).toBe(1);
  });

  it('leaves the old version as it is until the new one is whole', async () => {
    await install(server, 'small', rule);
    const two = next();
    server.versions.push(two);
    for (let cut = 200; ; cut += 300) {
      server.budget = cut;
      const done = await update(server, 'small', 2).catch(() => undefined);
      reload();
      if (done) break;
      expect((await installed('small'))?.installed).toMatchObject({ number: 1, complete: true });
      await collect();
      for (const digest of one.order('en', 'text')) expect(await blob(digest)).toBeDefined();
    }
    server.budget = Infinity;
    await whole(two);
  });

  it('brings a module that was added, for who chose no modules', async () => {
    await install(server, 'small', rule);
    const two = next([...plot(), { id: 'm3', items: [lesson('eeeee')] }]);
    server.versions.push(two);
    await update(server, 'small', 2);
    await whole(two);
    expect(await item('small', 'en', 'eeeee')).toBeDefined();
  });

  it('finds out that it counted on something that was lost', async () => {
    await install(server, 'small', rule);
    const two = next();
    server.versions.push(two);
    const gone = one.order('en', 'text').filter((digest) => two.blobs.has(digest));
    for (const digest of gone) await disk.remove('blobs', digest);
    await update(server, 'small', 2);
    await whole(two);
  });
});

describe('what the browser threw away', () => {
  it('is found and fetched again, one by one where it is little', async () => {
    await install(server, 'small', rule);
    const gone = one.order('en', 'text').slice(-2);
    for (const digest of gone) await disk.remove('blobs', digest);
    server.log.length = 0;
    await repair(server, 'small');
    await whole(one);
    expect(server.log.map((line) => line.split(' ')[0])).toEqual(['blob', 'blob']);
  });

  it('is fetched in packs where the server has no single blobs', async () => {
    await install(server, 'small', rule);
    await disk.remove('blobs', one.order('en', 'text')[0] as string);
    server.blob = () => Promise.resolve(undefined);
    await repair(server, 'small');
    await whole(one);
  });
});
