// Without a network: what a learner can open, what is said of the rest, and what a new release or a strange network may not break.
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { expect, test, type BrowserContext, type Page } from '@playwright/test';
import { held, install, kept, Program } from './device.ts';
import { words } from './words.ts';

const port = Number(process.env['BANYAN_OFFLINE_PORT'] ?? 18131);
const course = 'ai-in-daily-life';
const t = words('ar');
const program = new Program(port);

test.describe.configure({ mode: 'serial' });

let context: BrowserContext;
let page: Page;

test.beforeAll(async ({ browser }) => {
  await program.start();
  context = await browser.newContext({ baseURL: program.url, viewport: { width: 360, height: 740 } });
  page = await context.newPage();
});
test.afterAll(async () => {
  await context?.close();
  await program.stop();
});

/** Opens an address, and gives the bytes of the page and its status. */
async function read(address: string): Promise<{ status: number | undefined; html: string }> {
  const answer = await page.goto(address);
  return { status: answer?.status(), html: (await answer?.text()) ?? '' };
}

const addresses = ['', '/what-ai-is', '/first-look', '/nearest-leaf'].map((tail) => `/ar/courses/${course}${tail}`);
const online = new Map<string, string>();

test('after one visit the shell is on the device', async () => {
  await page.goto('/ar/');
  await kept(page, 'ar');
  // All that pages of this language need, nothing of another, and not yet what only the app and the labs need.
  const paths = await page.evaluate(async () => (await (await caches.open('banyan')).keys()).map(({ url }) => new URL(url).pathname));
  expect(paths.filter((path) => /\/page\.\w+-/.test(path))).toHaveLength(1);
  expect(paths.filter((path) => /\/bench-/.test(path))).toHaveLength(0);
  for (const address of [...addresses, `/ar/courses/${course}@1/what-ai-is`]) online.set(address, (await read(address)).html);
});

test('what is neither here nor to be reached gets a page that says so', async () => {
  await context.setOffline(true);
  const { status } = await read(`/ar/courses/staying-safe`);
  expect(status).toBe(503);
  await expect(page.locator('html')).toHaveAttribute('dir', 'rtl');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('لا توجد شبكة');
  await expect(page.getByText('لا توجد أي دورة على هذا الجهاز بعد.')).toBeVisible();
  await context.setOffline(false);
  // One tap brings it when the network is back.
  await page.getByRole('link', { name: 'حاول مرة أخرى' }).click();
  await expect(page.getByRole('heading', { level: 1 })).not.toHaveText('لا توجد شبكة');
});

test('an installed course is the same page for page', async () => {
  await install(page, course, ['ar', 'en']);
  await context.setOffline(true);
  for (const address of [...addresses, `/ar/courses/${course}@1/what-ai-is`]) {
    const { status, html } = await read(address);
    expect(status, address).toBe(200);
    expect(html, address).toBe(online.get(address));
  }
  // Nobody read in French here: the reader's own language says so, and leads on.
  expect((await read(`/fr/courses/${course}`)).status).toBe(503);
  await expect(page.locator('html')).toHaveAttribute('lang', 'ar');
  await page.locator('.cards a').click();
  await expect(page).toHaveURL(new RegExp(`/ar/courses/${course}$`));
  await context.setOffline(false);
});

test('islands come alive without a network', async () => {
  await context.setOffline(true);
  await page.goto(`/ar/courses/${course}/first-look`);
  await expect(page.locator('[data-island="quiz"] button').first()).toBeVisible();
  await context.setOffline(false);
});

test('with the server stopped it is all the same, and media are whole or in parts', async () => {
  await program.stop();
  expect((await read(`/ar/courses/${course}/what-ai-is`)).html).toBe(online.get(`/ar/courses/${course}/what-ai-is`));
  expect((await read('/ar/')).status).toBe(200);
  await expect(page.locator('.cards a')).toHaveCount(1);
  const parts = await page.evaluate(async () => {
    // A recording as a course has it, under its digest.
    const bytes = new Uint8Array(100_000).map((_, i) => i % 251).buffer;
    const hex = Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');
    const database = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open('banyan');
      request.onsuccess = () => resolve(request.result);
    });
    const transaction = database.transaction('blobs', 'readwrite');
    transaction.objectStore('blobs').put({ digest: `sha256:${hex}`, bytes, size: bytes.byteLength });
    await new Promise((resolve) => (transaction.oncomplete = resolve));
    database.close();
    const whole = await fetch(`/media/${hex}.mp3`);
    const part = await fetch(`/media/${hex}.mp3`, { headers: { Range: 'bytes=1000-1999' } });
    const raw = await fetch(`/api/blobs/sha256:${hex}`);
    return [whole.status, (await whole.arrayBuffer()).byteLength, whole.headers.get('Content-Type'), part.status, part.headers.get('Content-Range'), (await part.arrayBuffer()).byteLength, raw.status];
  });
  expect(parts).toEqual([200, 100_000, 'audio/mpeg', 206, 'bytes 1000-1999/100000', 1000, 200]);
  await program.start();
});

test('with consent the rest of the app comes too, and opens without a network', async () => {
  const tab = await context.newPage();
  await tab.goto('/ar/');
  // A course is here, the app is not: that is more than 50 kB, so somebody is asked.
  await tab.getByRole('button', { name: /اجلبها \(\d+ ك.ب\)/ }).click();
  await kept(tab, 'ar', true);
  await expect(tab.locator('.shell-offer')).toHaveCount(0);
  await tab.close();
  await context.setOffline(true);
  expect((await read('/app/sign-in')).status).toBe(200);
  // Its screens come alive; what they say without a server is theirs.
  await expect(page.locator('#app')).not.toHaveAttribute('aria-busy');
  await expect(page.locator('#app .loading')).toHaveCount(0);
  await context.setOffline(false);
});

test.describe('a lab', () => {
  const solution = readFileSync(join(import.meta.dirname, '../../content/examples', course, 'labs/nearest-leaf/solution.py'), 'utf8');
  const lab = `/ar/courses/${course}/nearest-leaf`;
  const press = () => page.getByRole('button', { name: t('ui.lab.run'), exact: true }).click();

  async function write(text: string): Promise<void> {
    await page.locator('.editor textarea').fill(text);
  }

  async function passes(): Promise<void> {
    await write(solution);
    await press();
    await expect(page.locator('.bench .notice.good')).toBeVisible({ timeout: 60_000 });
  }

  test('says calmly that Python is not here yet, and runs once it is', async () => {
    await context.setOffline(true);
    await page.goto(lab);
    await press();
    await expect(page.getByText(t('ui.lab.bench.away'))).toBeVisible();
    await context.setOffline(false);
    await page.locator('.bench').getByRole('button', { name: t('ui.retry') }).click();
    await page.getByText(t('ui.lab.run.name.light'), { exact: true }).click();
    // The size is said before the tap.
    await expect(page.getByRole('button', { name: /0[.٫,][89]|1[.٫,]\d/ })).toBeVisible();
  });

  test('runs without ever having run with a network, once Python was fetched on the course page', async () => {
    await page.goto(`/ar/courses/${course}`);
    const name = new RegExp(t('ui.offline.python.fetch').replace('{{.Size}}', '.*\\d.*'));
    await page.locator('.keep').getByRole('button', { name }).click();
    await expect(page.getByText(t('ui.offline.python.here'))).toBeVisible({ timeout: 60_000 });
    await context.setOffline(true);
    await page.goto(lab);
    await passes();
    await context.setOffline(false);
    // The page says so at the next visit, too.
    await page.goto(`/ar/courses/${course}`);
    await expect(page.getByText(t('ui.offline.python.here'))).toBeVisible();
  });

  test('runs with the server stopped, visit after visit', async () => {
    await program.stop();
    for (let visit = 0; visit < 2; visit++) {
      await page.goto(lab);
      await page.reload();
      await passes();
    }
  });

  test('and the frame is as closed as it is with a network', async () => {
    const frame = page.frames().find((one) => one.url().endsWith('/assets/lab-frame'));
    if (!frame) throw new Error('no frame');
    await page.evaluate(() => {
      document.cookie = 'secret=of-the-page';
      localStorage.setItem('secret', 'of the page');
    });
    const seen = await frame.evaluate(async (origin) => {
      const attempt = async (call: () => unknown) => {
        try {
          await call();
          return 'done';
        } catch (cause) {
          return (cause as Error).name;
        }
      };
      return {
        origin: self.origin,
        cookie: await attempt(() => document.cookie),
        storage: await attempt(() => localStorage.length),
        database: await attempt(() => indexedDB.open('banyan')),
        caches: await attempt(() => caches.keys()),
        worker: await attempt(() => navigator.serviceWorker.controller),
        page: await attempt(() => (parent as Window).document.title),
        top: await attempt(() => ((top as Window).location.href = 'https://example.org/')),
        window: window.open('https://example.org/') === null,
        // What the worker of the page would answer without a network, and what it would not.
        network: await attempt(() => fetch(`${origin}/ar/`)),
        blob: await attempt(() => fetch('data:text/plain,x')),
      };
    }, program.url);
    expect(seen).toEqual({
      origin: 'null',
      cookie: 'SecurityError',
      storage: 'SecurityError',
      database: 'SecurityError',
      caches: 'SecurityError',
      worker: 'SecurityError',
      page: 'SecurityError',
      top: 'SecurityError',
      window: true,
      network: 'TypeError',
      blob: 'TypeError',
    });
    expect(page.url()).toContain(lab);
  });

  test('a copy that has lost its wall is not shown', async () => {
    const change = (policy: string | null) =>
      page.evaluate(async (policy) => {
        const cache = await caches.open('banyan-lab');
        const here = (await cache.match('/assets/lab-frame')) as Response;
        const headers = new Headers(here.headers);
        const was = headers.get('Content-Security-Policy');
        if (policy) headers.set('Content-Security-Policy', policy);
        else headers.delete('Content-Security-Policy');
        await cache.put('/assets/lab-frame', new Response(await here.text(), { headers }));
        return was;
      }, policy);
    /** A frame as the page makes it, in which the worker shows what it will. */
    const speaks = () =>
      page.evaluate(
        () =>
          new Promise<string>((resolve) => {
            const frame = document.createElement('iframe');
            const end = (how: string) => {
              frame.remove();
              resolve(how);
            };
            addEventListener('message', ({ source, origin }) => source === frame.contentWindow && end(origin));
            // The message of a document that loaded comes before this turn.
            frame.onload = () => setTimeout(() => end('silent'), 500);
            frame.src = '/assets/lab-frame';
            document.body.append(frame);
          }),
      );
    const policy = await change("default-src 'none'; sandbox allow-scripts allow-same-origin; script-src 'unsafe-inline'");
    expect(await speaks()).toBe('silent');
    await change(null);
    expect(await speaks()).toBe('silent');
    await page.reload();
    await write(solution);
    await press();
    await expect(page.getByText(t('ui.lab.bench.away'))).toBeVisible();
    await change(policy);
    await expect.poll(speaks).toBe('null');
    await passes();
    await program.start();
  });
});

test('a language that is new here is kept at once, also where the app has to wait', async () => {
  await page.goto('/es/');
  await kept(page, 'es');
  await context.setOffline(true);
  expect((await read(`/es/courses/${course}/what-ai-is`)).status).toBe(200);
  await context.setOffline(false);
  await page.goto('/ar/');
});

test('a link without a number opens the version that is here', async () => {
  // The network has another version by now: what is installed says 7.
  const renumber = (number: number) =>
    page.evaluate(
      async ({ course, number }) => {
        const database = await new Promise<IDBDatabase>((resolve) => {
          const request = indexedDB.open('banyan');
          request.onsuccess = () => resolve(request.result);
        });
        const store = database.transaction('bundles', 'readwrite').objectStore('bundles');
        const row = await new Promise<{ installed: { root: string; number: number } }>((resolve) => {
          const request = store.get(course);
          request.onsuccess = () => resolve(request.result as never);
        });
        row.installed.root = row.installed.root.replace(/"number":\d+/, `"number":${number}`);
        row.installed.number = number;
        await new Promise((resolve) => (store.put(row).onsuccess = resolve));
        database.close();
      },
      { course, number },
    );
  await page.goto('/ar/');
  await renumber(7);
  await context.setOffline(true);
  await page.goto(`/ar/courses/${course}/what-ai-is`);
  await expect(page.locator('body')).toHaveAttribute('data-version', '7');
  expect((await read(`/ar/courses/${course}@7`)).status).toBe(200);
  expect((await read(`/ar/courses/${course}@8`)).status).toBe(503);
  await page.goto('/ar/');
  await renumber(1);
  await context.setOffline(false);
});

test.describe('another server at the same address', () => {
  let other: Server | undefined;
  const answer = (listener: Parameters<typeof createServer>[1]) =>
    new Promise<void>((resolve) => {
      other = createServer({ keepAliveTimeout: 1 }, listener).listen(port, '127.0.0.1', resolve);
    });
  test.beforeAll(() => program.stop());
  test.afterEach(async () => {
    other?.closeAllConnections();
    await new Promise((resolve) => other?.close(resolve));
  });
  test.afterAll(() => program.start());

  test('a network that wants a sign-in is not taken for ours', async () => {
    await answer((_, reply) => reply.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>Buy Wi-Fi</h1>'));
    expect((await read(`/ar/courses/${course}/what-ai-is`)).html).toBe(online.get(`/ar/courses/${course}/what-ai-is`));
    expect((await read('/ar/courses/no-such-course')).status).toBe(503);
    await expect(page.getByText('Buy Wi-Fi')).toHaveCount(0);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('الشبكة تطلب شيئًا أولًا');
    // A script of it is not kept under the name of ours.
    await page.evaluate(() => fetch('/assets/none-1.js'));
    expect(await page.evaluate(async () => !!(await caches.match('/assets/none-1.js')))).toBe(false);
    await page.getByRole('link', { name: 'افتح صفحة الشبكة' }).click();
    await expect(page.getByRole('heading')).toHaveText('Buy Wi-Fi');
  });

  test('a gateway whose server is down is no answer', async () => {
    await answer((_, reply) => reply.writeHead(502, { 'Content-Type': 'text/html' }).end('<h1>Bad gateway</h1>'));
    expect((await read(`/ar/courses/${course}`)).html).toBe(online.get(`/ar/courses/${course}`));
    expect((await read('/ar/courses/no-such-course')).status).toBe(503);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('لا توجد شبكة');
  });

  test('a network that never answers keeps nobody waiting', async () => {
    await answer(() => undefined);
    expect((await read(`/ar/courses/${course}/what-ai-is`)).html).toBe(online.get(`/ar/courses/${course}/what-ai-is`));
  });

  test('nor one that stops in the middle of a page', async () => {
    await answer((_, reply) => void reply.writeHead(200, { 'Content-Type': 'text/html', Banyan: '1' }).write('<h1>Half a'));
    expect((await read(`/ar/courses/${course}/what-ai-is`)).html).toBe(online.get(`/ar/courses/${course}/what-ai-is`));
  });
});

test('a new release comes in beside the old, whose files stay while a window uses them', async () => {
  const files = (tab: Page) => tab.evaluate(async () => (await (await caches.open('banyan')).keys()).map(({ url }) => new URL(url).pathname + new URL(url).search));
  const reader = await context.newPage();
  await reader.goto(`/ar/courses/${course}`);
  await kept(reader, 'ar', true);
  const shell = (await (await reader.request.get('/shell/ar.json')).json()) as { build: string; more: { address: string; bytes: number }[] };
  await held(reader, shell.build);
  // One that no other language's shell names.
  const gone = shell.more.find(({ address }) => address.includes('/app.ar-'))?.address as string;
  // The next release: one file is another, and is large.
  const newer = (bytes: number, build: string) => ({ ...shell, build, more: [...shell.more.filter(({ address }) => address !== gone), { address: `/assets/${build}.js`, bytes }] });
  let offered = newer(90_000, 'next-1');
  await context.route('**/shell/ar.json', (route) => route.fulfill({ json: offered, headers: { Banyan: '1' } }));
  await context.route('**/assets/next-*.js', (route) =>
    route.fulfill({ body: 'next', contentType: 'text/javascript', headers: { 'Cache-Control': 'public, max-age=31536000, immutable' } }),
  );
  const tab = await context.newPage();
  await tab.goto('/ar/');
  await expect(tab.getByText('توجد نسخة جديدة من بانيان.')).toBeVisible();
  expect(await files(tab)).not.toContain('/assets/next-1.js');
  await tab.getByRole('button', { name: 'اجلبها (90 ك.ب)' }).click();
  await expect.poll(() => files(tab)).toContain(`/shell/ar.json?old=${shell.build}`);
  const old = await files(tab);
  expect(old).toContain('/assets/next-1.js');
  expect(old).toContain(gone);
  await tab.close();

  // While the old window is open nothing of the old release goes; once it is closed, the next page sweeps.
  const later = await context.newPage();
  await later.goto('/ar/');
  await kept(later, 'ar', true);
  await held(later, 'next-1');
  expect(await files(later)).toContain(gone);
  await reader.close();
  await page.goto('about:blank');
  await later.goto(`/ar/courses/${course}`);
  await expect.poll(() => files(later)).not.toContain(gone);
  expect(await files(later)).toContain('/assets/next-1.js');

  // A small one needs no consent.
  offered = newer(9_000, 'next-2');
  await later.evaluate(() => sessionStorage.clear());
  await later.goto('/ar/');
  await expect.poll(() => files(later)).toContain('/assets/next-2.js');
  await expect(later.locator('.shell-offer')).toHaveCount(0);
  await later.close();
  await context.unroute('**/shell/ar.json');
});
