// What a learner does without a network arrives, whatever happens on the way: a bad line, a dead browser, a wrong clock, two tabs, a second device.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, expect, test, type APIRequestContext, type BrowserContext, type Page } from '@playwright/test';
import { courseID, isGraded, items, solution } from './course.ts';
import { Learner, uuidv7 } from './learner.ts';
import { Relay, twoG } from './relay.ts';
import { browser as chrome } from './program.ts';
import { words } from './words.ts';

const t = words('en');
const lessons = items().filter(({ kind }) => kind === 'lesson').map(({ id }) => id);
const [first = '', second = ''] = lessons;
const exam = items().find(({ id, kind }) => kind === 'quiz' && isGraded(id))?.id ?? '';
const lab = items().find(({ kind }) => kind === 'lab')?.id ?? '';
const password = 'a long password';

interface Kept {
  id: string;
  verb: string;
  object_id: string;
  at: string;
  score?: number;
}

/** A new learner who takes the course, signed in in this context. */
async function learner(context: BrowserContext): Promise<{ name: string; user: string; enrollment: string }> {
  const name = `sync-${uuidv7().slice(-12)}`;
  const api = new Learner(context.request);
  const { id: user } = (await api.signUp(name, 'Amina', password)) as { id: string };
  return { name, user, enrollment: await api.enrol() };
}

/** All that the server has of the learner's. */
async function arrived(request: APIRequestContext): Promise<Kept[]> {
  const all: Kept[] = [];
  let cursor = '';
  do {
    const page = (await (await request.get(`/api/statements?limit=100${cursor && `&cursor=${cursor}`}`)).json()) as { items: Kept[]; next?: string };
    all.push(...page.items);
    cursor = page.next ?? '';
  } while (cursor);
  return all;
}

/** Puts work into the outbox as an older page kept it: much at once. */
async function pile(page: Page, user: string, enrollment: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => uuidv7()).sort();
  const entries = ids.map((id, i) => ({ user, id, enrollment_id: enrollment, verb: 'started', object_id: lessons[i % lessons.length], at: new Date().toISOString() }));
  await page.evaluate(
    (all) =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('banyan');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const tx = opening.result.transaction('outbox', 'readwrite');
          for (const one of all) tx.objectStore('outbox').put(one);
          tx.oncomplete = () => (opening.result.close(), resolve());
        };
      }),
    entries,
  );
  return ids;
}

const waits = (page: Page) => page.locator('.waiting');
const finish = (page: Page) => page.getByRole('button', { name: t('ui.lesson.finish') });
const wake = (page: Page) => page.evaluate(() => void dispatchEvent(new Event('online')));
const lesson = (id: string) => `/en/courses/${courseID}/${id}`;

/** How much lies in a store. */
function count(page: Page, store: string): Promise<number> {
  return page.evaluate(
    (name) =>
      new Promise<number>((resolve) => {
        const opening = indexedDB.open('banyan');
        opening.onsuccess = () => {
          const asked = opening.result.transaction(name).objectStore(name).count();
          asked.onsuccess = () => (opening.result.close(), resolve(asked.result));
        };
      }),
    store,
  );
}

/** Opens a lesson, and waits until the page knows who is here: by then its database is there. */
async function read(page: Page, id: string): Promise<void> {
  await page.goto(lesson(id));
  await expect(finish(page)).toBeVisible();
}

/** Waits until all that this browser had has been acknowledged. */
async function emptied(page: Page): Promise<void> {
  await expect.poll(() => count(page, 'outbox'), { timeout: 60_000 }).toBe(0);
}

// Whoever traces a browser that is killed stumbles over it.
test.use({ trace: 'off' });

test('what is done without the network shows at once, counts, and arrives', async ({ page, context }) => {
  await learner(context);
  await read(page, first);
  await emptied(page);
  await context.setOffline(true);
  await finish(page).click();
  await expect(page.getByText(t('ui.lesson.read'))).toBeVisible();
  await expect(waits(page)).toBeVisible();
  await expect(page.getByText(t('ui.sync.waits.away'))).toBeVisible();
  await context.setOffline(false);
  await expect(waits(page)).toHaveCount(0);
  expect((await arrived(context.request)).filter(({ verb }) => verb === 'completed').map(({ object_id }) => object_id)).toEqual([first]);
});

test('a graded quiz is kept, and graded when it arrives', async ({ page, context }) => {
  await learner(context);
  await page.goto(lesson(exam));
  await expect(page.locator('.quiz-form button[type=submit]')).toBeVisible();
  await context.setOffline(true);
  for (const card of await page.locator('.question-card').all()) {
    const radio = card.locator('input[type=radio], input[type=checkbox]');
    if (await radio.count()) await radio.first().check();
    for (const select of await card.locator('select').all()) await select.selectOption({ index: 1 });
    const field = card.locator('input:not([type=radio]):not([type=checkbox])');
    if (await field.count()) await field.first().fill('1');
  }
  await page.locator('.quiz-form button[type=submit]').click();
  await expect(page.getByText(t('ui.quiz.kept'))).toBeVisible();
  await context.setOffline(false);
  await expect(page.locator('.result-score')).toBeVisible();
  expect((await arrived(context.request)).filter(({ verb }) => verb === 'answered').map(({ score }) => typeof score)).toEqual(['number']);
});

test('labs that are handed in without the network are graded when it is back', async ({ page, context }) => {
  await learner(context);
  await page.goto(lesson(lab));
  const button = page.getByRole('button', { name: t('ui.lab.hand_in') });
  await expect(button).toBeVisible();
  await emptied(page);
  await context.setOffline(true);
  await page.locator('#code').fill('print("not yet")\n');
  await button.click();
  await expect(page.getByText(t('ui.lab.waiting'))).toBeVisible();
  await page.locator('#code').fill(solution(lab));
  await button.click();
  await expect.poll(() => count(page, 'pending')).toBe(2);
  await context.setOffline(false);
  await expect(page.locator('.verdict h3')).toHaveText(t('ui.lab.outcome.passed'));
  const submitted = (await arrived(context.request)).filter(({ verb }) => verb === 'submitted');
  expect(submitted).toHaveLength(2);
});

test('a course joined without the network counts from the first lesson', async ({ page, context }) => {
  const name = `sync-${uuidv7().slice(-12)}`;
  await new Learner(context.request).signUp(name, 'Amina', password);
  await page.goto(lesson(first));
  const join = page.getByRole('button', { name: t('ui.join.join') });
  await expect(join).toBeVisible();
  await context.setOffline(true);
  await join.click();
  await finish(page).click();
  await expect(page.getByText(t('ui.lesson.read'))).toBeVisible();
  await context.setOffline(false);
  await emptied(page);
  expect((await arrived(context.request)).some(({ verb, object_id }) => verb === 'completed' && object_id === first)).toBe(true);
  await page.goto('/app/');
  await expect(page.locator('.course-cards .bar')).toContainText(t('ui.progress.count').replace('{{.Count}}', '1').replace('{{.Total}}', String(items().length)));
});

test('a second device shows the same', async ({ page, context, browser, baseURL }) => {
  const { name } = await learner(context);
  await page.goto(lesson(first));
  await finish(page).click();
  await emptied(page);
  const other = await browser.newContext({ baseURL });
  await new Learner(other.request).signIn(name, password);
  const there = await other.newPage();
  await there.goto(`/en/courses/${courseID}`);
  await expect(there.locator(`.item[data-item="${first}"]`)).toHaveClass(/done/);
  // It has fetched the history: what it shows without the server is the same.
  await there.goto(lesson(first));
  await expect(there.getByText(t('ui.lesson.read'))).toBeVisible();
  await expect.poll(() => there.evaluate(() => new Promise((resolve) => {
    const opening = indexedDB.open('banyan');
    opening.onsuccess = () => {
      const all = opening.result.transaction('history').objectStore('history').getAll();
      all.onsuccess = () => (opening.result.close(), resolve(all.result.filter(({ body }) => body.verb === 'completed').length));
    };
  }))).toBe(1);
  await other.close();
});

test('two tabs send each thing once', async ({ page, context }) => {
  const { user, enrollment } = await learner(context);
  await read(page, first);
  const other = await context.newPage();
  await read(other, second);
  await emptied(page);
  await context.setOffline(true);
  await finish(page).click();
  await finish(other).click();
  const ids = await pile(page, user, enrollment, 150);
  await context.setOffline(false);
  await Promise.all([wake(page), wake(other)]);
  await emptied(page);
  const all = await arrived(context.request);
  expect(ids.filter((id) => all.filter((one) => one.id === id).length !== 1)).toEqual([]);
  expect(all.filter(({ verb }) => verb === 'completed').map(({ object_id }) => object_id).sort()).toEqual([first, second].sort());
});

test('a clock that is ten years off changes nothing but what people read', async ({ page, context }) => {
  await learner(context);
  await page.clock.setSystemTime(new Date(Date.now() - 10 * 365.25 * 86_400_000));
  await page.goto(lesson(first));
  await finish(page).click();
  await emptied(page);
  await page.clock.setSystemTime(new Date(Date.now() + 10 * 365.25 * 86_400_000));
  await page.goto(lesson(second));
  await finish(page).click();
  await emptied(page);
  const years = (await arrived(context.request)).filter(({ verb }) => verb === 'completed').map(({ at }) => Number(at.slice(0, 4)) - new Date().getFullYear());
  expect(years.map((off) => Math.sign(off))).toEqual([-1, 1]);
  await page.goto(`/en/courses/${courseID}`);
  for (const id of [first, second]) await expect(page.locator(`.item[data-item="${id}"]`)).toHaveClass(/done/);
});

test('a line that breaks at every 4 kB only delays it', async ({ browser, baseURL }) => {
  test.setTimeout(240_000);
  const relay = await Relay.listen(baseURL ?? '');
  const context = await browser.newContext({ baseURL: relay.url });
  try {
    const { user, enrollment } = await learner(context);
    const page = await context.newPage();
    await read(page, first);
    await emptied(page);
    const made: string[] = [];
    for (let at = 4096, through = 0; at === 4096 || at < through + 4096; at += 4096) {
      await context.setOffline(true);
      made.push(...(await pile(page, user, enrollment, 400)));
      await context.setOffline(false);
      const before = relay.bytes.up + relay.bytes.down;
      const cuts = relay.cuts;
      relay.cutAfter(at);
      await wake(page);
      await emptied(page);
      relay.mend();
      through = relay.bytes.up + relay.bytes.down - before;
      if (relay.cuts === cuts) break; // all of it is shorter than that
    }
    expect(relay.cuts).toBeGreaterThan(1);
    const all = await arrived(context.request);
    expect(made.filter((id) => all.filter((one) => one.id === id).length !== 1)).toEqual([]);
  } finally {
    await context.close();
    await relay.close();
  }
});

test('a browser that is killed while it sends goes on when it is opened again', async ({ baseURL }) => {
  test.setTimeout(180_000);
  const profile = mkdtempSync(join(tmpdir(), 'banyan-profile-'));
  const relay = await Relay.listen(baseURL ?? '');
  const start = () => chromium.launchPersistentContext(profile, { ...chrome?.launchOptions, baseURL: relay.url, viewport: { width: 360, height: 740 } });
  try {
    let context = await start();
    const { name, user, enrollment } = await learner(context);
    let page = await context.newPage();
    await read(page, first);
    await emptied(page);
    const made: string[] = [];
    // Killed early in the batch, in its middle, and when the answers come.
    for (const bytes of [200, 4000, 9000]) {
      relay.cut();
      made.push(...(await pile(page, user, enrollment, 150)));
      relay.mend();
      relay.shape(twoG);
      const before = relay.bytes.up + relay.bytes.down;
      await wake(page);
      await expect.poll(() => relay.bytes.up + relay.bytes.down - before, { intervals: [20], timeout: 60_000 }).toBeGreaterThan(bytes);
      const gone = new Promise((resolve) => context.once('close', resolve));
      kill(profile);
      await gone;
      relay.shape({});
      context = await start();
      // The cookie may not have come to the disk; what was done has.
      await new Learner(context.request).signIn(name, password);
      page = await context.newPage();
      await read(page, first);
    }
    await emptied(page);
    const all = await arrived(context.request);
    expect(made.filter((id) => all.filter((one) => one.id === id).length !== 1)).toEqual([]);
    await context.close();
  } finally {
    await relay.close();
    rmSync(profile, { recursive: true, force: true });
  }
});

/** As when the battery is taken out: SIGKILL to every process of this profile's browser. */
function kill(profile: string): void {
  const list = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' });
  for (const line of list.split('\n')) {
    if (!line.includes(`--user-data-dir=${profile}`)) continue;
    try {
      process.kill(Number(line.trim().split(/\s+/)[0]), 'SIGKILL');
    } catch {
      // It went with its parent.
    }
  }
}
