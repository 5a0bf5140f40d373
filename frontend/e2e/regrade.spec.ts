// A lab that has been changed is tried on what was handed in, by a trainer at the console; nothing changes before somebody has looked.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, type Browser, type Page } from '@playwright/test';
import { violations } from './axe.ts';
import { demo } from './program.ts';
import { School } from './school.ts';
import { uuidv7 } from './learner.ts';
import { words } from './words.ts';

const t = words('en');
const course = 'ai-foundations';
const lab = 'clinic-triage';
const folder = join(import.meta.dirname, '../../content/courses', course, 'labs', lab);

let school: School;
test.beforeAll(async () => {
  school = await School.open();
});
test.afterAll(() => school.close());

async function call<T>(page: Page, method: string, path: string, data?: unknown): Promise<T> {
  const answer = await page.request.fetch(school.url + path, { method, data, headers: { Origin: school.url, 'Accept-Language': 'en' } });
  expect(answer.ok(), `${method} ${path}: ${await answer.text()}`).toBe(true);
  return (await answer.json()) as T;
}

interface Graded {
  verdict?: { outcome: string; score: number };
}

/** A learner who hands in one of the shipped programs, with a page to look at what came of it. */
async function learner(browser: Browser, name: string, program: string): Promise<{ page: Page; graded: Graded }> {
  const page = await (await browser.newContext({ baseURL: school.url, locale: 'en' })).newPage();
  await call(page, 'POST', '/api/users', { username: name.toLowerCase(), display_name: name, password: 'a long password' });
  const { id: enrollment_id } = await call<{ id: string }>(page, 'POST', '/api/enrollments', { course_id: course });
  const id = uuidv7();
  await call(page, 'POST', '/api/submissions', { id, enrollment_id, lab_id: lab, files: { 'main.py': readFileSync(join(folder, program), 'utf8') } });
  let graded: Graded = {};
  await expect
    .poll(async () => (graded = await call<Graded>(page, 'GET', `/api/submissions/${id}?wait=20`)).verdict, { timeout: 60_000 })
    .toBeTruthy();
  return { page, graded };
}

test('a trainer tries a changed lab on what was handed in, looks, and applies what is better', async ({ page, browser }) => {
  const better = await learner(browser, 'Noor', 'wrong/above-only.py');
  const worse = await learner(browser, 'Tendai', 'wrong/lower-is-urgent.py');
  const same = await learner(browser, 'Mei', 'solution.py');
  expect([better, worse, same].map(({ graded }) => graded.verdict?.outcome)).toEqual(['partial', 'partial', 'passed']);
  // The check that Noor passed and Tendai did not weighs three times as much.
  const title = '    title: Calculates the sensitivity\n';
  const number = await school.publish(course, `labs/${lab}/lab.yaml`, title, `${title}    points: 3\n`);

  const { username, password } = demo('trainer', school.dataDir);
  await call(page, 'POST', '/api/sessions', { username, password });
  const me = await call<{ memberships: { institution_id: string }[] }>(page, 'GET', '/api/me');
  await page.goto(`${school.url}/app/institutions/${me.memberships[0]?.institution_id}/labs`);
  const form = page.getByRole('region', { name: t('ui.app.regrade.new') });
  await form.getByLabel(t('ui.app.regrade.lab'), { exact: true }).selectOption(lab);
  await expect(form.getByLabel(t('ui.app.regrade.to'), { exact: true })).toHaveValue(String(number));

  const regrades = page.locator('.regrade');
  const count = (change: string) => regrades.locator('.counts li', { hasText: t(`ui.app.regrade.change.${change}`) }).locator('strong');
  const twice = async (scope: Page, ask: string, sure: string) => {
    await scope.getByRole('button', { name: t(ask), exact: true }).click();
    await scope.getByRole('button', { name: t(sure), exact: true }).click();
  };
  const standing = async (who: { page: Page }) => {
    await who.page.goto(`/en/courses/${course}/${lab}`);
    return who.page.locator('.verdict');
  };
  const points = (score: string) => `${score} of 2 points.`;

  // The first one is thrown away: nobody is told of anything.
  const start = form.getByRole('button', { name: t('ui.app.regrade.start'), exact: true });
  await start.click();
  await expect(page.locator('.chip.ready')).toBeVisible({ timeout: 60_000 });
  for (const [change, n] of Object.entries({ better: '1', worse: '1', same: '1', broken: '0' })) await expect(count(change), change).toHaveText(n);
  await twice(page, 'ui.app.regrade.discard', 'ui.app.regrade.discard_sure');
  await expect(page.locator('.chip.discarded')).toBeVisible();
  await expect(await standing(better)).toContainText(points('1.4'));

  await start.click();
  await expect(page.locator('.chip.ready')).toBeVisible({ timeout: 60_000 });
  await regrades.locator('summary').click();
  const rows = regrades.locator('.results li');
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText('Noor');
  await expect(rows).toContainText('71%');
  await expect(rows).toContainText('78%');
  await regrades.getByLabel(t('ui.app.regrade.show_only')).selectOption('worse');
  await expect(rows).toContainText('Tendai');
  expect(await violations(page), 'console').toEqual([]);
  await expect(await standing(better), 'nobody has applied it').toContainText(points('1.4'));

  await twice(page, 'ui.app.regrade.apply', 'ui.app.regrade.apply_sure');
  await expect(page.locator('.chip.applied')).toBeVisible({ timeout: 60_000 });
  const verdict = await standing(better);
  await expect(verdict).toContainText(points('1.6'));
  await expect(verdict, 'what it was before stays in the record').toContainText('71%');
  expect(await violations(better.page), 'lab').toEqual([]);
  const kept = await standing(worse);
  await expect(kept).toContainText(points('0.6'));
  await expect(await standing(same)).toContainText(points('2'));
});
