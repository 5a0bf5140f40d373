// An institution's certificates, from what it asks for them to their end: criteria, awards that wait, approval one by one and many at once,
// suspension, revocation, an issuer with a limit, and the log of all that; and how they look on paper.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { violations } from './axe.ts';
import { courseID, items } from './course.ts';
import { Learner } from './learner.ts';
import { demo } from './program.ts';
import { School } from './school.ts';
import { words } from './words.ts';

const t = words('en');
/** A text with what stands in its slots. */
const filled = (key: string, values: Record<string, string | number>): string =>
  t(key).replace(/\{\{\.(\w+)\}\}/g, (_, name: string) => String(values[name]));
const binary = join(import.meta.dirname, '../../bin/banyan-api');
const password = 'a long password';
const quiz = items().find(({ kind }) => kind === 'quiz')?.id ?? '';

let school: School;
let id = '';

test.describe.configure({ mode: 'serial' });
test.beforeAll(async () => {
  school = await School.open();
});
test.afterAll(() => school.close());

async function arrive(browser: Browser, username: string, secret = password): Promise<{ context: BrowserContext; page: Page; api: Learner }> {
  const context = await browser.newContext({ baseURL: school.url, viewport: { width: 360, height: 740 } });
  const api = new Learner(context.request, school.url);
  await api.signIn(username, secret);
  return { context, page: await context.newPage(), api };
}

/** The admin, at the console. */
async function admin(browser: Browser) {
  const { username, password: secret } = demo('issuer', school.dataDir);
  const found = await arrive(browser, username, secret);
  const me = await found.api.call<{ memberships: { institution_id: string }[] }>('GET', '/api/me');
  id = me.memberships[0]?.institution_id ?? '';
  return found;
}

const open = (page: Page, tab: string) => page.goto(`/app/institutions/${id}/${tab}`);
const row = (page: Page, name: string) => page.locator('.rows > li').filter({ hasText: name });
const button = (on: { getByRole: Page['getByRole'] }, key: string) => on.getByRole('button', { name: new RegExp(`^${t(key).split(' (')[0]}`) });

/** Somebody who passes the quiz that the criteria ask for. */
async function learner(browser: Browser, username: string, name: string) {
  const context = await browser.newContext({ baseURL: school.url });
  const api = new Learner(context.request, school.url);
  await api.signUp(username, name, password);
  await api.answer(await api.enrol(), quiz);
  await context.close();
}

/** Opens the awards when as many wait as are expected: who finishes is looked at by a job. */
async function awaiting(page: Page, names: readonly string[]): Promise<void> {
  await expect(async () => {
    await open(page, 'awards');
    for (const name of names) await expect(row(page, name)).toBeVisible({ timeout: 2000 });
  }).toPass();
}

/** Looks at the page of a certificate as anybody may. */
async function verdict(browser: Browser, certificate: string, state: string, reason?: string): Promise<void> {
  const context = await browser.newContext({ baseURL: school.url, javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`/en/verify/${certificate}`);
  await expect(page.locator('.standing h1')).toHaveText(t(`credential.state.${state}`));
  if (reason) await expect(page.locator('.standing')).toContainText(reason);
  await context.close();
}

test('criteria, awards, certificates, a limit, and the log', async ({ browser }) => {
  test.setTimeout(240_000);
  const { context: office, page, api } = await admin(browser);
  const certificate = async (name: string): Promise<string> => {
    const found = await api.call<{ items: { id: string }[] }>('GET', `/api/institutions/${id}/credentials?search=${encodeURIComponent(name)}`);
    return found.items[0]?.id ?? '';
  };

  await test.step('an admin says what a certificate asks', async () => {
    await open(page, 'criteria');
    const course = row(page, 'AI in daily life');
    await button(course, 'ui.app.criteria.change').click();
    const part = (await (await page.request.get(`/api/courses/${courseID}`)).json()) as { modules: { items: { id: string; title: Record<string, string> }[] }[] };
    const title = part.modules.flatMap(({ items: all }) => all).find((one) => one.id === quiz)?.title['en'] ?? '';
    await course.getByRole('checkbox', { name: title, exact: true }).check();
    await course.getByRole('checkbox', { name: t('ui.app.criteria.approval') }).check();
    await course.getByRole('checkbox', { name: t('ui.app.criteria.confirm_name') }).check();
    await course.getByLabel(t('ui.app.criteria.assessment')).selectOption('supervised');
    expect(await violations(page), 'criteria').toEqual([]);
    await button(course, 'ui.app.criteria.save').click();
    await expect(course).toContainText(t('ui.app.criteria.asks.approval'));
    await expect(course).toContainText(t('ui.app.criteria.asks.name'));
    await expect(course).toContainText(t('ui.app.assessment.supervised'));
  });

  await learner(browser, 'amina', 'Amina Diallo');
  await learner(browser, 'yusuf', 'Yusuf Karimi');
  await learner(browser, 'layla', 'Layla Haddad');
  const amina = await arrive(browser, 'amina');

  await test.step('the learner reads what the certificate waits for', async () => {
    await awaiting(page, ['Amina Diallo', 'Yusuf Karimi', 'Layla Haddad']);
    await amina.page.goto('/app/certificates');
    for (const want of ['approval', 'assessment', 'name']) await expect(amina.page.locator('.wants')).toContainText(t(`ui.award.want.${want}`));
    await expect(amina.page.getByText(t('ui.app.certificates.none'))).toBeVisible();
    await amina.page.getByLabel(t('ui.app.ai_help.some')).check();
    await amina.page.getByRole('button', { name: t('ui.app.awards.declare'), exact: true }).first().click();
    await expect(amina.page.getByText(t('ui.app.awards.declared'))).toBeVisible();
    expect(await violations(amina.page), 'on the way').toEqual([]);
  });

  await test.step('staff gives one award', async () => {
    await open(page, 'awards');
    const award = row(page, 'Amina Diallo');
    await expect(award).toContainText(filled('ui.app.awards.ai_help', { Help: t('ui.app.ai_help.some') }));
    await button(award, 'ui.app.awards.confirm_name').click();
    await expect(award).not.toContainText(t('ui.award.want.name'));
    await button(award, 'ui.app.awards.approve').click();
    await expect(award).not.toContainText(t('ui.award.want.approval'));
    await expect(award.locator('.chip')).toHaveText(t('ui.app.awards.state.waiting'));
    await award.getByLabel(t('ui.app.awards.assessment')).selectOption('on_site');
    await expect(award.locator('.chip')).toHaveText(t('ui.app.awards.state.ready'));
  });

  await test.step('the learner sees the certificate', async () => {
    await expect(async () => {
      await amina.page.goto('/app/certificates');
      await expect(amina.page.locator('.standing-chip')).toHaveText(t('ui.app.standing.valid'), { timeout: 2000 });
    }).toPass();
    await expect(amina.page.locator('.wants')).toHaveCount(0);
    await verdict(browser, await certificate('Amina'), 'valid');
    await amina.page.getByRole('link', { name: new RegExp(`^${t('ui.app.certificates.view')}`) }).click();
    await expect(amina.page.locator('main')).toContainText(t('paper.assessment.on_site'));
    await expect(amina.page.locator('main')).toContainText('Amina Diallo');
  });

  await test.step('many at once, and what lacks more is left with a reason', async () => {
    await open(page, 'awards');
    await button(row(page, 'Yusuf Karimi'), 'ui.app.awards.confirm_name').click();
    await expect(row(page, 'Yusuf Karimi')).not.toContainText(t('ui.award.want.name'));
    const batches = page.getByRole('region', { name: t('ui.app.batches.title') });
    await batches.getByLabel(t('ui.app.awards.assessment')).selectOption('supervised');
    expect(await violations(page), 'awards').toEqual([]);
    await batches.getByRole('button', { name: t('ui.app.batches.start') }).click();
    await expect(batches).toContainText(filled('ui.app.batches.done', { Issued: 1, Total: 2 }));
    await expect(batches).toContainText(t('batch.lacking'));
    await expect(batches.getByRole('progressbar')).toHaveJSProperty('value', 2);
    await expect(row(page, 'Yusuf Karimi')).toHaveCount(0); // it moved on
    await expect(row(page, 'Layla Haddad')).toContainText(t('ui.award.want.approval'));
    await page.getByLabel(t('ui.app.awards.show')).selectOption('issued');
    await expect(row(page, 'Yusuf Karimi')).toBeVisible();
  });

  await test.step('an award is refused with a reason that the learner reads', async () => {
    await page.getByLabel(t('ui.app.awards.show')).selectOption('waiting');
    await button(row(page, 'Layla Haddad'), 'ui.app.awards.refuse').click();
    await row(page, 'Layla Haddad').getByLabel(t('ui.app.issued.reason')).fill('Somebody else sat the quiz.');
    await button(row(page, 'Layla Haddad'), 'ui.app.awards.refuse_now').click();
    await expect(row(page, 'Layla Haddad').locator('.chip')).toHaveText(t('ui.app.awards.state.refused'));
    const layla = await arrive(browser, 'layla');
    await layla.page.goto('/app/certificates');
    await expect(layla.page.getByText(filled('ui.award.refused_because', { Reason: 'Somebody else sat the quiz.' }))).toBeVisible();
    await layla.context.close();
  });

  await test.step('suspended, reinstated, revoked: strangers and learners see it, with the reason', async () => {
    const act = async (name: string, what: 'suspension' | 'reinstatement' | 'revocation', reason: string, then: string) => {
      await button(row(page, name), `ui.app.issued.act.${what}`).click();
      await row(page, name).getByLabel(t('ui.app.issued.reason')).fill(reason);
      await button(row(page, name), `ui.app.issued.do.${what}`).click();
      await expect(row(page, name).locator('.chip')).toHaveText(t(`ui.app.standing.${then}`));
    };
    await open(page, 'certificates');
    const [hers, his] = [await certificate('Amina'), await certificate('Yusuf')];
    await act('Amina Diallo', 'suspension', 'A question came in.', 'suspended');
    await verdict(browser, hers, 'suspended', 'A question came in.');
    await amina.page.goto('/app/certificates');
    await expect(amina.page.locator('.standing-chip')).toHaveText(t('ui.app.standing.suspended'));
    await act('Amina Diallo', 'reinstatement', 'It was answered.', 'valid');
    await verdict(browser, hers, 'valid');
    await act('Yusuf Karimi', 'revocation', 'Issued in error.', 'revoked');
    await verdict(browser, his, 'revoked', 'Issued in error.');
    await expect(row(page, 'Yusuf Karimi').getByRole('button')).toHaveCount(0);
    expect(await violations(page), 'certificates').toEqual([]);
  });

  await test.step('an issuer with a limit reaches it, and is told', async () => {
    await open(page, 'members');
    const made = page.getByRole('region', { name: t('ui.app.members.new') });
    await made.getByLabel(t('ui.app.members.name'), { exact: true }).fill('Sam Ndlovu');
    await made.getByLabel(t('ui.app.username')).fill('samndlovu');
    await made.getByLabel(t('ui.app.members.first_password')).fill(password);
    await made.getByLabel(t('ui.app.members.role')).selectOption('issuer');
    await made.getByRole('button', { name: t('ui.app.members.create') }).click();
    await expect(page.getByText(filled('ui.app.members.created', { Name: 'Sam Ndlovu' }))).toBeVisible();
    await open(page, 'issuers');
    await page.getByLabel(t('ui.app.issuers.who'), { exact: true }).selectOption({ label: 'Sam Ndlovu' });
    await page.getByLabel(t('ui.app.issuers.quota')).fill('1');
    expect(await violations(page), 'issuers').toEqual([]);
    await page.getByRole('button', { name: t('ui.app.issuers.create') }).click();
    await expect(row(page, 'Sam Ndlovu')).toContainText(filled('ui.app.issuers.used_of', { Used: 0, Quota: 1 }));

    await learner(browser, 'chen', 'Chen Wei');
    await learner(browser, 'rosa', 'Rosa Quispe');
    const sam = await arrive(browser, 'samndlovu');
    await awaiting(sam.page, ['Chen Wei', 'Rosa Quispe']);
    await expect(sam.page.getByRole('link', { name: t('ui.app.console.keys'), exact: true })).toHaveCount(0);
    await button(row(sam.page, 'Chen Wei'), 'ui.app.awards.approve').click();
    await expect(row(sam.page, 'Chen Wei')).not.toContainText(t('ui.award.want.approval'));
    await button(row(sam.page, 'Rosa Quispe'), 'ui.app.awards.approve').click();
    await expect(row(sam.page, 'Rosa Quispe').getByRole('alert')).toContainText(t('delegation.spent'));
    await expect(row(sam.page, 'Rosa Quispe')).toContainText(t('ui.award.want.approval'));
    await sam.context.close();
    await open(page, 'issuers');
    await expect(row(page, 'Sam Ndlovu')).toContainText(filled('ui.app.issuers.used_of', { Used: 1, Quota: 1 }));
  });

  await test.step('the log tells all of it, and is checked elsewhere', async () => {
    await open(page, 'audit');
    const more = page.getByRole('button', { name: t('ui.app.more') });
    const kinds = ['criteria_set', 'award_declared', 'name_confirmed', 'award_approved', 'credential_issued', 'batch_started', 'batch_finished', 'award_refused', 'credential_suspended', 'credential_reinstated', 'credential_revoked', 'member_created', 'delegation_given'];
    const head = (await page.locator('.panel code').textContent()) ?? '';
    while (await more.isVisible()) {
      const before = await page.locator('.rows > li').count();
      await more.click();
      await expect.poll(() => page.locator('.rows > li').count()).toBeGreaterThan(before);
    }
    for (const kind of kinds) await expect(page.locator('.rows > li strong', { hasText: t(`ui.app.audit.kind.${kind}`) }).first()).toBeVisible();
    await expect(row(page, t('ui.app.audit.kind.award_refused'))).toContainText(filled('ui.app.audit.whom', { Name: 'Layla Haddad' }));
    const saving = page.waitForEvent('download');
    await page.getByRole('link', { name: t('ui.app.audit.export') }).click();
    const file = await (await saving).path();
    const said = execFileSync(binary, ['audit', 'verify', file, '--head', head.trim()], { encoding: 'utf8' });
    expect(said).toContain('the chain holds');
  });
  await amina.context.close();
  await office.close();
});

test('what is printed is read off the paper and checked without a network', async ({ browser }) => {
  const { context, page, api } = await admin(browser);
  const { items: issued } = await api.call<{ items: { id: string; name: string; standing: string }[] }>('GET', `/api/institutions/${id}/credentials`);
  await page.goto('/app/verify');
  await expect(page.getByText(t('ui.verify.known.none'))).toHaveCount(0);
  await button(page, 'ui.verify.keep').click();
  await expect(page.getByText(t('ui.verify.kept'))).toBeVisible();
  const folder = mkdtempSync(join(tmpdir(), 'banyan-paper-'));
  for (const { id: certificate, name, standing } of issued) {
    for (const locale of ['en', 'ar', 'zh', 'hi']) {
      const file = join(folder, `${certificate}-${locale}.pdf`);
      writeFileSync(file, await (await page.request.get(`/api/credentials/${certificate}/certificate.pdf?locale=${locale}`)).body());
      execFileSync('pdftoppm', ['-r', '150', '-png', '-singlefile', file, file.slice(0, -4)]);
    }
    await context.setOffline(true);
    for (const locale of ['en', 'ar', 'zh', 'hi']) {
      await page.getByLabel(t('ui.verify.file')).setInputFiles(join(folder, `${certificate}-${locale}.png`));
      await expect(page.locator('.standing h2')).toHaveText(t(`credential.state.${standing}`));
      await expect(page.locator('.attested').getByText(name)).toHaveCount(1);
      await page.getByRole('button', { name: t('ui.verify.again') }).click();
    }
    await context.setOffline(false);
  }
  await context.close();
});

test('how certificates look, seen while it is changed', async ({ browser }) => {
  const { context, page, api } = await admin(browser);
  const { items: issued } = await api.call<{ items: { id: string }[] }>('GET', `/api/institutions/${id}/credentials`);
  const paper = async () => (await page.request.get(`/api/credentials/${issued[0]?.id}/certificate.pdf?locale=en`)).headers()['etag'];
  const plain = await paper();
  await open(page, 'template');
  const sheet = page.locator('img.sheet');
  const warning = page.getByRole('region', { name: t('ui.app.template.preview') }).getByRole('alert');
  const drawn = async () => {
    await expect(sheet).toBeVisible();
    return sheet.evaluate((one: HTMLImageElement) => one.decode().then(() => [one.src, one.naturalWidth > one.naturalHeight] as const));
  };
  /** What is drawn once it is another than before. */
  const redrawn = async (before: string) => {
    await expect(sheet).not.toHaveAttribute('src', before);
    return drawn();
  };
  let [src, wide] = await drawn();
  expect(wide).toBe(true);
  const first = src;
  await page.getByLabel(t('ui.app.template.orientation'), { exact: true }).selectOption('portrait');
  [src, wide] = await redrawn(src);
  expect(wide).toBe(false);
  await page.getByLabel(t('ui.app.template.border'), { exact: true }).selectOption('corners');
  [src] = await redrawn(src);
  await page.getByLabel(t('ui.app.template.line'), { exact: true }).fill('Reg. 2026/7');
  [src] = await redrawn(src);
  await page.getByLabel(t('ui.app.template.accent'), { exact: true }).fill('#ffff00');
  await expect(warning).toBeVisible();
  await expect(sheet).toHaveAttribute('src', src); // what was last good
  await page.getByRole('button', { name: t('ui.app.template.save'), exact: true }).click();
  await expect(page.locator('.fault')).toHaveText(t('paper.bad_accent'));
  await page.getByLabel(t('ui.app.template.accent'), { exact: true }).fill('#7a1f3d');
  [src] = await redrawn(src);
  await expect(warning).toHaveCount(0);
  expect(await violations(page), 'template').toEqual([]);
  expect(await paper()).toBe(plain); // nothing is saved yet
  await page.getByRole('button', { name: t('ui.app.template.save'), exact: true }).click();
  await expect(page.getByText(t('ui.app.template.saved'))).toBeVisible();
  expect(await paper()).not.toBe(plain);
  await page.reload();
  expect((await drawn())[0]).toBe(src);
  await page.getByRole('button', { name: t('ui.app.template.remove') }).click();
  expect((await redrawn(src))[0]).toBe(first);
  expect(await paper()).toBe(plain);
  await context.close();
});
