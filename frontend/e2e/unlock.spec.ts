// Two learners on one phone: each with a PIN, without the network, and none in the other's name. The program is real; what is cut is its API,
// as a network is that comes and goes. offline.spec.ts has the whole phone without a network.
import { expect, test, type BrowserContext, type Page } from '@playwright/test';
import { violations } from './axe.ts';
import { courseID, items } from './course.ts';
import { everything } from './device.ts';
import { Learner } from './learner.ts';
import { words } from './words.ts';

const t = words('en');
const password = 'a long password';
const lesson = items().find(({ kind }) => kind === 'lesson')?.id ?? '';

test.use({ locale: 'en', serviceWorkers: 'block' });

/** A network that can be pulled out. */
async function cord(context: BrowserContext): Promise<{ pull(): Promise<void>; plug(): Promise<void> }> {
  const cut = /\/api\//;
  return {
    pull: async () => void (await context.route(cut, (route) => route.abort())),
    plug: async () => void (await context.unroute(cut)),
  };
}

async function signUp(page: Page, username: string, name: string, pin: string): Promise<void> {
  await page.goto('/app/sign-up');
  await page.getByLabel(t('ui.app.display_name')).fill(name);
  await page.getByLabel(t('ui.app.username')).fill(username);
  await page.getByLabel(t('ui.app.password')).fill(password);
  await page.getByRole('button', { name: t('ui.sign_up') }).click();
  await expect(page).toHaveURL(/\/app\/device/);
  await page.getByLabel(t('ui.device.shared')).check();
  expect(await violations(page), 'whose device').toEqual([]);
  await page.getByLabel(t('ui.device.new_pin')).fill(pin);
  await page.getByLabel(t('ui.device.again')).fill(pin);
  await page.getByRole('button', { name: t('ui.device.go_on') }).click();
  await expect(page).toHaveURL(/\/app\/?$/);
}

async function signOut(page: Page): Promise<void> {
  await page.goto('/app/account');
  await page.getByRole('button', { name: t('ui.app.account.sign_out') }).click();
  await expect(page).toHaveURL(/\/app\/sign-in/);
  await expect(page.getByText(t('ui.device.who'))).toBeVisible();
}

async function unlock(page: Page, name: string, pin: string): Promise<void> {
  await page.getByRole('button', { name }).click();
  await page.getByLabel(t('ui.device.pin')).fill(pin);
  await page.getByRole('button', { name: t('ui.device.unlock'), exact: true }).click();
}

const me = (page: Page) => page.evaluate(async () => ((await (await fetch('/api/me')).json()) as { username?: string }).username);

test('two learners share a phone, without a network too', async ({ page, context, baseURL, browser }, info) => {
  test.setTimeout(240_000);
  const tag = info.project.name || 'one';
  const [amina, yusuf] = [`amina-${tag}`, `yusuf-${tag}`];
  const network = await cord(context);

  await signUp(page, amina, 'Amina Diallo', '2468');
  await new Learner(context.request).enrol();

  await test.step('work without the network waits, sealed', async () => {
    await page.goto(`/en/courses/${courseID}/${lesson}`);
    await expect(page.getByRole('button', { name: t('ui.lesson.finish') })).toBeVisible();
    await network.pull();
    await page.getByRole('button', { name: t('ui.lesson.finish') }).click();
    await expect(page.getByText(t('ui.lesson.read'))).toBeVisible();
    const all = await everything(page);
    expect(all).toContain('"sealed":1');
    for (const hidden of [lesson, 'bd_', amina, '2468']) expect(all, hidden).not.toContain(hidden);
  });

  await test.step('she signs out without the network; nobody is let in by the cookie that is left', async () => {
    await signOut(page);
    expect(await violations(page), 'who are you').toEqual([]);
    await network.plug();
    await page.reload();
    await expect(page.getByText(t('ui.device.who'))).toBeVisible();
    expect(await me(page)).toBeUndefined();
  });

  await test.step('he comes, with the network', async () => {
    await signUp(page, yusuf, 'Yusuf Karimi', '1357');
    expect(await me(page)).toBe(yusuf);
  });

  await test.step('a wrong PIN opens nothing, the right one does, over a reload too', async () => {
    await signOut(page);
    await network.pull();
    await page.reload();
    for (const name of ['Amina', 'Yusuf']) await expect(page.getByRole('button', { name })).toBeVisible();
    await unlock(page, 'Amina', '1357');
    await expect(page.getByText(t('ui.device.wrong_pin'))).toBeVisible();
    expect(await violations(page), 'a wrong PIN').toEqual([]);
    await page.getByLabel(t('ui.device.pin')).fill('2468');
    await page.getByRole('button', { name: t('ui.device.unlock'), exact: true }).click();
    await expect(page.getByText(t('ui.device.local'))).toBeVisible();
    await page.reload();
    await expect(page.getByText(t('ui.device.local'))).toBeVisible();
    await page.goto('/app/account');
    // One thing of hers waits, and of his nothing is to be seen.
    await expect(page.locator('body')).toContainText(t('ui.device.sealed'));
    await expect(page.locator('body')).not.toContainText('Yusuf');
  });

  await test.step('with the network her work goes out in her name, not under his cookie', async () => {
    await network.plug();
    await page.goto('/app/');
    await expect.poll(() => me(page)).toBe(amina);
    const hers = await browser.newContext({ baseURL });
    const learner = new Learner(hers.request);
    await learner.signIn(amina, password);
    await expect
      .poll(async () => (await learner.call<{ items: { object_id: string; verb: string }[] }>('GET', '/api/statements')).items.filter(({ object_id, verb }) => object_id === lesson && verb === 'completed').length)
      .toBe(1);
    await hers.close();
  });

  await test.step('a device that is revoked keeps the work and asks for the password', async () => {
    await signOut(page);
    await unlock(page, 'Yusuf', '1357');
    await expect(page).toHaveURL(/\/app\/?$/);
    await expect.poll(() => me(page)).toBe(yusuf);
    const elsewhere = await browser.newContext({ baseURL });
    const learner = new Learner(elsewhere.request);
    await learner.signIn(yusuf, password);
    const { items: devices } = await learner.call<{ items: { id: string }[] }>('GET', '/api/devices');
    expect(devices).toHaveLength(1);
    await elsewhere.request.delete(`/api/devices/${devices[0]?.id}`, { headers: { Origin: baseURL ?? '' } });
    await elsewhere.close();
    await page.reload();
    await expect(page.getByText(t('ui.device.away'))).toBeVisible();
    expect(await violations(page), 'revoked').toEqual([]);
    await page.locator('.notice').getByRole('link', { name: t('ui.sign_in') }).click();
    await page.getByLabel(t('ui.app.password')).fill(password);
    await page.getByRole('button', { name: t('ui.sign_in') }).click();
    await expect(page.getByText(t('ui.device.away'))).toBeHidden();
    await page.reload();
    await expect(page).toHaveURL(/\/app\/?$/);
    await expect(page.getByText(t('ui.device.away'))).toBeHidden();
    expect(await me(page)).toBe(yusuf);
  });

  await test.step('closing the browser locks', async () => {
    await page.close();
    const next = await context.newPage();
    await next.goto('/app/');
    await expect(next.getByText(t('ui.device.who'))).toBeVisible();
    // A forgotten PIN: the password opens the same drawer.
    await next.getByRole('button', { name: 'Amina' }).click();
    await next.getByRole('button', { name: t('ui.device.forgot') }).click();
    await next.getByLabel(t('ui.app.username')).fill(amina);
    await next.getByLabel(t('ui.app.password')).fill(password);
    await next.getByRole('button', { name: t('ui.sign_in') }).click();
    await expect(next).toHaveURL(/\/app\/?$/);
    await next.goto('/app/account');
    await expect(next.getByText(t('ui.device.sealed'))).toBeVisible();
    expect(await violations(next), 'account').toEqual([]);
    // A second tab of hers needs no PIN; one that is locked locks both.
    const second = await context.newPage();
    await second.goto('/app/account');
    await expect(second.getByText(t('ui.device.sealed'))).toBeVisible();
    await second.getByRole('button', { name: t('ui.app.account.sign_out') }).click();
    await expect(next.getByText(t('ui.device.who'))).toBeVisible();
  });
});
