// A course comes to a phone whatever happens on the way: a line that breaks, a browser that dies, a full disk, a wrong clock, a network with a
// sign-in page, two tabs, a server that has forgotten. Nothing wrong is shown as right, and nothing that arrived is lost.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test as base, type Page } from '@playwright/test';
import { kept } from './device.ts';
import { Profile } from './profile.ts';
import { Relay } from './relay.ts';
import { School } from './school.ts';
import { words } from './words.ts';

const t = words('en');
const course = 'staying-safe';
const large = 'ai-foundations';
const lesson = 'scams-and-cloned-voices';
const sentence = 'Akinyi sells fish in Kisumu, in Kenya.';

let school: School;
let relay: Relay;
let edits = 0;
/** How the newest version says it. */
let current = sentence;

// A school and the line to it, once; and a phone of its own for every test.
const test = base.extend<object, { line: Relay }>({
  line: [
    async ({}, give) => {
      school = await School.open();
      current = sentence;
      relay = await Relay.listen(school.url);
      await give(relay);
      await relay.close();
      await school.close();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  baseURL: ({ line }, give) => give(line.url),
});

// Whoever traces a browser that is killed stumbles over it.
test.use({ trace: 'off' });

test.afterEach(() => {
  relay.mend();
  relay.shape({});
  relay.lead(school.url);
});

/** The words of a key, whatever stands in its gaps. */
function say(key: string, gaps: Record<string, string | number> = {}): RegExp {
  const plain = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${t(key).split(/\{\{\.(\w+)\}\}/).map((part, i) => (i % 2 ? (part in gaps ? plain(String(gaps[part])) : '.+') : plain(part))).join('')}$`);
}

const panel = (page: Page) => page.locator('.keep');
const here = (page: Page, number: number) => expect(panel(page).getByText(say('ui.offline.here', { Number: number }))).toBeVisible();
const message = (page: Page, refusal: string) => expect(page.locator('.notice').getByText(t(`bundle.${refusal}`))).toBeVisible();

/** Opens a course's page, and waits until nothing moves on the line but what a test begins. */
async function visit(page: Page, id = course): Promise<void> {
  await page.goto(`/en/courses/${id}`);
  await expect(panel(page)).toBeVisible();
  // The page looks for what of the app itself to keep: small parts it fetches, for large ones it asks.
  await expect.poll(async () => (await page.locator('.shell-offer').count()) > 0 || (await page.evaluate(() => caches.match('/shell/en.json').then(Boolean)))).toBe(true);
}

/** Chooses in the panel what to take along. */
async function choose(page: Page, tier: 'text' | 'images' | 'all', ...languages: string[]): Promise<void> {
  const chooser = panel(page).locator('details');
  if ((await chooser.getAttribute('open')) === null) await chooser.locator('summary').click();
  await chooser.getByRole('radio', { name: say(`ui.offline.tier.${tier}`) }).check();
  for (const name of languages) await chooser.getByRole('checkbox', { name }).check();
}

const download = (page: Page) => panel(page).getByRole('button', { name: say('ui.offline.start') });
const goOn = (page: Page) => panel(page).getByRole('button', { name: say('ui.offline.go_on') });

interface Shelf {
  installed?: number;
  previous?: number;
  candidate?: number;
  /** Blobs that the installed version names for its rule. */
  blobs: number;
  /** Those of them that are missing or whose bytes are not what their name says. */
  wrong: string[];
  languages: string[];
  /** Bytes of packs under way. */
  partial: number;
}

/** What the device holds of a course: read from its database and hashed here anew, by nobody's word. */
async function shelf(page: Page, id = course): Promise<Shelf> {
  const found = await page.evaluate(
    async (id) => {
      const opened = await new Promise<IDBDatabase>((resolve, reject) => {
        const opening = indexedDB.open('banyan');
        opening.onsuccess = () => resolve(opening.result);
        opening.onerror = () => reject(opening.error);
      });
      const all = <T>(store: string) =>
        new Promise<T[]>((resolve, reject) => {
          const asked = opened.transaction(store).objectStore(store).getAll();
          asked.onsuccess = () => resolve(asked.result as T[]);
          asked.onerror = () => reject(asked.error);
        });
      try {
        if (!opened.objectStoreNames.contains('bundles')) return undefined;
        interface Version { root: string; number: number; rule: { locales: string[]; tier: string } }
        const row = (await all<{ course: string; installed?: Version; previous?: Version; candidate?: Version }>('bundles')).find((one) => one.course === id);
        const partial = (await all<{ bytes: ArrayBuffer }>('partials')).reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
        const numbers = { installed: row?.installed?.number, previous: row?.previous?.number, candidate: row?.candidate?.number };
        const wrong: string[] = [];
        const seen = new Set<string>();
        if (row?.installed) {
          const blobs = new Map((await all<{ digest: string; bytes: ArrayBuffer }>('blobs')).map(({ digest, bytes }) => [digest, bytes]));
          const open = async (digest: string): Promise<string> => {
            seen.add(digest);
            const bytes = blobs.get(digest);
            const hash = bytes && Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');
            if (`sha256:${hash}` !== digest) wrong.push(digest);
            return bytes ? new TextDecoder().decode(bytes) : '{}';
          };
          const { root, rule } = row.installed;
          const document = JSON.parse(root.split('\n', 1)[0] as string) as { editions: Record<string, { digest: string }> };
          const layers = { text: ['text'], images: ['text', 'image'], all: ['text', 'image', 'audio'] }[rule.tier] ?? [];
          for (const locale of rule.locales) {
            const edition = document.editions[locale];
            if (!edition) continue;
            for (const module of (JSON.parse(await open(edition.digest)) as { modules?: { digest: string }[] }).modules ?? []) {
              for (const item of (JSON.parse(await open(module.digest)) as { items?: { digest: string }[] }).items ?? []) {
                for (const blob of (JSON.parse(await open(item.digest)) as { blobs?: { digest: string; layer: string }[] }).blobs ?? []) {
                  if (layers.includes(blob.layer)) await open(blob.digest);
                }
              }
            }
          }
        }
        return { ...numbers, blobs: seen.size, wrong, languages: row?.installed?.rule.locales ?? [], partial };
      } finally {
        opened.close();
      }
    },
    id,
  );
  return found ?? { blobs: 0, wrong: [], languages: [], partial: 0 };
}

/** Wants a version installed of which every byte is right. */
async function whole(page: Page, number: number, id = course): Promise<Shelf> {
  const found = await shelf(page, id);
  expect(found).toMatchObject({ installed: number, wrong: [] });
  expect(found.blobs).toBeGreaterThan(10);
  return found;
}

/** How many blobs the device holds. */
function stored(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const opening = indexedDB.open('banyan');
        opening.onsuccess = () => {
          const { result } = opening;
          if (!result.objectStoreNames.contains('blobs')) return result.close(), resolve(0);
          const asked = result.transaction('blobs').objectStore('blobs').count();
          asked.onsuccess = () => (result.close(), resolve(asked.result));
        };
      }),
  );
}

/** The newest version's number on the server. */
async function newest(): Promise<number> {
  const plan = (await (await fetch(`${school.url}/api/bundles/${course}/plan?locale=en&tier=text`)).json()) as { number: number };
  return plan.number;
}

/** Publishes the course with another first sentence. */
async function publish(): Promise<{ number: number; text: string }> {
  const text = `Akinyi sells ${++edits + 1} fish in Kisumu, in Kenya.`;
  const number = await school.publish(course, `lessons/${lesson}.md`, sentence, text);
  current = text;
  return { number, text };
}

/** Installs the newest version over a good line. */
async function install(page: Page, tier: 'text' | 'images' = 'text'): Promise<number> {
  const number = await newest();
  await visit(page);
  await choose(page, tier);
  await download(page).click();
  await here(page, number);
  await whole(page, number);
  return number;
}

test('a course is read without the server: lesson, picture and quiz', async ({ page }) => {
  const number = await install(page, 'images');
  await kept(page, 'en', true);
  relay.cut();
  await page.goto(`/en/courses/${course}`);
  await page.getByRole('link', { name: /Your image belongs to you/ }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Your image belongs to you');
  const picture = page.locator('main img').first();
  await picture.scrollIntoViewIfNeeded();
  await expect.poll(() => picture.evaluate((img: HTMLImageElement) => img.complete && img.naturalWidth)).toBeGreaterThan(0);
  await page.goto(`/en/courses/${course}/your-rights-and-images-practice`);
  await expect(page.locator('.question-card').first()).toBeVisible();
  await page.goto('/en/courses/ai-foundations/what-is-ai');
  await expect(page.getByRole('link', { name: /staying safe/ })).toBeVisible();
  relay.mend();
  await page.goto(`/en/courses/${course}`);
  await here(page, number);
});

test('a line that breaks at every 4 kB of a download only delays it', async ({ page }) => {
  const number = await newest();
  await visit(page);
  await choose(page, 'images');
  await expect(download(page)).toBeEnabled();
  const before = relay.cuts;
  relay.cutEvery(4096);
  await download(page).click();
  await expect(panel(page).getByText(say('ui.offline.here', { Number: number }))).toBeVisible({ timeout: 60_000 });
  expect(relay.cuts - before).toBeGreaterThan(4);
  await whole(page, number);
});

test('a browser that is killed in a download goes on with what had come', async () => {
  const profile = new Profile();
  try {
    let page = await (await profile.open(relay.url)).newPage();
    await visit(page, large);
    await choose(page, 'text', 'العربية');
    await panel(page).getByRole('checkbox', { name: 'English' }).uncheck();
    await expect(download(page)).toBeEnabled();
    // A piece of 64 kB is on the disk, and more is on the way.
    relay.holdAfter(80_000);
    await download(page).click();
    await expect.poll(async () => (await shelf(page, large)).partial).toBeGreaterThan(60_000);
    await profile.kill();
    relay.mend();

    const context = await profile.open(relay.url);
    page = await context.newPage();
    const ranges: string[] = [];
    context.on('request', (request) => {
      if (request.url().includes('/ar/text.pack')) ranges.push(request.headers()['range'] ?? 'from its beginning');
    });
    // Whatever page is opened goes on with it.
    await visit(page, large);
    await expect(panel(page).getByText(say('ui.offline.here', { Number: 1 }))).toBeVisible();
    expect(ranges).toHaveLength(1);
    expect(Number(/^bytes=(\d+)-$/.exec(ranges[0] ?? '')?.[1])).toBeGreaterThan(60_000);
    await whole(page, 1, large);
  } finally {
    await profile.close();
  }
});

/** A course as a file, as a friend would bring it. */
async function file(id: string, query: string): Promise<Buffer> {
  const answer = await fetch(`${school.url}/bundles/${id}@1/${id}.banyan?${query}`);
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

const fileInput = (page: Page) => page.locator('input[accept=".banyan"]');
const taken = (page: Page) => expect(page.getByText(say('ui.offline.import.done'))).toBeVisible();

test('a browser that is killed in an import keeps what was right, and takes the file again', async () => {
  const profile = new Profile();
  const folder = mkdtempSync(join(tmpdir(), 'banyan-card-'));
  const card = join(folder, `${large}.banyan`);
  try {
    writeFileSync(card, await file(large, 'locale=en&locale=ar&locale=fr&tier=images'));
    const context = await profile.open(relay.url);
    // The memory card stops to answer after two thirds of the file.
    await context.addInitScript(() => {
      const stream = Blob.prototype.stream;
      Blob.prototype.stream = function () {
        const reader = stream.call(this).getReader();
        const most = this.size * 0.66;
        let read = 0;
        return new ReadableStream({
          async pull(controller) {
            const { done, value } = await reader.read();
            if (done || read >= most) return new Promise<void>(() => undefined);
            const some = value.subarray(0, most - read);
            read += some.length;
            controller.enqueue(some);
          },
        });
      };
    });
    let page = await context.newPage();
    await page.goto('/app/offline');
    await fileInput(page).setInputFiles(card);
    await expect.poll(() => stored(page)).toBeGreaterThanOrEqual(100);
    expect(await shelf(page, large)).toMatchObject({ candidate: 1 });
    await profile.kill();

    page = await (await profile.open(relay.url)).newPage();
    await page.goto('/app/offline');
    expect((await shelf(page, large)).installed).toBeUndefined();
    expect(await stored(page)).toBeGreaterThanOrEqual(100);
    await fileInput(page).setInputFiles(card);
    await taken(page);
    expect((await whole(page, 1, large)).languages.sort()).toEqual(['ar', 'en', 'fr']);
  } finally {
    await profile.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a full disk stops a download with a message, and it goes on when there is room', async ({ page, context }) => {
  const devtools = await context.newCDPSession(page);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin: relay.url, quotaSize: 3_000_000 });
  await page.goto('/api/health');
  await page.evaluate(async () => (await caches.open('photos')).put('/photo', new Response(new Uint8Array(2_500_000))));
  // Without this the page would know before it begins: some browsers do not say how much room there is.
  await page.addInitScript(() => {
    StorageManager.prototype.estimate = () => Promise.reject(new TypeError());
  });
  await visit(page, large);
  await choose(page, 'text', 'العربية', 'Français', 'Español');
  await download(page).click();
  await message(page, 'no_space');
  const kept = await Promise.all([stored(page), shelf(page, large)]);
  expect(kept[0] + kept[1].partial).toBeGreaterThan(0);
  expect(kept[1].installed).toBeUndefined();
  // Still full: the same word, and nothing lost.
  await goOn(page).click();
  await message(page, 'no_space');
  expect(await stored(page)).toBeGreaterThanOrEqual(kept[0]);
  await page.evaluate(() => caches.delete('photos'));
  await goOn(page).click();
  await here(page, 1);
  await whole(page, 1, large);
});

test('a clock that is ten years off hinders neither a download nor an update', async ({ page }) => {
  await page.clock.setSystemTime(new Date(Date.now() - 10 * 365.25 * 86_400_000));
  await install(page);
  await page.clock.setSystemTime(new Date(Date.now() + 10 * 365.25 * 86_400_000));
  const { number } = await publish();
  await page.reload();
  await panel(page).getByRole('button', { name: say('ui.offline.update.take') }).click();
  await here(page, number);
  await whole(page, number);
});

test('the sign-in page of a network is taken for what it is', async ({ page }) => {
  const portal = createServer((_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>Welcome to the Wi-Fi of the bus station. Please sign in.</h1>')).listen(0, '127.0.0.1');
  await once(portal, 'listening');
  try {
    const number = await newest();
    await visit(page);
    await choose(page, 'text');
    await expect(download(page)).toBeEnabled();
    relay.lead(`http://localhost:${(portal.address() as AddressInfo).port}`);
    await download(page).click();
    await message(page, 'captive_portal');
    expect((await shelf(page)).installed).toBeUndefined();
    relay.lead(school.url);
    await page.reload();
    await choose(page, 'text');
    await download(page).click();
    await here(page, number);
    await kept(page, 'en', true);

    // Installed, in the same network: the course is read as it was, and more of it waits.
    await choose(page, 'images', 'Français');
    await expect(download(page)).toBeEnabled();
    relay.lead(`http://localhost:${(portal.address() as AddressInfo).port}`);
    await download(page).click();
    await message(page, 'captive_portal');
    await whole(page, number);
    await page.goto(`/en/courses/${course}/${lesson}`);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Scams and cloned voices');
  } finally {
    portal.close();
  }
});

test('two tabs download a course once', async ({ page, context }) => {
  const asked: string[] = [];
  context.on('request', (request) => {
    if (request.url().includes('.pack')) asked.push(new URL(request.url()).pathname);
  });
  const number = await newest();
  const other = await context.newPage();
  for (const tab of [page, other]) {
    await visit(tab);
    await choose(tab, 'images');
    await expect(download(tab)).toBeEnabled();
  }
  const buttons = await Promise.all([page, other].map((tab) => download(tab).elementHandle()));
  await Promise.all(buttons.map((button) => button?.evaluate((element) => (element as HTMLElement).click())));
  await here(page, number);
  await here(other, number);
  await whole(page, number);
  expect(asked.filter((path, i) => asked.indexOf(path) !== i)).toEqual([]);
});

test('a new version says what it costs, comes only by choice, and can be left again', async ({ page }) => {
  const before = await install(page);
  await kept(page, 'en', true);
  const old = current;
  const { number, text } = await publish();
  const packs: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('.pack')) packs.push(request.url());
  });
  await page.reload();
  const update = panel(page).getByRole('button', { name: say('ui.offline.update.take') });
  const cost = Number(/\d+/.exec((await update.textContent()) ?? '')?.[0]);
  expect(cost).toBeLessThanOrEqual(8);
  // Shown, and not begun: the learner stays where they are, also in the next lesson.
  await here(page, before);
  expect(packs).toEqual([]);
  const said = async (words: string) => {
    relay.cut();
    await page.goto(`/en/courses/${course}/${lesson}`);
    await expect(page.getByText(words)).toBeVisible();
    relay.mend();
    await page.goto(`/en/courses/${course}`);
  };
  await said(old);
  const sent = relay.bytes.down;
  await update.click();
  await here(page, number);
  expect(relay.bytes.down - sent).toBeLessThan(16_000);
  await whole(page, number);
  await said(text);
  await panel(page).getByRole('button', { name: say('ui.offline.back', { Number: before }) }).click();
  await here(page, before);
  await whole(page, before);
  await said(old);
});

test('a file brings a course; one with a flipped bit brings nothing wrong', async ({ page }) => {
  const bytes = await file(course, 'locale=en&tier=images');
  await page.goto('/app/offline');
  const bring = (buffer: Buffer) => fileInput(page).setInputFiles({ name: `${course}.banyan`, mimeType: 'application/octet-stream', buffer });
  for (const at of [0.02, 0.3, 0.6, 0.95]) {
    const flipped = Buffer.from(bytes);
    const i = Math.floor(bytes.length * at);
    flipped[i] = (flipped[i] as number) ^ 4;
    await bring(flipped);
    await expect(page.locator('.notice.bad')).toBeVisible();
    expect((await shelf(page)).installed).toBeUndefined();
  }
  await bring(bytes);
  await taken(page);
  await expect(page.locator('.notice.bad')).toHaveCount(0);
  await whole(page, 1);
});

test('a server that went back to yesterday takes nothing away', async ({ page }) => {
  const old = await newest();
  const before = current;
  await school.save();
  const { number, text } = await publish();
  await install(page);
  await kept(page, 'en', true);
  await school.restore();
  current = before;
  expect(await newest()).toBe(old);
  await page.reload();
  // It offers nothing older as news, and gives nothing of what the device has.
  await here(page, number);
  await expect(panel(page).getByRole('button', { name: say('ui.offline.update.take') })).toHaveCount(0);
  await page.goto('/app/offline');
  await fileInput(page).setInputFiles({ name: 'old.banyan', mimeType: 'application/octet-stream', buffer: await file(course, 'locale=en&tier=text') });
  await message(page, 'rollback');
  await whole(page, number);
  relay.cut();
  await page.goto(`/en/courses/${course}/${lesson}`);
  await expect(page.getByText(text)).toBeVisible();
});
