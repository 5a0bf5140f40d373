// The circle of an institution: its members' phones check by what those say whom it trusts, without a network. Three servers, of which one trusts one.
import { join } from 'node:path';
import { expect, test, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { violations } from './axe.ts';
import { Learner, uuidv7 } from './learner.ts';
import { demo } from './program.ts';
import { School } from './school.ts';
import { counted, filled, words } from './words.ts';

const shots = process.env['BANYAN_CIRCLE_SHOTS'];
const password = 'a long password';
const holder = 'Yusuf Karimi';
const home = 'Acacia School';
const worth = 'Module 1 of the teaching diploma';

/** A server, its institution, and a certificate that it issued. */
interface Issuer {
  school: School;
  name: string;
  did: string;
  code: string;
  picture: Buffer;
  document: string;
  documents: string[];
  pack: Buffer;
}
let near: Issuer;
let far: Issuer;
let own: Issuer;

test.describe.configure({ mode: 'serial' });
test.beforeAll(async ({ browser }) => {
  test.setTimeout(240_000);
  own = await issuer(browser, home);
  near = await issuer(browser, 'River College');
  far = await issuer(browser, 'Desert Academy');
  // Its admin trusts the one, and is brought what both say.
  const { context, api, institution } = await admin(browser, own.school);
  const at = `/api/institutions/${institution}`;
  await api.call('POST', `${at}/publishers`, { documents: near.documents });
  const bring = async (data: Buffer): Promise<unknown> => {
    const headers = { 'Content-Type': 'application/octet-stream', Origin: own.school.url };
    return (await context.request.post(`${at}/trust`, { data, headers })).json();
  };
  expect(await bring(near.pack)).toEqual({ taken: [near.did], left_out: [] });
  expect(await bring(far.pack)).toEqual({ taken: [], left_out: [far.did] });
  // And it recognises a course of the one.
  const achievement = (JSON.parse(near.document) as { credentialSubject: { achievement: { id: string; name: string } } }).credentialSubject.achievement;
  await api.call('POST', `${at}/recognitions`, { id: uuidv7(), of_did: near.did, of_achievement: achievement.id, of_name: achievement.name, as: { en: worth, ar: 'الوحدة الأولى' } });
  await context.close();
});
test.afterAll(async () => {
  for (const one of [near, far, own]) await one?.school.close();
});

const phone = { viewport: { width: 360, height: 740 } };

async function admin(browser: Browser, school: School): Promise<{ context: BrowserContext; api: Learner; institution: string }> {
  const context = await browser.newContext({ ...phone, baseURL: school.url });
  const api = new Learner(context.request, school.url);
  await api.signIn('issuer', demo('issuer', school.dataDir).password);
  const me = await api.call<{ memberships: { institution_id: string }[] }>('GET', '/api/me');
  return { context, api, institution: me.memberships[0]?.institution_id ?? '' };
}

async function issuer(browser: Browser, name: string): Promise<Issuer> {
  const school = await School.open();
  const desk = await admin(browser, school);
  await desk.api.call('PATCH', `/api/institutions/${desk.institution}`, { name });
  const context = await browser.newContext({ ...phone, baseURL: school.url });
  const learner = new Learner(context.request, school.url);
  await learner.signUp('yusuf', holder, password);
  await learner.complete(await learner.enrol());
  let id = '';
  await expect.poll(async () => (id = (await learner.call<{ items: { id: string }[] }>('GET', '/api/credentials')).items[0]?.id ?? '')).not.toBe('');
  const get = async (path: string) => (await context.request.get(path)).body();
  const document = (await get(`/api/credentials/${id}`)).toString();
  const { items } = await desk.api.call<{ items: { id: string; documents: string[] }[] }>('GET', '/api/publishers');
  const did = (JSON.parse(document) as { issuer: { id: string } }).issuer.id;
  const out = {
    school,
    name,
    did,
    code: (await get(`/api/credentials/${id}/code.txt`)).toString(),
    picture: await get(`/api/credentials/${id}/code.png`),
    document,
    documents: items.find((one) => one.id === did)?.documents ?? [],
    pack: await get('/api/trust'),
  };
  await desk.context.close();
  await context.close();
  return out;
}

/** The screen that checks, kept on the phone, which knows so many institutions. */
async function prepared(page: Page, locale: string, known: number): Promise<void> {
  const t = words(locale);
  await page.goto('/app/verify');
  await page.locator('.verify-ready button').click();
  await expect(page.getByText(t('ui.verify.kept'))).toBeVisible();
  await expect.poll(() => page.evaluate(() => !!navigator.serviceWorker.controller)).toBe(true);
  await expect(page.locator('.verify-ready p').first()).toHaveText(counted(locale, 'ui.verify.known', known));
}

async function visitor(browser: Browser, locale: string): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ ...phone, baseURL: own.school.url, locale });
  await context.addCookies([{ name: 'banyan_locale', value: locale, url: own.school.url }]);
  return { context, page: await context.newPage() };
}

for (const locale of ['en', 'ar']) {
  const t = words(locale);
  const state = (page: Page) => page.locator('.standing h2');
  const give: Record<string, (page: Page, one: Issuer) => Promise<void>> = {
    'a photo of the code': (page, one) => page.getByLabel(t('ui.verify.file')).setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer: one.picture }),
    'the text of the code': (page, one) => paste(page, one.code),
    'the certificate': (page, one) => paste(page, one.document),
  };
  const paste = async (page: Page, text: string) => {
    await page.getByLabel(t('ui.verify.text')).fill(text);
    await page.getByRole('button', { name: t('ui.verify.check'), exact: true }).click();
  };
  const again = (page: Page) => page.getByRole('button', { name: t('ui.verify.again') }).click();
  const unknown = async (page: Page) => {
    await expect(state(page)).toHaveText(t('credential.state.unknown'));
    await expect(page.locator('.standing')).toContainText(t('credential.state.unknown_text'));
    await expect(page.locator('.standing')).toContainText(t('credential.why.issuer_unknown'));
    await expect(page.locator('.attested')).toContainText(t('ui.verify.stranger'));
    await expect(page.locator('.recognised')).toHaveCount(0);
  };
  const shoot = async (page: Page, what: string) => {
    expect(await violations(page), what).toEqual([]);
    if (shots) await page.screenshot({ path: join(shots, `${what}-${locale}.png`), fullPage: true });
  };

  test(`a member's phone tells inside from outside without a network, in ${locale}`, async ({ browser }) => {
    test.setTimeout(180_000);
    const { context, page } = await visitor(browser, locale);
    await page.goto('/app/sign-in');
    await page.getByLabel(t('ui.app.username')).fill('learner');
    await page.getByLabel(t('ui.app.password')).fill(demo('learner', own.school.dataDir).password);
    await page.getByRole('button', { name: t('ui.sign_in'), exact: true }).click();
    await expect(page).toHaveURL(/\/app\/device/);
    await page.getByLabel(t('ui.device.shared')).check();
    for (const label of ['ui.device.new_pin', 'ui.device.again']) await page.getByLabel(t(label)).fill('2468');
    await page.getByRole('button', { name: t('ui.device.go_on') }).click();
    await expect(page).toHaveURL(/\/app\/?$/);
    await prepared(page, locale, 2);
    await context.setOffline(true);
    await page.reload();
    await expect(page.locator('.verify-ready p').first()).toHaveText(counted(locale, 'ui.verify.known', 2));

    for (const [what, check] of Object.entries(give)) {
      await test.step(`${what}, inside`, async () => {
        await check(page, near);
        await expect(state(page)).toHaveText(t('credential.state.valid'));
        await expect(page.locator('.attested')).toContainText(holder);
        await expect(page.locator('.attested')).toContainText(near.name);
        await expect(page.locator('.attested')).toContainText(filled(t('ui.verify.own_word_circle'), { Institution: home }));
        await expect(page.locator('.recognised')).toContainText(home);
        await expect(page.locator('.recognised')).toContainText(locale === 'ar' ? 'الوحدة الأولى' : worth);
        if (what === 'the certificate') await shoot(page, 'inside');
        await again(page);
      });
      await test.step(`${what}, outside`, async () => {
        await check(page, far);
        await unknown(page);
        await shoot(page, `outside ${what}`);
        await again(page);
      });
    }
    await context.close();
  });

  test(`for who is no member the circle is nobody's, in ${locale}`, async ({ browser }) => {
    const { context, page } = await visitor(browser, locale);
    await prepared(page, locale, 1);
    await context.setOffline(true);
    await page.reload();
    await paste(page, near.code);
    await unknown(page);
    await again(page);
    // What the server itself says counts for everybody.
    await paste(page, own.code);
    await expect(state(page)).toHaveText(t('credential.state.valid'));
    await expect(page.locator('.attested')).toContainText(t('ui.verify.own_word'));
    await context.close();
  });
}
