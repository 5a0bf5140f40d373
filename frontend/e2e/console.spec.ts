// An admin at the console: what the institution says of itself, its keys, and the log of all that.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { violations } from './axe.ts';
import { demo } from './program.ts';
import { School } from './school.ts';
import { words } from './words.ts';

const t = words('en');
const binary = join(import.meta.dirname, '../../bin/banyan-api');

let school: School;
let id = '';

test.beforeAll(async () => {
  school = await School.open();
});
test.afterAll(() => school.stop());

async function arrive(page: Page): Promise<void> {
  const headers = { Origin: school.url };
  const { username, password } = demo('issuer', school.dataDir);
  const answer = await page.request.post(`${school.url}/api/sessions`, { data: { username, password }, headers });
  expect(answer.ok(), await answer.text()).toBe(true);
  const me = (await (await page.request.get(`${school.url}/api/me`)).json()) as { memberships: { institution_id: string }[] };
  id = me.memberships[0]?.institution_id ?? '';
}

const open = (page: Page, tab: string) => page.goto(`${school.url}/app/institutions/${id}/${tab}`);

/** A picture as a file, drawn by the browser. */
async function picture(page: Page, width: number, height: number) {
  const base64 = await page.evaluate(
    ([width, height]) => {
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [width as number, height as number];
      const pen = canvas.getContext('2d');
      pen?.fillRect(4, 4, 20, 12);
      return canvas.toDataURL('image/png').split(',')[1] as string;
    },
    [width, height],
  );
  return { name: 'picture.png', mimeType: 'image/png', buffer: Buffer.from(base64, 'base64') };
}

test('an admin looks after the institution', async ({ page }) => {
  await arrive(page);
  await open(page, 'profile');
  const field = (key: string) => page.getByLabel(t(`ui.app.profile.${key}`), { exact: true });
  const save = page.getByRole('button', { name: t('ui.app.profile.save'), exact: true });
  await page.getByRole('group', { name: t('ui.app.profile.names') }).getByLabel('العربية').fill('مدرسة الأمل');
  await field('country').fill('ke');
  // A domain is a claim until it names the institution itself.
  const domain = page.getByLabel(t('ui.app.domain.name'), { exact: true });
  const claim = page.getByRole('button', { name: t('ui.app.domain.save'), exact: true });
  await domain.fill('https://school.example/');
  await claim.click();
  await expect(page.locator('.fault')).toHaveText(t('institution.bad_domain'));
  await domain.fill('School.Example');
  await claim.click();
  await expect(page.getByText('_banyan-institution.school.example')).toBeVisible();
  await page.getByRole('button', { name: t('ui.app.profile.add') }).click();
  await field('signatory_name').fill('Amel B.');
  await expect(page.getByText(t('ui.app.profile.signature_later'))).toBeVisible();
  await save.click();
  await expect(page.getByText(t('ui.app.profile.saved'))).toBeVisible();
  await field('logo').setInputFiles(await picture(page, 200, 100));
  await expect(page.locator('img.emblem')).toHaveCount(1);
  await field('signature').setInputFiles(await picture(page, 120, 40));
  await expect(page.locator('img.emblem')).toHaveCount(2);
  await field('logo').setInputFiles({ name: 'x.png', mimeType: 'image/png', buffer: Buffer.from('<svg/>') });
  await expect(page.getByRole('alert')).toContainText(t('institution.bad_picture'));
  await page.reload();
  await expect(domain).toHaveValue('school.example');
  await expect(field('country')).toHaveValue('KE');
  await expect(page.locator('img.emblem')).toHaveCount(2);
  for (const img of await page.locator('img.emblem').all()) {
    await expect.poll(() => img.evaluate((one: HTMLImageElement) => one.naturalWidth)).toBeGreaterThan(0);
  }
  expect(await violations(page), 'profile').toEqual([]);
  const did = await page.request.get(`${school.url}/.well-known/did.json`, { headers: { Host: 'school.example' } });
  expect(did.status(), 'no document of a domain that is not proven').toBe(404);

  await open(page, 'keys');
  await expect(page.getByText(/did:web:(?!school)/).first()).toBeVisible();
  const rows = page.locator('.rows > li');
  const live = rows.filter({ hasText: t('ui.app.keys.live') });
  const turn = async () => {
    await page.getByRole('button', { name: t('ui.app.keys.rotate') }).click();
    await page.getByRole('button', { name: t('ui.app.keys.rotate_sure') }).click();
    await expect(page.getByText(t('ui.app.keys.rotated'))).toBeVisible();
  };
  const before = await rows.count();
  await turn();
  await expect(rows).toHaveCount(before + 1);
  await page.reload();
  await turn();
  await expect(rows).toHaveCount(before + 2);
  await rows.nth(1).getByRole('button').first().click();
  await rows.nth(1).getByLabel(t('ui.app.keys.reason')).fill('The disk was stolen.');
  expect(await violations(page), 'keys').toEqual([]);
  await rows.nth(1).getByRole('button', { name: t('ui.app.keys.revoke_now') }).click();
  await expect(rows.nth(1)).toContainText(t('ui.app.keys.revoked'));
  await expect(rows.nth(1)).toContainText('The disk was stolen.');
  await expect(live.first()).toBeVisible();

  await open(page, 'audit');
  await expect(rows.first()).toContainText(t('ui.app.audit.kind.key_revoked'));
  await expect(page.getByText(t('ui.app.audit.kind.profile_changed')).first()).toBeVisible();
  await rows.first().locator('summary').click();
  await expect(rows.first().locator('.entry')).toContainText('#z');
  expect(await violations(page), 'audit').toEqual([]);
  const head = (await page.locator('.panel code').textContent()) ?? '';
  const saving = page.waitForEvent('download');
  await page.getByRole('link', { name: t('ui.app.audit.export') }).click();
  const file = await (await saving).path();
  const said = execFileSync(binary, ['audit', 'verify', file, '--head', head.trim()], { encoding: 'utf8' });
  expect(said).toContain(`head ${head.trim()}`);
  expect(said).toContain('the chain holds');
});

test('the operator vouches for a domain, on the page and by a command', async ({ page }) => {
  const headers = { Origin: school.url };
  const { username, password } = demo('operator', school.dataDir);
  expect((await page.request.post(`${school.url}/api/sessions`, { data: { username, password }, headers })).ok()).toBe(true);
  const made = await page.request.post(`${school.url}/api/institutions`, { data: { slug: 'vouched', name: 'Vouched School' }, headers });
  const { id: vouched } = (await made.json()) as { id: string };
  const claim = (domain: string) => page.request.patch(`${school.url}/api/institutions/${vouched}`, { data: { domain }, headers });
  const did = (host: string) => page.request.get(`${school.url}/.well-known/did.json`, { headers: { Host: host } });
  expect((await claim('vouched.example')).ok()).toBe(true);
  await page.goto(`${school.url}/app/institutions/${vouched}/profile`);
  expect((await did('vouched.example')).status()).toBe(404);
  await page.getByRole('button', { name: t('ui.app.domain.vouch'), exact: true }).click();
  expect((await did('vouched.example')).status(), 'one press is none').toBe(404);
  await page.getByRole('button', { name: t('ui.app.domain.vouch_sure'), exact: true }).click();
  await expect(page.locator('.domain .notice.good')).toContainText('vouched.example');
  await expect(page.getByRole('button', { name: t('ui.app.domain.vouch'), exact: true })).toHaveCount(0);
  expect((await did('vouched.example')).status()).toBe(200);

  const run = (...args: string[]) => execFileSync(binary, ['institution', 'domain', ...args], { env: { ...process.env, BANYAN_DATA_DIR: school.dataDir }, encoding: 'utf8', stdio: 'pipe' });
  expect((await claim('next.example')).ok()).toBe(true);
  expect(run('show', 'vouched')).toContain('_banyan-institution.next.example');
  expect(() => run('confirm', 'vouched', 'other.example'), 'another domain than it claims').toThrow();
  expect(run('confirm', 'vouched', 'Next.example')).toContain('next.example');
  expect((await did('next.example')).status()).toBe(200);
  // An admin of the institution has no such button.
  await arrive(page);
  await page.request.patch(`${school.url}/api/institutions/${id}`, { data: { domain: 'admin.example' }, headers });
  await open(page, 'profile');
  await expect(page.getByText('_banyan-institution.admin.example')).toBeVisible();
  await expect(page.locator('.vouch')).toHaveCount(0);
});
