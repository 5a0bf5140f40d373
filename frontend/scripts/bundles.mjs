// How long a phone takes to import a course, and in how much memory: `make bench BENCH=import`. Prints one line of JSON. It holds the
// reader in Chromium to the vectors first, for what is wrong need not be measured.
import { chromium } from '@playwright/test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundlePage } from './bundle-page.mjs';

const slowdown = 6;
const rounds = 5;
const testdata = join(import.meta.dirname, '../../internal/bundle/testdata');
const median = (values) => values.slice().sort((a, b) => a - b)[values.length >> 1];

const page = await bundlePage();
const { Publisher, file, noise } = page.maker;
const publisher = new Publisher();

// Lessons as the shipped ones: some 5 kB of text that shrinks, now and then a picture that does not. Two documents and a half a lesson.
function course(name, modules, lessons) {
  const words = 'a model learns from examples and finds what they have in common '.repeat(75);
  return publisher.make({
    course: name,
    modules: Array.from({ length: modules }, (_, m) => ({
      id: `m${m}`,
      items: Array.from({ length: lessons }, (_, l) => ({ id: `l${m}-${l}`, text: `${m} ${l} ${words}`, ...(l % 2 && { image: noise(12_000, m * 100 + l + 1) }) })),
    })),
  });
}
// 300 blobs: an edition, 7 modules, 116 lessons with their texts, 58 pictures and a few over.
const small = course('small', 7, 17);
const large = course('large', 70, 17);
page.files.set('/small.banyan', file(small, ['en']));
page.files.set('/large.banyan', file(large, ['en']));
for (const name of readdirSync(testdata, { withFileTypes: true })) if (name.isFile()) page.files.set(`/vectors/${name.name}`, readFileSync(join(testdata, name.name)));

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
try {
  console.log(JSON.stringify({ vectors: await vectors(), blobs: small.blobs.size, bytes: page.files.get('/small.banyan').length, ...(await times()), ...(await memory()) }));
} finally {
  await browser.close();
  await page.close();
}

async function open() {
  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.goto(page.url);
  await tab.waitForFunction(() => 'bundles' in globalThis);
  await tab.evaluate((items) => globalThis.bundles.trustPublishers(items), [{ id: publisher.id, documents: publisher.documents }]);
  return { context, tab, cdp: await context.newCDPSession(tab) };
}

/** Holds Chromium to every vector, by the same key. */
async function vectors() {
  const { context, tab } = await open();
  const all = JSON.parse(readFileSync(join(testdata, 'vectors.json'), 'utf8'));
  const text = (name) => readFileSync(join(testdata, name), 'utf8');
  for (const one of all) {
    const known = { documents: one.trusted.map(text), newest: one.newest ?? '', ...(one.course && { course: one.course }), ...(one.installed && { current: text(one.installed) }) };
    const got = await tab.evaluate(
      async ([one, known]) => {
        let bytes = new Uint8Array(await (await fetch(`/vectors/${one.file}`)).arrayBuffer());
        if (one.cut !== undefined) bytes = bytes.slice(0, one.cut);
        if (one.flip) bytes[one.flip[0]] ^= one.flip[1];
        const { frames, inspect } = globalThis.bundles;
        return inspect(frames(new Blob([bytes, one.append ?? '']).stream()), async () => known).then(
          () => 'ok',
          (cause) => cause.key ?? String(cause),
        );
      },
      [one, known],
    );
    if (got !== one.want) throw new Error(`${one.name} (${one.file}): ${got} instead of ${one.want}`);
  }
  await context.close();
  return all.length;
}

/** Ours, and the least that could keep the same: all rows put in one transaction, nothing read or checked. */
async function times() {
  const ours = [];
  const bare = [];
  for (let round = 0; round < rounds; round++) {
    const { context, tab, cdp } = await open();
    await cdp.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
    ours.push(
      await tab.evaluate(async () => {
        const blob = await (await fetch('/small.banyan')).blob();
        const begin = performance.now();
        await globalThis.bundles.importFile(blob);
        return performance.now() - begin;
      }),
    );
    bare.push(
      await tab.evaluate(async () => {
        const { disk, transact } = globalThis.bundles;
        const rows = await disk.list('blobs');
        const begin = performance.now();
        await transact(['blobs'], 'readwrite', (store) => {
          for (const row of rows) store('blobs').put({ ...row, digest: `bare ${row.digest}` });
        });
        return performance.now() - begin;
      }),
    );
    await context.close();
  }
  return { import_ms: median(ours), bare_ms: median(bare) };
}

/** The most that is alive in the page at any time while it imports, and while it imports ten times as much. */
async function memory() {
  const grown = {};
  for (const name of ['small', 'large']) {
    const { context, tab, cdp } = await open();
    const alive = async () => {
      await cdp.send('HeapProfiler.collectGarbage');
      const { usedSize, backingStorageSize = 0 } = await cdp.send('Runtime.getHeapUsage');
      return usedSize + backingStorageSize;
    };
    const before = await alive();
    let most = before;
    let over = false;
    const importing = tab.evaluate(async (name) => void (await globalThis.bundles.importFile((await fetch(`/${name}.banyan`)).body)), name).finally(() => (over = true));
    while (!over) most = Math.max(most, await alive());
    await importing;
    grown[`${name}_mib`] = (most - before) / 2 ** 20;
    await context.close();
  }
  return grown;
}
