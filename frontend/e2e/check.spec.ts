// Whoever is shown a certificate checks it in a form: without an account, without a script, in their language.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { violations } from './axe.ts';
import { Learner, uuidv7 } from './learner.ts';
import { words } from './words.ts';

const name = 'Amina Diallo';
const credential = { id: '', text: '' };

/** A certificate of another server, which this one does not know. */
const foreign = (
  JSON.parse(readFileSync(join(import.meta.dirname, '../../internal/credential/code/testdata/airplane.json'), 'utf8')) as {
    name: string;
    text: string;
  }[]
).find((one) => one.name === 'a document')?.text;

test.beforeAll(async ({ playwright }, info) => {
  const request = await playwright.request.newContext({ baseURL: info.project.use.baseURL ?? '' });
  const learner = new Learner(request);
  await learner.signUp(`v${uuidv7().slice(-12)}`, name, 'a long password');
  await learner.complete(await learner.enrol());
  await expect
    .poll(async () => {
      const { items } = await learner.call<{ items: { id: string }[] }>('GET', '/api/credentials');
      credential.id = items[0]?.id ?? '';
      return credential.id;
    })
    .not.toBe('');
  credential.text = await (await request.get(`/api/credentials/${credential.id}`)).text();
  await request.dispose();
});

type Chosen = { name: string; mimeType: string; buffer: Buffer };

const file = (text: string): Chosen => ({ name: 'certificate.json', mimeType: 'application/json', buffer: Buffer.from(text) });

async function check(page: Page, locale: string, what: { file?: Chosen; text?: string; offline?: boolean }): Promise<void> {
  const t = words(locale);
  await page.goto(`/${locale}/`);
  await page.locator('.foot').getByRole('link', { name: t('page.check'), exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(t('page.check'));
  if (what.file) await page.getByLabel(t('page.check.file')).setInputFiles(what.file);
  if (what.text) await page.getByLabel(t('page.check.text')).fill(what.text);
  if (what.offline) await page.getByLabel(t('page.check.offline')).check();
  await page.getByRole('button', { name: t('page.check.submit'), exact: true }).click();
}

const verdict = (page: Page) => page.locator('.standing h1');

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });
  for (const locale of ['en', 'ar']) {
    const t = words(locale);
    test(`a certificate of ours, one that was changed and one of elsewhere, in ${locale}`, async ({ page }) => {
      await check(page, locale, { file: file(credential.text) });
      await expect(verdict(page)).toHaveText(t('credential.state.valid'));
      await expect(page.locator('.certificate-name')).toHaveText(name);
      await expect(page.locator('.report')).toContainText(t('credential.origin.here'));
      await expect(page.locator('html')).toHaveAttribute('dir', locale === 'ar' ? 'rtl' : 'ltr');

      await check(page, locale, { text: credential.text.replace(name, 'Somebody else') });
      await expect(verdict(page)).toHaveText(t('credential.state.invalid'));
      await expect(page.locator('.standing')).toContainText(t('credential.why.changed'));
      await expect(page.locator('main')).not.toContainText('Somebody else');

      await check(page, locale, { file: file(foreign ?? ''), offline: true });
      await expect(verdict(page)).toHaveText(t('credential.state.unknown'));
      await expect(page.locator('.standing')).toContainText(t('credential.why.issuer_unknown'));
      await expect(page.locator('.report')).toContainText(t('credential.why.offline'));

      await page.getByRole('link', { name: t('page.check.again') }).click();
      await page.getByRole('button', { name: t('page.check.submit'), exact: true }).click();
      await expect(page.locator('main')).toContainText(t('credential.nothing_to_check'));
    });
  }

  test('a picture that carries it, and its own page', async ({ page, request }) => {
    for (const kind of ['png', 'svg']) {
      const picture = await request.get(`/api/credentials/${credential.id}/badge.${kind}`);
      expect(picture.headers()['content-type']).toContain(`image/${kind}`);
      await check(page, 'en', { file: { name: `badge.${kind}`, mimeType: 'application/octet-stream', buffer: await picture.body() } });
      await expect(verdict(page)).toHaveText(words('en')('credential.state.valid'));
    }
    await page.goto(`/en/verify/${credential.id}`);
    await expect(verdict(page)).toHaveText(words('en')('credential.state.valid'));
    await expect(page.locator('.report')).toContainText(words('en')('page.verify.rests'));
  });
});

for (const locale of ['en', 'ar']) {
  test(`everybody can use the form and its answer, in ${locale}`, async ({ page }) => {
    await page.goto(`/${locale}/verify`);
    expect(await violations(page)).toEqual([]);
    await check(page, locale, { text: foreign ?? '', offline: true });
    await expect(verdict(page)).toHaveText(words(locale)('credential.state.unknown'));
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)).toBe(true);
  });
}
