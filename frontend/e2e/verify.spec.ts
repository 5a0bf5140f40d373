// Airplane mode: a certificate is checked on a phone that has no network, by what the phone fetched before. The program is stopped for it.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, expect, test, type Browser, type BrowserContext, type Page } from '@playwright/test';
import encodeQR from 'qr';
import { violations } from './axe.ts';
import { Program } from './device.ts';
import { Learner } from './learner.ts';
import { browser as launch, demo } from './program.ts';
import { words } from './words.ts';

const program = new Program(Number(process.env['BANYAN_VERIFY_PORT'] ?? 18136));
const phone = { baseURL: program.url, viewport: { width: 360, height: 740 } };
const [en, ar] = [words('en'), words('ar')];
const shots = process.env['BANYAN_VERIFY_SHOTS'];
const name = 'Amina Diallo';
const password = 'a long password';

test.describe.configure({ mode: 'serial' });

/** A certificate as its holder can show it. */
interface Held {
  id: string;
  text: string;
  nameless: string;
  png: Buffer;
  svg: Buffer;
  document: string;
}
let good: Held;
let taken: Held;

async function certificate(browser: Browser, username: string): Promise<Held> {
  const context = await browser.newContext(phone);
  const learner = new Learner(context.request, program.url);
  await learner.signUp(username, name, password);
  await learner.complete(await learner.enrol());
  let id = '';
  await expect.poll(async () => (id = (await learner.call<{ items: { id: string }[] }>('GET', '/api/credentials')).items[0]?.id ?? '')).not.toBe('');
  const get = async (path: string) => (await context.request.get(`/api/credentials/${id}${path}`)).body();
  const held = {
    id,
    text: (await get('/code.txt')).toString(),
    nameless: (await get('/code.txt?name=0')).toString(),
    png: await get('/code.png'),
    svg: await get('/code.svg'),
    document: (await get('')).toString(),
  };
  await context.close();
  return held;
}

test.beforeAll(async ({ browser }) => {
  test.setTimeout(180_000);
  await program.start();
  [good, taken] = [await certificate(browser, 'amina'), await certificate(browser, 'yusuf')];
  const desk = await browser.newContext(phone);
  const issuer = new Learner(desk.request, program.url);
  await issuer.signIn('issuer', demo('issuer', program.dataDir).password);
  await issuer.call('PUT', `/api/credentials/${taken.id}/revocation`, { reason: 'Issued in error.' });
  await desk.close();
});
test.afterAll(() => program.stop());

/** A phone that was on the screen once, and kept it. */
async function prepared(browser: Browser, locale: string, options: object = {}): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ ...phone, locale, ...options });
  await context.addCookies([{ name: 'banyan_locale', value: locale, url: program.url }]);
  const page = await context.newPage();
  const t = words(locale);
  await page.goto('/app/verify');
  await expect(page.getByRole('heading', { level: 1, name: t('ui.app.verify.title') })).toBeVisible();
  const [keep = ''] = t('ui.verify.keep').split(' (');
  await page.getByRole('button', { name: keep }).click();
  await expect(page.getByText(t('ui.verify.kept'))).toBeVisible();
  await expect.poll(() => page.evaluate(() => !!navigator.serviceWorker.controller)).toBe(true);
  await expect(page.getByText(t('ui.verify.known.none'))).toHaveCount(0);
  return { context, page };
}

const paste = async (page: Page, text: string, t = en): Promise<void> => {
  await page.getByLabel(t('ui.verify.text')).fill(text);
  await page.getByRole('button', { name: t('ui.verify.check'), exact: true }).click();
};
const state = (page: Page) => page.locator('.standing h2');
const again = (page: Page, t = en) => page.getByRole('button', { name: t('ui.verify.again') }).click();

async function shoot(page: Page, what: string): Promise<void> {
  expect(await violations(page), what).toEqual([]);
  if (shots) await page.screenshot({ path: join(shots, `${what}.png`), fullPage: true });
}

test('in airplane mode: a picture, a text, a document', async ({ browser }) => {
  const { context, page } = await prepared(browser, 'en');
  await context.setOffline(true);
  await page.reload();
  await expect(page.getByRole('heading', { level: 1, name: en('ui.app.verify.title') })).toBeVisible();
  await shoot(page, 'verify-empty-en');

  await page.getByLabel(en('ui.verify.file')).setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer: good.png });
  await expect(state(page)).toHaveText(en('credential.state.valid'));
  await expect(page.getByText(name)).toBeVisible();
  await expect(page.getByText(en('ui.verify.rests.status_now'))).toBeVisible();
  await expect(page.getByText(en('ui.verify.own_word'))).toBeVisible();
  await shoot(page, 'verify-valid-en');

  await again(page);
  await page.getByLabel(en('ui.verify.file')).setInputFiles({ name: 'code.svg', mimeType: 'image/svg+xml', buffer: good.svg });
  await expect(state(page)).toHaveText(en('credential.state.valid'));

  await again(page);
  await paste(page, good.nameless);
  await expect(state(page)).toHaveText(en('credential.state.valid'));
  await expect(page.getByText(en('ui.verify.nameless'))).toBeVisible();
  await expect(page.getByText(name)).toHaveCount(0);

  await again(page);
  await page.getByLabel(en('ui.verify.file')).setInputFiles({ name: 'certificate.json', mimeType: 'application/json', buffer: Buffer.from(good.document) });
  await expect(state(page)).toHaveText(en('credential.state.valid'));
  await expect(page.getByText(name)).toBeVisible();

  await again(page);
  await paste(page, good.document.replace(name, 'Somebody Else'));
  await expect(state(page)).toHaveText(en('credential.state.invalid'));
  await expect(page.getByText('Somebody Else')).toHaveCount(0);
  await shoot(page, 'verify-invalid-en');

  await again(page);
  await paste(page, `${good.text.slice(0, -4)}0000`);
  await expect(state(page)).toHaveText(en('credential.state.invalid'));

  await again(page);
  await page.getByLabel(en('ui.verify.file')).setInputFiles({ name: 'nothing.png', mimeType: 'image/png', buffer: Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64') });
  await expect(page.getByText(en('ui.verify.no_code'))).toBeVisible();
  await context.close();
});

for (const [locale, t] of [['en', en], ['ar', ar]] as const) {
  test(`what was never fetched is said to be so, and the rest goes on, in ${locale}`, async ({ browser }) => {
    const context = await browser.newContext({ ...phone, locale, serviceWorkers: 'block', permissions: ['camera'] });
    await context.addCookies([{ name: 'banyan_locale', value: locale, url: program.url }]);
    const page = await context.newPage();
    // Whether this browser has a reader of its own is no matter here.
    await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'BarcodeDetector'));
    await page.goto('/app/verify');
    await expect(page.getByText(t('ui.verify.known.none'))).toHaveCount(0);
    await expect(page.locator('.verify-ready')).toBeVisible();
    await context.setOffline(true);
    const file = page.getByLabel(t('ui.verify.file'), { exact: true });
    await file.setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer: good.png });
    await expect(page.getByText(t('ui.app.not_fetched'))).toBeVisible();
    await expect(page.getByText(t('ui.broken'))).toHaveCount(0);
    await shoot(page, `verify-not-fetched-${locale}`);
    await file.setInputFiles({ name: 'certificate.json', mimeType: 'application/json', buffer: Buffer.from(good.document) });
    await expect(state(page)).toHaveText(t('credential.state.valid'));
    await again(page, t);
    await paste(page, good.text, t);
    await expect(state(page)).toHaveText(t('credential.state.valid'));
    await again(page, t);
    // Once with a network, as it says.
    await context.setOffline(false);
    await page.reload();
    await file.setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer: good.png });
    await expect(state(page)).toHaveText(t('credential.state.valid'));
    await context.close();
  });
}

test('revoked, and the other way round in Arabic', async ({ browser }) => {
  const { context, page } = await prepared(browser, 'ar');
  await context.setOffline(true);
  await page.getByLabel(ar('ui.verify.file'), { exact: true }).setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer: taken.png });
  await expect(state(page)).toHaveText(ar('credential.state.revoked'));
  await expect(page.locator('html')).toHaveAttribute('dir', 'rtl');
  await shoot(page, 'verify-revoked-ar');
  await again(page, ar);
  await paste(page, good.text, ar);
  await expect(state(page)).toHaveText(ar('credential.state.valid'));
  await shoot(page, 'verify-valid-ar');
  await context.close();
});

test('who knows nobody says so, until a file is taken in by who trusts its publisher', async ({ browser }) => {
  const context = await browser.newContext({ ...phone, serviceWorkers: 'block' });
  await context.route('**/api/trust', (route) => route.abort());
  const page = await context.newPage();
  await page.goto('/app/verify');
  await expect(page.getByText(en('ui.verify.known.none'))).toBeVisible();
  await paste(page, good.text);
  await expect(state(page)).toHaveText(en('credential.state.unknown'));
  await expect(page.getByText(en('ui.verify.stranger'))).toBeVisible();
  await shoot(page, 'verify-unknown-en');
  const pack = await (await context.request.get('/api/trust')).body();
  await page.getByLabel(en('ui.verify.list')).setInputFiles({ name: 'trust.banyan', mimeType: 'application/octet-stream', buffer: pack });
  await expect(page.getByText(en('ui.verify.list.strangers'))).toBeVisible();
  await page.getByLabel(en('ui.verify.list')).setInputFiles({ name: 'trust.banyan', mimeType: 'application/octet-stream', buffer: pack.subarray(0, 300) });
  await expect(page.getByText(en('ui.verify.list.broken'))).toBeVisible();
  await context.close();
});

/** One picture of a code as a camera gives it: on a desk, a little off the middle. */
function film(text: string): string {
  const [width, height] = [1280, 720];
  const squares = encodeQR(text, 'raw', { ecc: 'quartile', border: 4 });
  const scale = Math.floor(640 / squares.length);
  const light = Buffer.alloc(width * height, 90);
  squares.forEach((row, y) => row.forEach((dark, x) => {
    for (let i = 0; i < scale; i++) light.fill(dark ? 30 : 220, (30 + y * scale + i) * width + 260 + x * scale, (30 + y * scale + i) * width + 260 + (x + 1) * scale);
  }));
  const path = join(mkdtempSync(join(tmpdir(), 'banyan-film-')), 'film.y4m');
  const frame = Buffer.concat([Buffer.from('FRAME\n'), light, Buffer.alloc((width * height) / 2, 128)]);
  writeFileSync(path, Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420jpeg\n`), frame, frame]));
  return path;
}

test('a camera reads a code off the table, and is let go', async () => {
  const { executablePath, args = [] } = launch?.launchOptions ?? {};
  const cameras = await chromium.launch({
    executablePath,
    args: [...args, '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${film(taken.text)}`],
  });
  try {
    const { context, page } = await prepared(cameras, 'ar');
    await page.evaluate(() => {
      const media = navigator.mediaDevices;
      const ask = media.getUserMedia.bind(media);
      const tracks: MediaStreamTrack[] = ((globalThis as { tracks?: MediaStreamTrack[] }).tracks = []);
      media.getUserMedia = async (how) => {
        const stream = await ask(how);
        tracks.push(...stream.getTracks());
        return stream;
      };
    });
    const tracks = () => page.evaluate(() => ((globalThis as { tracks?: MediaStreamTrack[] }).tracks ?? []).map(({ readyState }) => readyState));
    await context.setOffline(true);
    await page.getByRole('button', { name: ar('ui.verify.camera'), exact: true }).click();
    // A camera that is a file takes its time on a busy machine.
    await expect.poll(() => page.locator('video.sight').evaluateAll((all) => all.every((one) => (one as HTMLVideoElement).videoWidth > 0)), { timeout: 60_000 }).toBe(true);
    await expect(state(page)).toHaveText(ar('credential.state.revoked'), { timeout: 60_000 });
    expect(await tracks()).toEqual(['ended']);
    await context.close();
  } finally {
    await cameras.close();
  }
});

test('a camera that is not allowed is no end', async ({ browser }) => {
  const context = await browser.newContext({ ...phone, serviceWorkers: 'block' });
  const page = await context.newPage();
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
  });
  await page.goto('/app/verify');
  await page.getByRole('button', { name: en('ui.verify.camera'), exact: true }).click();
  await expect(page.getByText(en('ui.verify.camera.refused'))).toBeVisible();
  await shoot(page, 'verify-camera-refused-en');
  await page.getByRole('button', { name: en('ui.verify.camera.stop') }).click();
  await paste(page, good.text);
  await expect(state(page)).toHaveText(en('credential.state.valid'));
  await context.close();
});

test('a learner shows the code of a certificate, and it holds', async ({ browser }) => {
  const context = await browser.newContext(phone);
  await new Learner(context.request, program.url).signIn('amina', password);
  const page = await context.newPage();
  await page.goto('/app/certificates');
  await page.getByRole('button', { name: new RegExp(en('ui.app.code.show')) }).click();
  const canvas = page.locator('canvas.qr-code');
  await expect(canvas).toBeVisible();
  await shoot(page, 'certificates-code-en');
  const draw = async () => Buffer.from((await canvas.evaluate((drawn: HTMLCanvasElement) => drawn.toDataURL('image/png'))).split(',')[1] as string, 'base64');
  const named = await draw();
  await page.getByLabel(new RegExp(en('ui.app.code.named'))).uncheck();
  await expect.poll(async () => (await draw()).equals(named)).toBe(false);
  await expect(canvas).toBeVisible();
  const nameless = await draw();
  await page.goto('/app/verify');
  for (const [picture, count] of [[named, 1], [nameless, 0]] as const) {
    await page.getByLabel(en('ui.verify.file')).setInputFiles({ name: 'screen.png', mimeType: 'image/png', buffer: picture });
    await expect(state(page)).toHaveText(en('credential.state.valid'));
    await expect(page.locator('.attested').getByText(name)).toHaveCount(count);
    await again(page);
  }
  await context.close();
});
