// @vitest-environment node
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { close, disk } from '../db';
import { inspect } from './carrier';
import { abandon, collect, forgetPrevious, remove, usage } from './collect';
import { install } from './download';
import { BundleError } from './fault';
import { frames } from './frames';
import type { Rule, Shelved } from './library';
import { locked } from './lock';
import { arrivals, changes } from './progress';
import { blob, heardTime, importFile, installed, item, known, list, lost, switchBack, trustPublishers } from './shelf';
import { blobFrames, type Bytes, bytesOf, chance, file, headFrames, type Made, newKey, noise, Publisher, rawPack, signed, stream } from './testing/maker';
import { Server } from './testing/server';

let publisher: Publisher;
let one: Made;
let two: Made;
const lesson = (id: string, text = id) => ({ id, text: `${text} ${Buffer.from(noise(90, id.length + text.charCodeAt(0))).toString('base64')}` });
const pictured = (id: string, seed: number) => ({ ...lesson(id), image: noise(700, seed) });
const plot = () => [
  { id: 'm1', items: [lesson('a'), pictured('bb', 2)] },
  { id: 'm2', items: [lesson('ccc'), pictured('dddd', 4)] },
];

beforeEach(async () => {
  vi.stubGlobal('navigator', {});
  globalThis.indexedDB = new IDBFactory();
  close();
  publisher = new Publisher();
  one = publisher.make({ locales: ['en', 'ar'], modules: plot() });
  two = publisher.make({ number: 2, locales: ['en', 'ar'], modules: [plot()[0] as never, { id: 'm2', items: [lesson('ccc', 'better'), pictured('dddd', 4)] }, { id: 'm3', items: [lesson('eeeee')] }] });
  await trustPublishers([{ id: publisher.id, documents: publisher.documents }]);
});

const asFile = (bytes: Bytes) => new Blob([bytes]);
const digests = async () => (await disk.list<{ digest: string }>('blobs')).map(({ digest }) => digest).sort();

async function holds(made: Made, locales: string[], layers: ('text' | 'image')[] = ['text', 'image']): Promise<void> {
  const found = await installed(made.course);
  expect(found?.installed).toMatchObject({ digest: made.digest, complete: true });
  for (const locale of locales) {
    for (const layer of layers) {
      for (const digest of made.order(locale, layer)) expect(Buffer.from((await blob(digest)) as ArrayBuffer).equals(Buffer.from(made.blobs.get(digest) as Bytes)), digest).toBe(true);
    }
  }
}

/** Nothing on the disk is anything but what was published. */
async function sound(...versions: Made[]): Promise<void> {
  for (const { digest, bytes } of await disk.list<{ digest: string; bytes: ArrayBuffer }>('blobs')) {
    const made = versions.find(({ blobs }) => blobs.has(digest));
    expect(made, digest).toBeDefined();
    expect(Buffer.from(bytes).equals(Buffer.from((made as Made).blobs.get(digest) as Bytes))).toBe(true);
  }
  for (const { installed, previous, candidate } of await list()) {
    for (const version of [installed, previous, candidate]) if (version) expect(versions.map(({ root }) => root)).toContain(version.root);
  }
}

describe('a file', () => {
  it('brings all that it has', async () => {
    const seen: number[] = [];
    const bytes = file(one, ['en', 'ar']);
    const { course, version } = await importFile(asFile(bytes), { onProgress: ({ bytes }) => seen.push(bytes) });
    expect(course).toBe('small');
    expect(version.rule).toEqual({ locales: ['ar', 'en'], tier: 'images' });
    await holds(one, ['en', 'ar']);
    expect(seen[seen.length - 1]).toBe(bytes.length);
    expect((await item('small', 'ar', 'dddd'))?.item.blobs).toHaveLength(2);
  });

  it('brings what was asked of it', async () => {
    await importFile(stream(file(one, ['en', 'ar'])), { rule: { locales: ['ar'], tier: 'text' } });
    await holds(one, ['ar'], ['text']);
    expect(await blob(one.order('ar', 'image')[0] as string)).toBeUndefined();
    await collect();
    expect(await digests()).toEqual(one.order('ar', 'text').sort());
  });

  it('adds a language to those that are here, and pictures to the text', async () => {
    await importFile(asFile(file(one, ['en'], ['text'])));
    await importFile(asFile(file(one, ['ar'], ['text'])));
    expect((await installed('small'))?.rule).toEqual({ locales: ['en', 'ar'], tier: 'text' });
    await importFile(asFile(file(one, ['en', 'ar'], ['image'])));
    expect((await installed('small'))?.rule.tier).toBe('images');
    await holds(one, ['en', 'ar']);
  });

  it('says which language it could not add, and adds it where less is wanted', async () => {
    await importFile(asFile(file(one, ['en'])));
    const arabic = asFile(file(one, ['ar'], ['text', 'image'], ['m1']));
    const { version, left } = await importFile(arabic);
    expect(version.rule).toEqual({ locales: ['en'], tier: 'images' });
    expect(left).toEqual(['ar']);
    const again = await importFile(arabic, { rule: { locales: ['en', 'ar'], tier: 'images', modules: ['m1'] } });
    expect(again.left).toEqual([]);
    expect(await item('small', 'ar', 'bb')).toBeDefined();
  });

  it('that is cut keeps what came, and another carrier brings the rest', async () => {
    const bytes = file(one, ['en']);
    await expect(importFile(asFile(bytes.slice(0, bytes.length - 600)))).rejects.toMatchObject({ key: 'bundle.truncated' });
    const before = (await digests()).length;
    expect(before).toBeGreaterThan(3);
    expect(await installed('small')).toBeUndefined();
    await collect();
    expect(await digests()).toHaveLength(before);
    const server = new Server();
    server.versions = [one];
    await install(server, 'small', { locales: ['en'], tier: 'images' });
    await holds(one, ['en']);
  });

  it('that lacks something says how much', async () => {
    const all = [...one.order('en', 'text'), ...one.order('en', 'image')];
    await expect(importFile(asFile(rawPack([...headFrames(one), ...blobFrames(one, all.slice(0, -1))])))).rejects.toMatchObject({ key: 'bundle.truncated', args: { Missing: 1 } });
    // Another blob in the place of one: that is no slip.
    const swapped = [...headFrames(one), ...blobFrames(one, all.slice(0, -1)), { kind: 'B', bytes: noise(700, 99) }];
    await expect(importFile(asFile(rawPack(swapped)))).rejects.toMatchObject({ key: 'bundle.damaged' });
    await sound(one);
    expect(await installed('small')).toBeUndefined();
  });

  it('leaves aside what nobody names', async () => {
    const stray = noise(300, 7);
    const all = ['en', 'ar'].reduce<string[]>((digests, locale) => [...digests, ...one.order(locale, 'text'), ...one.order(locale, 'image')], []);
    const { counted } = await importFile(asFile(rawPack([...headFrames(one), ...blobFrames(one, all), { kind: 'B', bytes: stray }])));
    expect(counted.ignored).toBe(1);
    await holds(one, ['en', 'ar']);
    await sound(one);
  });

  it('may come in any order of carriers', async () => {
    const rule: Rule = { locales: ['en', 'ar'], tier: 'images' };
    const server = new Server();
    server.versions = [one];
    const carriers: (() => Promise<unknown>)[] = [
      () => importFile(asFile(file(one, ['en'], ['text'])), { rule }),
      () => importFile(asFile(file(one, ['ar'], ['text'], ['m2'])), { rule }),
      () => importFile(asFile(file(one, ['en', 'ar'], ['text', 'image'], ['m1'])), { rule }),
      () => importFile(folderOf(one, [...one.order('ar', 'text'), ...one.order('en', 'image')]), { rule }),
      () => {
        server.budget = 900;
        server.connected = true;
        server.wait = () => Promise.resolve(void (server.connected = false));
        return install(server, 'small', rule);
      },
    ];
    const next = chance(5);
    for (let turn = 0; turn < 24; turn++) {
      globalThis.indexedDB = new IDBFactory();
      close();
      await trustPublishers([{ id: publisher.id, documents: publisher.documents }]);
      const order = carriers.map((carry) => ({ carry, at: next() })).sort((a, b) => a.at - b.at);
      for (const { carry } of order) {
        await carry().catch((cause: unknown) => expect(cause).toBeInstanceOf(BundleError));
        await sound(one);
      }
      server.connected = true;
      server.budget = Infinity;
      await install(server, 'small', rule);
      await holds(one, ['en', 'ar']);
    }
  });
});

function folderOf(made: Made, some: readonly string[]): File[] {
  const named = (name: string, bytes: Uint8Array) => new File([Uint8Array.from(bytes)], name);
  return [
    ...some.map((digest) => named(digest.slice(7), made.blobs.get(digest) as Bytes)),
    named(`${made.course}.root`, bytesOf(made.root)),
    ...made.publisher.map((text, i) => named(`publisher-${i + 1}.json`, bytesOf(text))),
    named('notes.txt', bytesOf('from the market')),
  ];
}

describe('a folder', () => {
  it('is a carrier like any other', async () => {
    await importFile(folderOf(one, [...one.order('en', 'text'), ...one.order('en', 'image')]));
    await holds(one, ['en']);
  });

  it('with a file that holds something else is refused', async () => {
    const files = folderOf(one, one.order('en', 'text'));
    const wrong = new File([noise(90, 3)], (files[3] as File).name);
    await expect(importFile([...files.slice(0, 3), wrong, ...files.slice(4)])).rejects.toMatchObject({ key: 'bundle.damaged' });
  });

  it.each([
    ['no root', () => [new File(['x'], 'notes.txt')], undefined],
    ['two courses and no choice', () => [...folderOf(one, []), new File(['x'], 'other.root')], undefined],
    ['no such course', () => folderOf(one, []), 'other'],
  ])('with %s is none', async (_, files, course) => {
    await expect(importFile(files(), { course })).rejects.toMatchObject({ key: 'bundle.not_a_bundle' });
  });

  it('made by Go is read', async () => {
    const folder = join(import.meta.dirname, '../../../../internal/bundle/testdata/folder');
    const paths = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const files = paths.map((entry) => new File([Uint8Array.from(readFileSync(join(entry.parentPath, entry.name)))], entry.name));
    const first = readFileSync(join(folder, 'publisher-1.json'), 'utf8');
    await trustPublishers([{ id: (JSON.parse(first.split('\n')[0] as string) as { id: string }).id, documents: [first] }]);
    const { version } = await importFile(files);
    expect(version.number).toBe(2);
  });
});

describe('another version', () => {
  beforeEach(async () => {
    await importFile(asFile(file(one, ['en'])));
  });

  it('takes the place of the one before, and gives it back', async () => {
    await importFile(asFile(file(two, ['en'])));
    await holds(two, ['en']);
    await collect();
    await switchBack('small');
    await holds(one, ['en']);
    await switchBack('small');
    await holds(two, ['en']);
    expect((await installed('small'))?.previous?.number).toBe(1);
  });

  it('by a file with only what changed is enough', async () => {
    const changed = [...two.order('en', 'text'), ...two.order('en', 'image')].filter((digest) => !one.blobs.has(digest));
    await importFile(asFile(rawPack([...headFrames(two), ...blobFrames(two, changed)])));
    await holds(two, ['en']);
    expect((await installed('small'))?.rule).toEqual({ locales: ['en'], tier: 'images' });
  });

  it('that lacks what was chosen waits, and the old one stays', async () => {
    await expect(importFile(asFile(file(two, ['en'], ['text'], ['m1'])))).rejects.toMatchObject({ key: 'bundle.truncated' });
    await holds(one, ['en']);
    expect((await installed('small'))?.candidate?.number).toBe(2);
    await collect();
    await importFile(asFile(file(two, ['en'], ['text', 'image'], ['m2', 'm3'])));
    await holds(two, ['en']);
  });

  it('that is older is refused', async () => {
    await importFile(asFile(file(two, ['en'])));
    await expect(importFile(asFile(file(one, ['en'])))).rejects.toMatchObject({ key: 'bundle.rollback', args: { Number: 1, Installed: 2 } });
    const before = publisher.make({ number: 2, signed_at: '2026-02-01T00:00:01Z', locales: ['en'], modules: plot() });
    await expect(importFile(asFile(file(before, ['en'])))).rejects.toMatchObject({ key: 'bundle.rollback' });
    await holds(two, ['en']);
  });

  it('of another publisher is refused', async () => {
    const other = new Publisher();
    Object.assign(other, { id: 'did:web:other.example' });
    const document = JSON.parse((other.documents[0] as string).split('\n')[0] as string) as object;
    other.documents[0] = signed('publisher', { ...document, id: other.id }, other.key);
    const made = other.make({ number: 9, modules: plot() });
    await expect(importFile(asFile(file(made, ['en'])))).rejects.toMatchObject({ key: 'bundle.unknown_publisher' });
    await trustPublishers([{ id: other.id, documents: other.documents }]);
    await expect(importFile(asFile(file(made, ['en'])))).rejects.toMatchObject({ key: 'bundle.other_publisher' });
    await holds(one, ['en']);
  });

  it('by a key that holds no more is refused, by the time of the server and not of the device', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2099, 0, 1) });
    try {
      expect((await known(publisher.id, 'small')).newest < '2027').toBe(true);
      await importFile(asFile(file(two, ['en'])));
      await heardTime('2036-01-01T00:00:01Z');
      const three = publisher.make({ number: 3, modules: plot() });
      await expect(importFile(asFile(file(three, ['en'])))).rejects.toMatchObject({ key: 'bundle.key_expired' });
      // The server's clock was wrong, and is right again.
      await heardTime('2026-03-01T00:00:00Z');
      await importFile(asFile(file(three, ['en'])));
    } finally {
      vi.useRealTimers();
    }
  });

  it('may only be gone back to where there is one, whole', async () => {
    await expect(switchBack('small')).rejects.toMatchObject({ key: 'bundle.no_previous' });
    await importFile(asFile(file(two, ['en'])));
    await disk.remove('blobs', one.order('en', 'text').find((digest) => !two.blobs.has(digest)) as string);
    await expect(switchBack('small')).rejects.toMatchObject({ key: 'bundle.truncated' });
    await holds(two, ['en']);
  });
});

describe('a publisher', () => {
  it('hands over to another key, and the old one is known no more', async () => {
    const [first] = publisher.documents as [string];
    const next = newKey();
    const { digestNow } = await import('./testing/maker');
    const document = {
      ...(JSON.parse(first.split('\n')[0] as string) as object),
      serial: 2,
      previous: digestNow(bytesOf(first)),
      signed_at: '2026-02-10T00:00:00Z',
      keys: [{ key: next.multikey, from: '2026-02-10T00:00:00Z', until: '2036-01-01T00:00:00Z' }],
    };
    const old = publisher.key;
    publisher.documents.push(signed('publisher', document, next, old));
    Object.assign(publisher, { key: next });
    const made = publisher.make({ number: 5, signed_at: '2026-03-01T00:00:00Z', modules: plot() });
    await importFile(asFile(file(made, ['en'])));
    Object.assign(publisher, { key: old });
    const forged = publisher.make({ number: 6, signed_at: '2026-02-05T00:00:00Z', modules: plot() });
    await expect(importFile(asFile(file(forged, ['en'])))).rejects.toMatchObject({ key: 'bundle.key_expired' });
    // A carrier that knows only the first serial is of no help to the thief.
    await expect(importFile(asFile(file({ ...forged, publisher: [first] }, ['en'])))).rejects.toMatchObject({ key: 'bundle.key_expired' });
  });

  it('is asked of the server where nobody knows it', async () => {
    globalThis.indexedDB = new IDBFactory();
    close();
    await expect(importFile(asFile(file(one, ['en'])))).rejects.toMatchObject({ key: 'bundle.unknown_publisher' });
    await importFile(asFile(file(one, ['en'])), { publishers: () => trustPublishers([{ id: publisher.id, documents: publisher.documents }]) });
    await holds(one, ['en']);
  });
});

describe('room', () => {
  it('that runs out stops cleanly, keeps what came, and it goes on when there is more', async () => {
    const add = IDBObjectStore.prototype.put;
    for (const after of [0, 1, 3, 5]) {
      globalThis.indexedDB = new IDBFactory();
      close();
      await trustPublishers([{ id: publisher.id, documents: publisher.documents }]);
      let puts = 0;
      const full = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, value: unknown) {
        if (this.name === 'blobs' && puts++ >= after) throw new DOMException('full', 'QuotaExceededError');
        return add.call(this, value);
      });
      await expect(importFile(asFile(file(one, ['en'])))).rejects.toMatchObject({ key: 'bundle.no_space' });
      full.mockRestore();
      expect(await installed('small')).toBeUndefined();
      expect((await list())[0]?.candidate?.number).toBe(1);
      await importFile(asFile(file(one, ['en'])));
      await holds(one, ['en']);
    }
  });

  it('is looked at before a download', async () => {
    const server = new Server();
    server.versions = [one];
    vi.stubGlobal('navigator', { storage: { estimate: () => Promise.resolve({ quota: 3000, usage: 2900 }) } });
    await expect(install(server, 'small', { locales: ['en'], tier: 'images' })).rejects.toMatchObject({ key: 'bundle.no_space', args: { Free: 100 } });
    expect(server.sent).toBe(0);
    vi.stubGlobal('navigator', { storage: { estimate: () => Promise.resolve({ quota: 1e9, usage: 0 }) } });
    await install(server, 'small', { locales: ['en'], tier: 'images' });
    await holds(one, ['en']);
  });

  it('that runs out while a pack comes keeps its pieces', async () => {
    const server = new Server();
    server.versions = [one];
    server.piece = 256 * 1024;
    const big = publisher.make({ number: 1, modules: [{ id: 'm1', items: [{ ...lesson('a'), image: noise(300_000, 1) }] }] });
    server.versions = [big];
    const add = IDBObjectStore.prototype.put;
    let pieces = 0;
    const full = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, value: unknown) {
      if (this.name === 'partials' && ++pieces > 3) throw new DOMException('full', 'QuotaExceededError');
      return add.call(this, value);
    });
    await expect(install(server, 'small', { locales: ['en'], tier: 'images' })).rejects.toMatchObject({ key: 'bundle.no_space' });
    full.mockRestore();
    const sent = server.sent;
    const kept = (await disk.list<{ href: string; bytes: ArrayBuffer }>('partials')).filter(({ href }) => href.includes('image'));
    expect(kept.map(({ bytes }) => bytes.byteLength)).toEqual([256 * 1024]);
    await install(server, 'small', { locales: ['en'], tier: 'images' });
    await holds(big, ['en']);
    expect(server.sent - sent).toBeLessThan(150_000);
  });

  it('is told by course, and comes free when a course goes', async () => {
    await importFile(asFile(file(one, ['en'])));
    const other = publisher.make({ course: 'other', modules: [plot()[0] as never] });
    await importFile(asFile(file(other, ['en'])));
    const sum = async (of: readonly string[]) => (await Promise.all(of.map(async (digest) => ((await blob(digest)) as ArrayBuffer).byteLength))).reduce((a, b) => a + b, 0);
    const smalls = [...one.order('en', 'text'), ...one.order('en', 'image')];
    const before = await usage();
    expect(before.map(({ course }) => course)).toEqual(['other', 'small']);
    expect(before[1]).toEqual({ course: 'small', installed: await sum(smalls), previous: 0, arriving: 0, frees: await sum(smalls.filter((digest) => !other.blobs.has(digest))) });
    await importFile(asFile(file(two, ['en'])));
    const only = smalls.filter((digest) => !two.blobs.has(digest));
    expect((await usage())[1]?.previous).toBe(await sum(only.filter((digest) => !other.blobs.has(digest))));
    await forgetPrevious('small');
    await expect(switchBack('small')).rejects.toMatchObject({ key: 'bundle.no_previous' });
    await holds(two, ['en']);
    await remove('small');
    await holds(other, ['en']);
    expect(await digests()).toEqual(Array.from(new Set([...other.order('en', 'text'), ...other.order('en', 'image')])).sort());
    await remove('other');
    expect(await digests()).toEqual([]);
  });

  it('is not made while something comes in', async () => {
    await importFile(asFile(file(one, ['en'])));
    await disk.put('blobs', { digest: 'sha256:loose', bytes: new ArrayBuffer(3), size: 3 });
    let freed: number | undefined = -1;
    await locked('bundle', { mode: 'shared' }, async () => {
      freed = await collect();
    });
    expect(freed).toBeUndefined();
    expect(await collect()).toBe(3);
  });

  it('comes free when what was coming is given up', async () => {
    await importFile(asFile(file(one, ['en'])));
    const before = await digests();
    const server = new Server();
    server.versions = [two];
    server.budget = 1500;
    await install(server, 'small', { locales: ['en', 'ar'], tier: 'images' }, { number: 2 }).catch(() => undefined);
    await importFile(asFile(file(two, ['ar'], ['text'], ['m1']))).catch(() => undefined);
    await abandon('small');
    expect(await digests()).toEqual(before);
    expect(await disk.list('partials')).toEqual([]);
    expect((await list())[0]).toMatchObject({ rule: { locales: ['en'] } });
    expect((await list())[0]?.candidate).toBeUndefined();
    await holds(one, ['en']);
  });

  it('for status lists stays as long as a publisher names them', async () => {
    const word = bytesOf('signed list');
    const { digestNow } = await import('./testing/maker');
    const trust = (at: string, lists: object[]) => signed('trust', { type: 'trust', format: 1, publisher: publisher.id, signed_at: at, issuers: [{ did: publisher.id, names: {}, keys: [], lists }] }, publisher.key);
    const named = { url: 'https://school.example/status/1', digest: digestNow(word), size: word.length };
    const withTrust = { ...one, trust: trust('2026-02-02T00:00:00Z', [named]) };
    await importFile(asFile(rawPack([...headFrames(withTrust), ...blobFrames(one, one.order('en', 'text')), { kind: 'B', bytes: word }])));
    await collect();
    expect(await blob(named.digest)).toBeDefined();
    // An older word changes nothing, a newer one does.
    await importFile(asFile(rawPack([...headFrames({ ...two, trust: trust('2026-02-01T00:00:00Z', []) }), ...blobFrames(two, two.order('en', 'text'))])));
    await collect();
    expect(await blob(named.digest)).toBeDefined();
    const three = publisher.make({ number: 3, modules: plot() });
    await importFile(asFile(rawPack([...headFrames({ ...three, trust: trust('2026-02-03T00:00:00Z', []) }), ...blobFrames(three, three.order('en', 'text'))])));
    await collect();
    expect(await blob(named.digest)).toBeUndefined();
  });
});

describe('what the browser threw away', () => {
  it('is said, and the course counts as whole no more', async () => {
    await importFile(asFile(file(one, ['en'])));
    expect(await lost('small')).toEqual({ items: [], blobs: 0, bytes: 0 });
    const fragment = one.order('en', 'image')[0] as string;
    await disk.remove('blobs', fragment);
    expect(await lost('small')).toEqual({ items: ['bb'], blobs: 1, bytes: 700 });
    expect((await installed('small'))?.installed.complete).toBe(false);
  });
});

describe('who looks on', () => {
  it('hears of what changes', async () => {
    const before = changes.value;
    await importFile(asFile(file(one, ['en'])));
    expect(changes.value).toBeGreaterThan(before);
    expect(arrivals.value).toEqual({});
  });
});

describe('a tab that dies', () => {
  it('in the middle of an import leaves nothing half done', async () => {
    const bytes = file(one, ['en']);
    await importFile(asFile(file(two, ['ar'], ['text'])).stream() as ReadableStream<Uint8Array>);
    const three = publisher.make({ number: 3, locales: ['en', 'ar'], modules: plot() });
    // The stream stalls for ever: as a tab that is killed, it never comes to an end of any kind.
    void importFile(new ReadableStream<Uint8Array>({ start: (c) => c.enqueue(file(three, ['ar']).slice(0, bytes.length - 900)) })).catch(() => undefined);
    await vi.waitUntil(async () => (await list())[0]?.candidate?.number === 3);
    close();
    await holds(two, ['ar'], ['text']);
  });

  it('holds its lock no longer than its rows are alive', async () => {
    await disk.put('settings', { key: 'lock/bundle', value: [{ id: 'dead', mode: 'exclusive', at: Date.now() - 60_000 }] } as unknown as Shelved);
    expect(await locked('bundle', { now: true }, () => Promise.resolve('mine'))).toBe('mine');
    await disk.put('settings', { key: 'lock/bundle', value: [{ id: 'live', mode: 'exclusive', at: Date.now() }] } as unknown as Shelved);
    expect(await locked('bundle', { now: true }, () => Promise.resolve('mine'))).toBeUndefined();
    expect(await locked('bundle', { mode: 'shared', now: true }, () => Promise.resolve('mine'))).toBeUndefined();
  });
});

/** Wrong bundles, the same ones in every run. */
function* wrong(seed: number, turns: number): Generator<Bytes> {
  const next = chance(seed);
  const pick = (n: number) => Math.floor(next() * n);
  const frames = [...headFrames(one), ...blobFrames(one, [...one.order('en', 'text'), ...one.order('en', 'image')])];
  const whole = rawPack(frames);
  for (let turn = 0; turn < turns; turn++) {
    const kind = pick(4);
    if (kind === 0) {
      // In the file as it lies there.
      const bytes = whole.slice();
      for (let i = pick(3); i >= 0; i--) bytes[pick(bytes.length)] = pick(256);
      yield bytes;
    } else if (kind === 1) yield whole.slice(0, pick(whole.length));
    else {
      // Inside a frame, packed again: gzip's own checksum is right.
      const at = pick(frames.length);
      const bent = frames.map((frame, i) => {
        if (i !== at) return frame;
        const bytes = Uint8Array.from(frame.bytes);
        if (kind === 2 && bytes.length) bytes[pick(bytes.length)] = pick(256);
        return { kind: kind === 3 ? 'PTRB'.charAt(pick(4)) : frame.kind, bytes };
      });
      if (kind === 3 && next() < 0.5) bent.splice(pick(bent.length), 1);
      yield rawPack(bent);
    }
  }
}

// Bounded by the number of cases and not by a clock: a busy machine takes longer and finds the same.
describe('fuzz', () => {
  it.each([[1, 600]])('finds nothing wrong right, whatever is flipped, cut or put in (seed %i, %i cases)', { timeout: 0 }, async (seed, cases) => {
    const find = () => known(publisher.id, 'small');
    const all = await find();
    let right = 0;
    let refused = 0;
    for (const bytes of wrong(seed, cases)) {
      await inspect(frames(stream(bytes, 4096)), () => Promise.resolve(all)).then(
        ({ head, counted }) => {
          // A change that changes nothing, or a carrier with less in it: what it brings is what was published.
          expect(head.rootText).toBe(one.root);
          expect(counted.blobs).toBeGreaterThan(0);
          right++;
        },
        (cause: unknown) => {
          expect(cause).toBeInstanceOf(BundleError);
          refused++;
        },
      );
    }
    expect(right + refused).toBe(cases);
    expect(right).toBeLessThan(cases / 10);
  });

  it.each([[2, 60]])('puts nothing wrong on the disk (seed %i, %i cases)', { timeout: 0 }, async (seed, cases) => {
    let turn = 0;
    for (const bytes of wrong(seed, cases)) {
      if (turn++ % 30 === 0) {
        globalThis.indexedDB = new IDBFactory();
        close();
        await trustPublishers([{ id: publisher.id, documents: publisher.documents }]);
      }
      await importFile(asFile(bytes)).catch((cause: unknown) => expect(cause).toBeInstanceOf(BundleError));
      await sound(one);
      // What is installed is whole.
      expect((await lost('small')).blobs).toBe(0);
    }
  });
});
