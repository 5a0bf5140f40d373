// One institution recognises a course of another: its learner sees it, so does a stranger, and so does a phone without a network. Then it is ended.
import { expect, test, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { join } from 'node:path';
import { violations } from './axe.ts';
import { Learner } from './learner.ts';
import { demo } from './program.ts';
import { School } from './school.ts';
import { words } from './words.ts';

const en = words('en');
const shots = process.env['BANYAN_RECOGNITION_SHOTS'];
const password = 'a long password';
const river = 'River College';
const worth = 'Module 1 of the teaching diploma';

let school: School;
let credential = '';
let code = '';

test.describe.configure({ mode: 'serial' });
test.beforeAll(async ({ browser }) => {
  test.setTimeout(180_000);
  school = await School.open();
  const learner = await signedIn(browser, 'amina');
  await learner.api.complete(await learner.api.enrol());
  await expect.poll(async () => (credential = (await learner.api.call<{ items: { id: string }[] }>('GET', '/api/credentials')).items[0]?.id ?? '')).not.toBe('');
  code = await (await learner.context.request.get(`/api/credentials/${credential}/code.txt`)).text();
  await learner.context.close();
  // A second institution on the server, with an admin.
  const operator = await open(browser);
  const api = new Learner(operator.request, school.url);
  await api.signIn('operator', demo('operator', school.dataDir).password);
  const { id } = await api.call<{ id: string }>('POST', '/api/institutions', { slug: 'river', name: river });
  await api.call('POST', `/api/institutions/${id}/members`, { username: 'mirembe', display_name: 'Mirembe Okello', password, role: 'admin' });
  await operator.close();
});
test.afterAll(() => school.close());

const open = (browser: Browser, options: object = {}) => browser.newContext({ baseURL: school.url, viewport: { width: 360, height: 740 }, locale: 'en', ...options });

async function signedIn(browser: Browser, username: string): Promise<{ context: BrowserContext; api: Learner }> {
  const context = await open(browser);
  const api = new Learner(context.request, school.url);
  await api.signUp(username, 'Amina Diallo', password).catch(() => api.signIn(username, password));
  return { context, api };
}

async function shoot(page: Page, what: string): Promise<void> {
  expect(await violations(page), what).toEqual([]);
  if (shots) await page.screenshot({ path: join(shots, `${what}.png`), fullPage: true });
}

const main = (page: Page) => page.locator('main');

/** The console of the second institution, in which it recognises. */
async function desk(browser: Browser): Promise<{ context: BrowserContext; page: Page }> {
  const { context, api } = await signedIn(browser, 'mirembe');
  const me = await api.call<{ memberships: { institution_id: string }[] }>('GET', '/api/me');
  const page = await context.newPage();
  await page.goto(`/app/institutions/${me.memberships[0]?.institution_id ?? ''}/recognitions`);
  await expect(page.getByRole('heading', { name: en('ui.app.console.recognitions') })).toBeVisible();
  return { context, page };
}

/** A phone of a stranger, on the screen that checks. */
async function phone(browser: Browser): Promise<{ context: BrowserContext; page: Page }> {
  const context = await open(browser);
  await context.addCookies([{ name: 'banyan_locale', value: 'en', url: school.url }]);
  const page = await context.newPage();
  await page.goto('/app/verify');
  const [keep = ''] = en('ui.verify.keep').split(' (');
  await page.getByRole('button', { name: keep }).click();
  await expect(page.getByText(en('ui.verify.kept'))).toBeVisible();
  await expect.poll(() => page.evaluate(() => !!navigator.serviceWorker.controller)).toBe(true);
  await expect(page.getByText(en('ui.verify.known.none'))).toHaveCount(0);
  return { context, page };
}

async function check(page: Page): Promise<void> {
  await page.getByLabel(en('ui.verify.text')).fill(code);
  await page.getByRole('button', { name: en('ui.verify.check'), exact: true }).click();
  await expect(page.locator('.standing h2')).toHaveText(en('credential.state.valid'));
}

test('from the signature to the end', async ({ browser }) => {
  test.setTimeout(240_000);
  const { context, page } = await desk(browser);
  await expect(page.getByText(en('ui.app.recognitions.none'))).toBeVisible();
  await shoot(page, 'console-empty');

  // What cannot be signed is said beside its field.
  await page.getByLabel(en('ui.app.recognitions.did')).fill('river.example');
  await page.getByLabel(en('ui.app.recognitions.address')).fill('https://river.example/x');
  await page.getByLabel(en('ui.app.recognitions.name')).fill('X');
  await page.getByLabel(en('ui.app.recognitions.counts_as')).fill(worth);
  await page.getByRole('button', { name: en('ui.app.recognitions.check') }).click();
  await page.getByRole('button', { name: en('ui.app.recognitions.sign') }).click();
  await expect(page.locator('.fault', { hasText: en('recognition.bad_did') })).toBeVisible();

  await page.getByLabel(en('ui.app.recognitions.whose')).selectOption({ index: 1 });
  await page.getByLabel(en('ui.app.awards.course')).selectOption('ai-in-daily-life');
  await page.getByLabel(en('ui.app.recognitions.scope')).fill('Two credits');
  await page.getByLabel(en('ui.app.recognitions.conditions')).fill('Issued since 2025');
  await page.getByRole('button', { name: en('ui.app.recognitions.check') }).click();
  await expect(page.getByText(en('ui.app.recognitions.sure'))).toBeVisible();
  await expect(main(page)).toContainText('/en/courses/ai-in-daily-life');
  await shoot(page, 'console-check');
  await page.getByRole('button', { name: en('ui.app.recognitions.sign') }).click();
  await expect(page.locator('.rows')).toContainText(worth);
  await shoot(page, 'console-signed');
  const document = await page.request.get((await page.getByRole('link', { name: en('ui.app.recognitions.document') }).getAttribute('href')) ?? '');
  expect(((await document.json()) as { type: string[] }).type).toContain('EndorsementCredential');

  // Its learner sees what it is worth.
  const learner = await signedIn(browser, 'amina');
  const wallet = await learner.context.newPage();
  await wallet.goto('/app/certificates');
  await wallet.getByText(en('ui.app.recognised')).click();
  await expect(wallet.locator('.worth')).toContainText(`${river} · ${worth}`);
  await expect(wallet.locator('.worth')).toContainText('Two credits');
  await shoot(wallet, 'wallet');

  // A stranger sees it, without a script: beside the certificate, and in the register.
  const stranger = await open(browser, { javaScriptEnabled: false });
  const plain = await stranger.newPage();
  await plain.goto(`/en/verify/${credential}`);
  await expect(main(plain)).toContainText(en('page.verify.recognised'));
  await expect(main(plain)).toContainText(worth);
  await expect(main(plain)).toContainText('Issued since 2025');
  await plain.locator('.foot').getByRole('link', { name: en('page.recognitions') }).click();
  await plain.getByLabel(en('page.recognition.by')).selectOption(river);
  await plain.getByRole('button', { name: en('page.recognitions.show') }).click();
  await plain.locator('.recognitions a').first().click();
  await expect(plain.getByRole('heading', { level: 1 })).toHaveText(en('page.recognition.standing.valid'));
  await expect(main(plain)).toContainText(worth);
  const register = plain.url();

  // And so does a phone that has no network.
  const pocket = await phone(browser);
  const older = await (await pocket.context.request.get('/api/trust')).body();
  await pocket.context.setOffline(true);
  await check(pocket.page);
  await expect(pocket.page.locator('.recognised')).toContainText(`${river} · ${worth}`);
  await expect(pocket.page.locator('.recognised')).toContainText('Issued since 2025');
  await shoot(pocket.page, 'phone');

  // It is ended, for good.
  await page.getByRole('button', { name: en('ui.app.recognitions.end') }).click();
  await page.getByRole('button', { name: en('ui.app.recognitions.end_sure') }).click();
  await expect(page.getByRole('button', { name: en('ui.app.recognitions.end') })).toHaveCount(0);
  await expect(page.locator('.rows')).toContainText(worth);

  await wallet.reload();
  await expect(wallet.locator('.rows li').first()).toBeVisible();
  await expect(wallet.getByText(en('ui.app.recognised'))).toHaveCount(0);
  await plain.goto(`/en/verify/${credential}`);
  await expect(main(plain)).toContainText('Amina Diallo');
  await expect(main(plain)).not.toContainText(worth);
  await plain.goto(register);
  await expect(plain.getByRole('heading', { level: 1 })).toHaveText(en('page.recognition.standing.ended'));

  // The phone learns it from a file; an older file brings nothing back.
  const newer = await (await page.request.get('/api/trust')).body();
  for (const list of [newer, older]) {
    await pocket.page.getByRole('button', { name: en('ui.verify.again') }).click();
    await pocket.page.getByLabel(en('ui.verify.list')).setInputFiles({ name: 'list.trust', mimeType: 'application/octet-stream', buffer: list });
    await expect(pocket.page.getByText(en('ui.verify.list.taken'))).toBeVisible();
    await check(pocket.page);
    await expect(pocket.page.locator('.recognised')).toHaveCount(0);
  }
  for (const one of [context, learner.context, stranger, pocket.context]) await one.close();
});
