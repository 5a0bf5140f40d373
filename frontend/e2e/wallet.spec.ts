// The wallet: what a learner earned here and elsewhere, taken in, taken out, shown by a link and without a network, on a phone of two.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type Browser, type BrowserContext, type Download, type Locator, type Page } from '@playwright/test';
import { violations } from './axe.ts';
import { courseID } from './course.ts';
import { everything, kept, Program } from './device.ts';
import { Learner, uuidv7 } from './learner.ts';
import { demo } from './program.ts';
import { words } from './words.ts';

const program = new Program(Number(process.env['BANYAN_WALLET_PORT'] ?? 18139));
const phone = { baseURL: program.url, viewport: { width: 360, height: 740 } };
const password = 'a long password';
const shots = process.env['BANYAN_WALLET_SHOTS'];

/** A certificate of a server that nobody here knows, and the picture that carries it. */
const foreign = (
  JSON.parse(readFileSync(join(import.meta.dirname, '../../internal/credential/code/testdata/airplane.json'), 'utf8')) as { name: string; text: string }[]
).find((one) => one.name === 'a document')?.text ?? '';
const theirs = (JSON.parse(foreign) as { credentialSubject: { achievement: { name: string } } }).credentialSubject.achievement.name;

function baked(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-baked-'));
  writeFileSync(join(folder, 'it.json'), foreign);
  execFileSync(join(import.meta.dirname, '../../bin/banyan-api'), ['credential', 'bake', join(folder, 'it.json'), '--png', join(folder, 'it.png')]);
  return readFileSync(join(folder, 'it.png'));
}

test.describe.configure({ mode: 'serial' });
test.beforeAll(async ({ browser }) => {
  test.setTimeout(180_000);
  await program.start();
  // The first certificate of an institution makes its key. A device that asked for the keys before does not know it for some minutes.
  const context = await browser.newContext(phone);
  const first = new Learner(context.request, program.url);
  await first.signUp('first', 'First', password);
  await earn(first);
  await context.close();
});
test.afterAll(() => program.stop());

interface Person {
  username: string;
  name: string;
}
const somebody = (name: string): Person => ({ username: `w${uuidv7().slice(-12)}`, name });

async function phoneOf(browser: Browser, locale: string): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ ...phone, locale });
  await context.addCookies([{ name: 'banyan_locale', value: locale, url: program.url }]);
  const page = await context.newPage();
  // A test has no printer; that it was asked is enough.
  await page.addInitScript(() => {
    window.print = () => void (document.documentElement.dataset['printed'] = 'yes');
  });
  return { context, page };
}

/** Somebody makes an account here, and the device learns to know them. */
async function arrive(page: Page, { username, name }: Person, locale: string): Promise<Learner> {
  const t = words(locale);
  await page.goto('/app/sign-up');
  await page.getByLabel(t('ui.app.display_name')).fill(name);
  await page.getByLabel(t('ui.app.username')).fill(username);
  await page.getByLabel(t('ui.app.password')).fill(password);
  await page.getByRole('button', { name: t('ui.sign_up') }).click();
  await expect(page).toHaveURL(/\/app\/device/);
  await page.getByLabel(t('ui.device.shared')).check();
  for (const label of ['ui.device.new_pin', 'ui.device.again']) await page.getByLabel(t(label)).fill('2468');
  await page.getByRole('button', { name: t('ui.device.go_on') }).click();
  await expect(page).toHaveURL(/\/app\/?$/);
  return new Learner(page.request, program.url);
}

async function earn(learner: Learner): Promise<string> {
  await learner.complete(await learner.enrol());
  let id = '';
  await expect.poll(async () => (id = (await learner.call<{ items: { id: string }[] }>('GET', '/api/credentials')).items[0]?.id ?? '')).not.toBe('');
  return id;
}

const bytes = async (download: Promise<Download>): Promise<Buffer> => {
  const parts: Buffer[] = [];
  for await (const part of await (await download).createReadStream()) parts.push(part as Buffer);
  return Buffer.concat(parts);
};

// While one's own are on their way, those of elsewhere may be there already.
const own = (page: Page): Locator => page.locator('main .rows:not([aria-labelledby=elsewhere] *)').first().locator(':scope > li');
const elsewhere = (page: Page): Locator => page.locator('section[aria-labelledby=elsewhere]');

/**
 * Text without what only lays it out: breaks, marks of direction, the forms that letters take beside others; and without those Arabic letters
 * and marks that pdftotext gives in another order where a typeface joins them into one.
 */
const squeeze = (text: string): string => text.normalize('NFKC').replace(/[\s\u200b-\u200f\u202a-\u202e\u2066-\u2069\u064b-\u0652اأإآلىي-]/g, '');

/** What stands on the paper, which is one sheet of A4: its text, and a picture of it as a scanner would take it. */
async function sheet(page: Page, what: string): Promise<{ text: string; picture: string }> {
  const file = join(mkdtempSync(join(tmpdir(), 'banyan-print-')), `${what}.pdf`);
  await page.pdf({ path: file, format: 'A4', preferCSSPageSize: true, printBackground: true });
  const about = execFileSync('pdfinfo', [file], { encoding: 'utf8' });
  expect(about).toMatch(/Pages:\s+1\n/);
  expect(about).toMatch(/Page size:\s+59[45][.\d]* x 84[12][.\d]* pts/);
  const picture = file.replace('.pdf', '');
  execFileSync('pdftoppm', ['-r', '150', '-png', '-singlefile', file, picture]);
  await test.info().attach(what, { path: `${picture}.png` });
  if (shots) copyFileSync(`${picture}.png`, join(shots, `${what}.png`));
  return { text: squeeze(execFileSync('pdftotext', [file, '-'], { encoding: 'utf8' })), picture: `${picture}.png` };
}

async function look(page: Page, what: string): Promise<void> {
  expect(await violations(page), what).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), `${what}: scrolls sideways`).toBe(true);
}

for (const locale of ['en', 'ar']) {
  const t = words(locale);
  const name = locale === 'ar' ? 'آمنة بنت عبد الرحمن المكي' : 'Maria-Magdalena Wolfeschlegelsteinhausenbergerdorff';

  test(`what is earned is kept, taken out and shown, in ${locale}`, async ({ browser }) => {
    test.setTimeout(180_000);
    const { context, page } = await phoneOf(browser, locale);
    const learner = await arrive(page, somebody('amina'), locale);
    const { id } = await test.step('she confirms her name, and the certificate bears it', async () => {
      await page.goto('/app/certificates');
      await expect(page.getByText(t('ui.app.certificates.none'))).toBeVisible();
      await page.getByLabel(t('ui.app.wallet.name_field')).fill(name);
      await page.getByRole('button', { name: t('ui.app.wallet.name_confirm') }).click();
      await expect(page.getByText(t('ui.app.wallet.name_saved'))).toBeVisible();
      await look(page, 'the name');
      const id = await earn(learner);
      await page.reload();
      await expect(own(page)).toHaveCount(1);
      await expect(own(page)).toContainText(name);
      await expect(own(page)).toContainText(t('ui.app.standing.valid'));
      await page.locator('summary', { hasText: t('ui.app.wallet.name') }).click();
      await expect(page.locator('.name-preview')).toContainText(name);
      return { id };
    });

    await test.step('files come out, and each is what it says', async () => {
      const starts: Record<string, string> = { PDF: '%PDF-', PNG: '\x89PNG', SVG: '<svg', JWT: 'eyJ', JSON: '{' };
      for (const [format, start] of Object.entries(starts)) {
        const download = page.waitForEvent('download');
        await own(page).getByRole('link', { name: new RegExp(`^${format} `) }).click();
        expect((await bytes(download)).toString('latin1').trimStart().startsWith(start), format).toBe(true);
      }
    });

    await test.step('what is wrong is refused with the reason, what is known is kept once', async () => {
      const section = elsewhere(page);
      const [file, text] = [section.getByLabel(t('ui.app.wallet.import_file')), section.getByLabel(t('ui.app.wallet.import_text'))];
      const take = section.getByRole('button', { name: t('ui.app.wallet.import_do') });
      await section.locator('summary', { hasText: t('ui.app.wallet.import') }).click();
      await text.fill('hello');
      await take.click();
      await expect(section.getByRole('alert')).toContainText(t('wallet.invalid'));
      await expect(section.getByRole('alert')).toContainText(t('credential.why.not_readable'));
      const mine = await (await page.request.get(`/api/credentials/${id}`)).text();
      await text.fill(mine.replace(name, 'Somebody Else'));
      await take.click();
      await expect(section.getByRole('alert')).toContainText(t('credential.why.changed'));
      await look(page, 'refused');

      const badge = await (await page.request.get(`/api/credentials/${id}/badge.png`)).body();
      await file.setInputFiles({ name: 'badge.png', mimeType: 'image/png', buffer: badge });
      await expect(section.getByText(t('wallet.own'))).toBeVisible();
      await expect(section.getByRole('alert')).toHaveCount(0);
      await expect(section.locator('.rows > li')).toHaveCount(0);

      // What is put into a sentence is kept apart from its direction by marks that nobody sees.
      const said = (key: string) => section.getByText(new RegExp(t(key).split('{{.Name}}').join(`.?${theirs}.?`)));
      await file.setInputFiles({ name: 'certificate.json', mimeType: 'application/json', buffer: Buffer.from(foreign) });
      await expect(said('ui.app.wallet.imported')).toBeVisible();
      await text.fill(foreign);
      await take.click();
      await expect(said('ui.app.wallet.known')).toBeVisible();
      await expect(section.locator('.rows > li')).toHaveCount(1);
      await look(page, 'taken in');
      await section.getByRole('button', { name: t('ui.app.wallet.remove') }).click();
      await section.getByRole('button', { name: t('ui.app.wallet.remove_sure') }).click();
      await expect(section.locator('.rows > li')).toHaveCount(0);
      await expect(section.locator('h2')).toBeFocused();
      await file.setInputFiles({ name: 'certificate.png', mimeType: 'image/png', buffer: baked() });
      await expect(said('ui.app.wallet.imported')).toBeVisible();
      await expect(section.locator('.rows > li')).toContainText(theirs);
      await expect(section.locator('.rows > li')).toContainText(t('credential.state.unknown'));
    });

    await test.step('a link shows it to a stranger, until she ends it, with the keyboard alone', async () => {
      await own(page).locator('summary', { hasText: t('ui.app.wallet.share') }).focus();
      await page.keyboard.press('Enter');
      await own(page).getByRole('button', { name: t('ui.app.wallet.share_make') }).focus();
      await page.keyboard.press('Enter');
      const link = own(page).getByLabel(t('ui.app.wallet.share_link'), { exact: true });
      await expect(link).toBeFocused();
      const address = await link.inputValue();
      await look(page, 'shared');
      const stranger = await browser.newContext({ ...phone, locale, javaScriptEnabled: false });
      const there = await stranger.newPage();
      expect((await there.goto(address))?.status()).toBe(200);
      await expect(there.locator('main')).toContainText(name);
      await expect(there.locator('main')).toContainText(t('credential.state.valid'));
      expect(await there.content()).not.toContain(id);
      const end = own(page).getByRole('button', { name: t('ui.app.wallet.share_end'), exact: true });
      await end.focus();
      await page.keyboard.press('Enter');
      await page.keyboard.press('Enter');
      await expect(link).toHaveCount(0);
      await expect(own(page).locator('summary', { hasText: t('ui.app.wallet.share') })).toBeFocused();
      expect((await there.reload())?.status()).toBe(410);
      await expect(there.locator('main')).toContainText(t('share.ended'));
      expect(await there.content()).not.toContain(name);

      await own(page).getByLabel(t('ui.app.wallet.share_with_name')).uncheck();
      await own(page).getByRole('button', { name: t('ui.app.wallet.share_make') }).click();
      await expect(own(page).getByText(t('ui.app.wallet.share_nameless'))).toBeVisible();
      await there.goto(await link.inputValue());
      await expect(there.locator('main')).toContainText(t('page.shared.unnamed'));
      expect(await there.content()).not.toContain(name);
      await stranger.close();
    });

    await test.step('it is printed', async () => {
      const achievement = await own(page).locator('strong').first().innerText();
      await own(page).getByRole('link', { name: t('ui.app.certificates.print') }).click();
      await expect(page.locator('html')).toHaveAttribute('data-printed', 'yes');
      const { text } = await sheet(page, `online-${locale}`);
      for (const part of [name, achievement, t('page.verify.institution'), id]) expect(text).toContain(squeeze(part));
      expect(text).not.toContain(squeeze(t('page.verify.json')));
    });
    await context.close();
  });

  test(`without a network, and another learner on the same phone, in ${locale}`, async ({ browser }) => {
    test.setTimeout(180_000);
    const { context, page } = await phoneOf(browser, locale);
    const amina = somebody(name);
    const learner = await arrive(page, amina, locale);
    const id = await earn(learner);
    await learner.call('POST', '/api/wallet/imports', { text: foreign });
    await page.goto('/app/verify');
    await page.locator('.verify-ready button').click();
    await expect(page.getByText(t('ui.verify.kept'))).toBeVisible();
    await kept(page, locale, true);

    await test.step('the list, what it is worth, the code and the file are here', async () => {
      // What a sync brings arrives in its own time.
      await expect(async () => {
        await context.setOffline(false);
        await page.goto('/app/certificates');
        await expect(elsewhere(page).locator('.rows > li')).toHaveCount(1, { timeout: 5_000 });
        await context.setOffline(true);
        await page.reload();
        await expect(own(page)).toContainText(name, { timeout: 5_000 });
        await expect(elsewhere(page)).toContainText(theirs, { timeout: 5_000 });
        await own(page).getByRole('button', { name: t('ui.app.code.show') }).click();
        await expect(own(page).locator('canvas.qr-code')).toBeVisible({ timeout: 5_000 });
      }).toPass();
      await expect(page.getByText(t('ui.app.wallet.away'))).toBeVisible();
      await own(page).getByRole('button', { name: t('ui.app.certificates.view') }).click();
      await expect(own(page).locator('.standing')).toContainText(t('credential.state.valid'));
      await expect(own(page).locator('.attested')).toContainText(name);
      await look(page, 'without a network');
      const download = page.waitForEvent('download');
      await own(page).getByRole('link', { name: /^JSON / }).click();
      const document = JSON.parse((await bytes(download)).toString()) as { id: string };
      expect(document.id).toContain(id);
      const other = page.waitForEvent('download');
      await elsewhere(page).getByRole('button', { name: t('ui.app.certificates.download') }).click();
      expect((await bytes(other)).toString()).toBe(foreign);
      // Nothing is offered that would lead nowhere.
      await expect(own(page).getByRole('link')).toHaveCount(1);
      await expect(page.locator('main summary')).toHaveCount(0);
    });

    await test.step('another learner sees nothing of it, and neither does who opens the drawers', async () => {
      await context.setOffline(false);
      await page.goto('/app/account');
      await page.getByRole('button', { name: t('ui.app.account.sign_out') }).click();
      await expect(page.getByText(t('ui.device.who'))).toBeVisible();
      await arrive(page, somebody('Yusuf Karimi'), locale);
      await page.goto('/app/certificates');
      await expect(page.getByText(t('ui.app.certificates.none'))).toBeVisible();
      await expect(elsewhere(page).locator('.rows > li')).toHaveCount(0);
      await expect(page.locator('body')).not.toContainText(name);
      await context.setOffline(true);
      await page.reload();
      await expect(page.locator('h1')).toBeVisible();
      await expect(page.locator('main')).not.toContainText(theirs);
      await expect(page.locator('main')).not.toContainText(name);
      const here = await everything(page);
      expect(here, 'the program read nothing').toContain('Yusuf');
      for (const secret of [theirs, id]) expect(here.includes(secret), `${secret} lies open`).toBe(false);
    });
    await context.close();
  });
}

for (const locale of ['en', 'ar', 'zh']) {
  test(`it is printed without a network, in ${locale}`, async ({ browser }) => {
    test.setTimeout(180_000);
    const t = words(locale);
    const name = { en: 'Amina Diallo', ar: 'آمنة بنت عبد الرحمن المكي', zh: '王小明' }[locale] ?? '';
    const { context, page } = await phoneOf(browser, locale);
    const learner = await arrive(page, somebody(name), locale);
    const id = await earn(learner);
    await learner.call('POST', '/api/wallet/imports', { text: foreign });
    await page.goto('/app/verify');
    await page.locator('.verify-ready button').click();
    await expect(page.getByText(t('ui.verify.kept'))).toBeVisible();
    await kept(page, locale, true);
    const print = own(page).getByRole('button', { name: t('ui.app.certificates.print') });
    const go = own(page).getByRole('button', { name: t('ui.app.certificates.print_now') });
    // What a sync brings arrives in its own time.
    await expect(async () => {
      await context.setOffline(false);
      await page.goto('/app/certificates');
      await expect(own(page)).toHaveCount(1, { timeout: 5_000 });
      await expect(elsewhere(page).locator('.rows > li')).toHaveCount(1, { timeout: 5_000 });
      await context.setOffline(true);
      await page.reload();
      await expect(elsewhere(page)).toContainText(theirs, { timeout: 5_000 });
      await print.click({ timeout: 5_000 });
      await expect(own(page).getByLabel(t('ui.app.code.named'))).toBeVisible({ timeout: 5_000 });
    }).toPass();
    await look(page, 'before it is printed');
    if (shots) await page.screenshot({ path: join(shots, `print-panel-${locale}.png`), fullPage: true });
    const achievement = await own(page).locator('strong').first().innerText();
    const asked = async (button = go) => {
      await page.evaluate(() => void (document.documentElement.dataset['printed'] = ''));
      await button.focus();
      await page.keyboard.press('Enter');
      await expect(page.locator('html')).toHaveAttribute('data-printed', 'yes');
    };
    const paper = page.locator('.paper');

    await asked();
    await expect(paper).toBeHidden(); // on the screen
    await page.emulateMedia({ media: 'print' });
    const millimetres = await paper.locator('.paper-code').evaluate((code) => {
      const squares = (code as SVGSVGElement).viewBox.baseVal.width;
      return ((code.getBoundingClientRect().width / squares) * (squares - 8) * 25.4) / 96;
    });
    expect(millimetres).toBeGreaterThanOrEqual(35);
    await expect(page.locator('#app')).toBeHidden();
    await page.emulateMedia({ media: null });
    const named = await sheet(page, `paper-${locale}`);
    const wants = [name, achievement, t('paper.title'), t('paper.assessment.unsupervised'), t('paper.ai_help.undeclared'), `${program.url}/verify/${id}`];
    for (const part of wants) expect(named.text).toContain(squeeze(part));
    expect(named.text).not.toContain(squeeze(t('ui.app.certificates.about')));

    // Who is at the page again has what was there before.
    const title = await page.title();
    await own(page).getByLabel(t('ui.app.code.named')).uncheck();
    await expect(paper).toHaveCount(0);
    await expect(page).not.toHaveTitle(title);
    await expect(page).toHaveTitle(new RegExp(t('ui.app.nav.certificates')));

    await asked();
    const nameless = await sheet(page, `paper-nameless-${locale}`);
    expect(nameless.text).toContain(squeeze(achievement));
    for (const part of [name, id]) expect(nameless.text).not.toContain(squeeze(part));

    // And so is one of elsewhere: with what it says, what its last check found, and the address that its issuer gave it.
    await elsewhere(page).getByRole('button', { name: t('ui.app.certificates.print') }).click();
    await look(page, 'before one of elsewhere is printed');
    await asked(elsewhere(page).getByRole('button', { name: t('ui.app.certificates.print_now') }));
    const strange = await sheet(page, `paper-elsewhere-${locale}`);
    const { id: address } = JSON.parse(foreign) as { id: string };
    for (const part of [theirs, 'ليلى حسن', t('ui.app.wallet.untitled'), t('credential.state.unknown_text'), address]) expect(strange.text).toContain(squeeze(part));
    expect(strange.text).not.toContain(squeeze(name));
    await expect(paper.locator('.paper-code')).toHaveCount(1);

    // The codes on both are as good as the one on the PDF, and the second tells no name.
    for (const { picture } of [named, nameless]) {
      await page.goto('/app/verify');
      await page.getByLabel(t('ui.verify.file'), { exact: true }).setInputFiles(picture);
      await expect(page.locator('.standing h2')).toHaveText(t('credential.state.valid'));
      await expect(page.locator('.attested').getByText(name)).toHaveCount(picture === named.picture ? 1 : 0);
    }
    await context.close();
  });
}

for (const locale of ['en', 'ar']) {
  test(`a PIN is given up, and then the account, in ${locale}`, async ({ browser }) => {
    test.setTimeout(180_000);
    const t = words(locale);
    const name = locale === 'ar' ? 'ليلى الحسن' : 'Leila Hassan';
    const { context, page } = await phoneOf(browser, locale);
    const leila = somebody(name);
    const id = await earn(await arrive(page, leila, locale));
    await page.goto('/app/certificates');
    await expect(own(page)).toContainText(name);

    await test.step('without the PIN nothing is given up; with it, what is here lies open', async () => {
      await page.goto('/app/account');
      const section = page.locator('section[aria-labelledby=this-device]');
      await section.locator('summary', { hasText: t('ui.device.drop_pin') }).click();
      await expect(section.getByText(t('ui.device.no_pin'))).toBeVisible();
      const give = section.getByRole('button', { name: t('ui.device.drop_pin') });
      await section.getByLabel(t('ui.device.pin'), { exact: true }).fill('1111');
      await give.click();
      await expect(section.getByText(t('ui.device.wrong_pin'))).toBeVisible();
      await look(page, 'a wrong PIN');
      if (shots) await section.screenshot({ path: join(shots, `drop-pin-${locale}.png`) });
      expect(await everything(page)).toContain('"sealed":1');
      await section.getByLabel(t('ui.device.pin'), { exact: true }).fill('2468');
      await give.click();
      await expect(section.locator('summary', { hasText: t('ui.device.add_pin') })).toBeVisible();
      await expect(section.locator('h2')).toBeFocused();
      expect(await everything(page)).not.toContain('"sealed":1');
    });

    await test.step('the account goes with the password alone, and with it all that this device has of her', async () => {
      await page.reload();
      const section = page.locator('section[aria-labelledby=erase]');
      await section.locator('summary').click();
      const erase = section.getByRole('button', { name: t('ui.app.account.erase_do') });
      await section.getByLabel(t('ui.app.account.current_password')).fill('not the password');
      await erase.click();
      await expect(section.locator('.fault, [role=alert]').first()).toBeVisible();
      await look(page, 'a wrong password');
      if (shots) await section.screenshot({ path: join(shots, `erase-${locale}.png`) });
      await section.getByLabel(t('ui.app.account.current_password')).fill(password);
      await erase.click();
      await expect(page).toHaveURL(new RegExp(`${program.url}/(${locale}/?)?$`));
      const here = await everything(page);
      for (const gone of [name, leila.username, id]) expect(here.includes(gone), `${gone} is still here`).toBe(false);
      const again = await page.request.post('/api/sessions', { data: { username: leila.username, password }, headers: { Origin: program.url } });
      expect(again.status()).toBe(401);
    });

    await test.step('what she earned holds, and names nobody', async () => {
      // Taking the name out is a job.
      await expect.poll(async () => (await page.request.get(`/api/credentials/${id}`)).text()).not.toContain(name);
      await page.goto(`/${locale}/verify/${id}`);
      await expect(page.locator('.standing')).toContainText(t('credential.state.valid'));
      await expect(page.locator('.standing')).toContainText(t('page.verify.erased'));
      await expect(page.locator('body')).not.toContainText(name);
      if (shots) await page.screenshot({ path: join(shots, `erased-${locale}.png`), fullPage: true });
    });
    await context.close();
  });
}

for (const locale of ['en', 'ar']) {
  test(`a course is read without a network on a device that knows nobody, and that is no fault, in ${locale}`, async ({ browser }) => {
    const t = words(locale);
    const context = await browser.newContext({ ...phone, locale, serviceWorkers: 'block' });
    const page = await context.newPage();
    const learner = new Learner(page.request, program.url);
    await learner.signUp(`w${uuidv7().slice(-12)}`, 'Zola', password);
    await learner.enrol();
    const api = /\/api\//;
    await context.route(api, (route) => route.abort());
    await page.goto(`/${locale}/courses/${courseID}`);
    const island = page.locator('[data-island=progress]');
    await expect(island).toContainText(t('ui.join.away'));
    await expect(island).not.toContainText(t('ui.unreached'));
    await look(page, 'a course without a network');
    if (shots) await page.screenshot({ path: join(shots, `course-away-${locale}.png`) });
    await context.unroute(api);
    await island.getByRole('button', { name: t('ui.retry') }).click();
    await expect(island.getByRole('link', { name: t('ui.progress.begin') })).toBeVisible();
    await context.close();
  });
}

test('what a stolen key signed is signed anew, and the phone fetches it', async ({ browser }) => {
  test.setTimeout(240_000);
  const t = words('en');
  const { context, page } = await phoneOf(browser, 'en');
  const name = 'Amina Diallo';
  const learner = await arrive(page, somebody(name), 'en');
  const id = await earn(learner);
  await page.goto('/app/verify');
  await page.locator('.verify-ready button').click();
  await expect(page.getByText(t('ui.verify.kept'))).toBeVisible();
  await kept(page, 'en', true);
  /** What the phone makes of the certificate without a network, once a sync has come some hours later. */
  const later = async (hours: number, state: string, why: RegExp) => {
    await page.clock.setSystemTime(Date.now() + hours * 3_600_000);
    await page.goto('/app/certificates');
    await page.getByRole('button', { name }).click();
    await page.getByLabel(t('ui.device.pin')).fill('2468');
    await page.getByRole('button', { name: t('ui.device.unlock'), exact: true }).click();
    await expect(own(page)).toContainText(name);
    await expect(async () => {
      await context.setOffline(false);
      await page.goto('/app/certificates');
      await expect(own(page)).toContainText(name, { timeout: 5_000 });
      await context.setOffline(true);
      await page.reload();
      await own(page).getByRole('button', { name: t('ui.app.certificates.view') }).click({ timeout: 5_000 });
      await expect(own(page).locator('.standing')).toContainText(state, { timeout: 5_000 });
      await expect(own(page)).toContainText(why, { timeout: 5_000 });
    }).toPass();
    await context.setOffline(false);
  };
  await later(1, t('credential.state.valid'), /./);

  const desk = await browser.newContext({ ...phone, locale: 'en' });
  const admin = new Learner(desk.request, program.url);
  const { username, password: secret } = demo('issuer', program.dataDir);
  await admin.signIn(username, secret);
  const me = await admin.call<{ memberships: { institution_id: string }[] }>('GET', '/api/me');
  const there = await desk.newPage();
  await there.goto(`/app/institutions/${me.memberships[0]?.institution_id ?? ''}/keys`);
  const row = there.locator('ul.rows > li').last();
  await row.getByRole('button').first().click();
  await row.getByLabel(t('ui.app.keys.from')).fill(new Date(Date.now() - 86_400_000).toISOString().slice(0, 16));
  await row.getByLabel(t('ui.app.keys.reason')).fill('The disk was stolen.');
  await row.getByRole('button', { name: t('ui.app.keys.revoke_now') }).click();
  await expect(row).toContainText(t('ui.app.keys.renew_hint'));
  await look(there, 'a revoked key');
  if (shots) await there.screenshot({ path: join(shots, 'renew.png'), fullPage: true });
  await later(9, t('credential.state.invalid'), /The disk was stolen|revoked/);

  await row.getByRole('button', { name: t('ui.app.keys.renew'), exact: true }).click();
  await row.getByRole('button', { name: t('ui.app.keys.renew_sure') }).click();
  await expect(row).toContainText(t('ui.app.keys.renewed').split('{{')[0] as string);
  await expect(row.getByRole('button')).toHaveCount(0);
  await look(there, 'signed anew');
  if (shots) await there.screenshot({ path: join(shots, 'renewed.png'), fullPage: true });
  await later(18, t('credential.state.valid'), /./);
  await page.goto(`/en/verify/${id}`);
  await expect(page.locator('.standing')).toContainText(t('credential.state.valid'));
  await Promise.all([context.close(), desk.close()]);
});
