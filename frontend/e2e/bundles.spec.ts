// The browser is killed in the middle of a download and of an import, and opened again: what was read stays readable, what came is kept.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, expect, test, type Page } from '@playwright/test';
import { type BundlePage, bundlePage } from '../scripts/bundle-page.mjs';
import type { install } from '../src/offline/bundle/download.ts';
import type { importFile, installed, list, lost, trustPublishers } from '../src/offline/bundle/shelf.ts';
import type { Carrier } from '../src/offline/bundle/carriage.ts';

interface Bundles {
  http: Carrier;
  install: typeof install;
  importFile: typeof importFile;
  installed: typeof installed;
  list: typeof list;
  lost: typeof lost;
  trustPublishers: typeof trustPublishers;
  disk: { list: (store: string) => Promise<{ href: string; bytes: ArrayBuffer }[]> };
}
declare const bundles: Bundles;

// Whoever traces a browser that is killed stumbles over it.
test.use({ trace: 'off' });

let page: BundlePage;
let profile: string;
let running: ChildProcess | undefined;

test.beforeAll(async () => {
  page = await bundlePage();
  profile = await mkdtemp(join(tmpdir(), 'banyan-profile-'));
});
test.afterAll(async () => {
  kill();
  await page.close();
  await rm(profile, { recursive: true, force: true });
});

/** Not closed: killed, with all its processes, as by the battery. */
function kill(): void {
  if (running?.pid !== undefined) process.kill(-running.pid, 'SIGKILL');
  running = undefined;
}

async function start(): Promise<Page> {
  const args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'];
  const child = spawn(process.env['CHROMIUM'] ?? '/usr/bin/chromium', args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  running = child;
  const address = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (data: Buffer) => {
      said += data.toString();
      const found = /DevTools listening on (ws:\S+)/.exec(said);
      if (found) resolve(found[1] as string);
    });
    child.on('exit', () => reject(new Error(said)));
  });
  const browser = await chromium.connectOverCDP(address);
  const tab = await (browser.contexts()[0] as NonNullable<ReturnType<typeof browser.contexts>[0]>).newPage();
  await tab.goto(page.url);
  await tab.waitForFunction(() => 'bundles' in globalThis);
  return tab;
}

const state = (tab: Page) =>
  tab.evaluate(async () => ({
    number: (await bundles.installed('small'))?.installed.number,
    complete: (await bundles.installed('small'))?.installed.complete,
    lost: (await bundles.lost('small')).blobs,
    candidate: (await bundles.list())[0]?.candidate?.number,
  }));

test('a browser that is killed keeps what was there and goes on with what was coming', async () => {
  const { Publisher, blobFrames, file, headFrames, noise, rawPack } = page.maker;
  const publisher = new Publisher();
  const make = (number: number) =>
    publisher.make({ number, modules: [{ id: 'm1', items: Array.from({ length: 70 }, (_, i) => ({ id: `l${i}`, text: `${number} ${i}`, image: noise(20_000, number * 100 + i) })) }] });
  const [one, two, three] = [make(1), make(2), make(3)];
  const rule = { locales: ['en'], tier: 'images' as const };

  let tab = await start();
  page.files.set('/one.banyan', file(one, ['en']));
  await tab.evaluate((items) => bundles.trustPublishers(items), [{ id: publisher.id, documents: publisher.documents }]);
  await tab.evaluate(async () => void (await bundles.importFile(await (await fetch('/one.banyan')).blob())));
  expect(await state(tab)).toEqual({ number: 1, complete: true, lost: 0, candidate: undefined });

  // A download that stalls.
  const packs = new Map([
    ['/bundles/small@2/head.pack', rawPack(headFrames(two))],
    ['/bundles/small@2/en/text.pack', rawPack(blobFrames(two, two.order('en', 'text')))],
    ['/bundles/small@2/en/image.pack', rawPack(blobFrames(two, two.order('en', 'image')))],
  ]);
  const starts: number[] = [];
  let most = 300_000;
  packs.forEach((bytes, href) =>
    page.files.set(href, (request, response) => {
      const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
      if (href.includes('image')) starts.push(from);
      const headers = { 'Content-Type': 'application/vnd.banyan.pack', Banyan: '1', ETag: '"two"', 'Content-Length': bytes.length - from };
      response.writeHead(from ? 206 : 200, from ? { ...headers, 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : headers);
      response.write(bytes.slice(from, from + most));
      if (bytes.length <= from + most) response.end();
    }),
  );
  page.files.set('/api/bundles/small/plan?locale=en&tier=images&number=2&from=1', (_, response) => {
    const [head, ...parts] = Array.from(packs, ([href, { length }]) => ({ href, bytes: length, layer: /(\w+)\.pack/.exec(href)?.[1], locale: 'en' }));
    response.writeHead(200, { 'Content-Type': 'application/json', Banyan: '1' }).end(JSON.stringify({ number: 2, root_digest: two.digest, head, packs: parts }));
  });
  await tab.evaluate((rule) => void bundles.install(bundles.http, 'small', rule, { number: 2 }).catch(() => undefined), rule);
  const arrived = async () => {
    const pieces = await tab.evaluate(async () => (await bundles.disk.list('partials')).map(({ href, bytes }) => ({ href, size: bytes.byteLength })));
    return pieces.reduce((sum, { href, size }) => sum + (href.includes('image') ? size : 0), 0);
  };
  await expect.poll(arrived).toBeGreaterThanOrEqual(128 * 1024);
  const kept = await arrived();
  kill();

  tab = await start();
  expect(await state(tab)).toMatchObject({ number: 1, complete: true, lost: 0 });
  most = Infinity;
  await tab.evaluate(async (rule) => void (await bundles.install(bundles.http, 'small', rule, { number: 2 })), rule);
  expect(await state(tab)).toEqual({ number: 2, complete: true, lost: 0, candidate: undefined });
  expect(starts).toHaveLength(2);
  expect(starts[0]).toBe(0);
  expect(starts[1]).toBeGreaterThanOrEqual(kept);

  // An import that stalls, in which half of the blobs came.
  const bytes = file(three, ['en']);
  page.files.set('/three.banyan', bytes);
  page.files.set('/half.banyan', (_, response) => void response.writeHead(200).write(bytes.slice(0, bytes.length * 0.7)));
  const blobs = () => tab.evaluate(async () => (await bundles.disk.list('blobs')).length);
  const before = await blobs();
  await tab.evaluate(async () => void bundles.importFile((await fetch('/half.banyan')).body as ReadableStream<Uint8Array>).catch(() => undefined));
  await expect.poll(blobs).toBeGreaterThan(before);
  kill();

  tab = await start();
  expect(await state(tab)).toEqual({ number: 2, complete: true, lost: 0, candidate: 3 });
  await tab.evaluate(async () => void (await bundles.importFile(await (await fetch('/three.banyan')).blob())));
  expect(await state(tab)).toEqual({ number: 3, complete: true, lost: 0, candidate: undefined });
});
