// The desk of a lab, as hands meet it: typing, running in the page, what an error leads to. Nobody needs an account for it.
import { expect, test, type Page } from '@playwright/test';
import { violations } from './axe.ts';
import { courseID, solution } from './course.ts';
import { words } from './words.ts';

const t = words('en');
const lab = `/en/courses/${courseID}/nearest-leaf`;

test.describe('typing', () => {
  test.use({ hasTouch: true });

  test('helps a beginner, and undo takes every help back', async ({ page }) => {
    const { code, keyboard } = await open(page);
    await code.fill('');
    await keyboard.type('def f(a):');
    await keyboard.press('Enter');
    await keyboard.type('if a:');
    await keyboard.press('Enter');
    await keyboard.type('return 1');
    await keyboard.press('Enter');
    await expect(code).toHaveValue('def f(a):\n    if a:\n        return 1\n    ');
    await keyboard.press('Backspace');
    await expect(code).toHaveValue('def f(a):\n    if a:\n        return 1\n');
    await keyboard.press('Control+z');
    await keyboard.type('b');
    await keyboard.press('Control+a');
    await keyboard.press('Tab');
    await keyboard.press('Tab');
    await expect(code).toHaveValue('        def f(a):\n            if a:\n                return 1\n            b');
    await keyboard.press('Shift+Tab');
    await keyboard.press('Shift+Tab');
    await expect(code).toHaveValue('def f(a):\n    if a:\n        return 1\n    b');
    await keyboard.press('Control+z');
    await keyboard.press('Control+z');
    await keyboard.press('Control+z');
    await expect(code).toHaveValue('    def f(a):\n        if a:\n            return 1\n        b');
  });

  test('has a row of signs for fingers, a way out for keyboards, and a memory', async ({ page }) => {
    const { code, keyboard } = await open(page);
    await code.fill('y = 2');
    await keyboard.press('Control+End');
    const keys = page.locator('.editor-keys');
    await keys.getByText('(', { exact: true }).tap();
    await keys.getByText(')', { exact: true }).tap();
    await keys.getByLabel(t('ui.lab.key.left')).tap();
    await keyboard.type('a');
    await expect(code).toHaveValue('y = 2(a)');
    await keys.getByLabel(t('ui.lab.key.undo')).tap();
    await expect(code).toHaveValue('y = 2()');
    await keys.getByLabel(t('ui.lab.key.redo')).tap();
    await expect(code).toBeFocused();
    await expect(page.getByText(t('ui.lab.saved'))).toBeVisible();
    await keyboard.press('Escape');
    await keyboard.press('Tab');
    await expect(page.getByRole('button', { name: t('ui.lab.run'), exact: true })).toBeFocused();
    await page.reload();
    await expect(code).toHaveValue('y = 2(a)');
    await page.getByRole('button', { name: t('ui.lab.start_over') }).click();
    await page.getByRole('button', { name: t('ui.lab.start_over_sure') }).click();
    await expect(code).not.toHaveValue('y = 2(a)');
    await keyboard.press('Control+z');
    await expect(code).toHaveValue('y = 2(a)');
  });
});

test('runs code in the page: an error, an endless loop, a chart, and the right answer', async ({ page }) => {
  const { code, keyboard } = await open(page);
  const run = async (source: string) => {
    await code.fill(source);
    await page.getByRole('button', { name: t('ui.lab.run'), exact: true }).click();
  };
  const status = page.locator('.bench .notice').first();

  await test.step('asks which Python, once', async () => {
    await run('# first\nfor i in range(2):\n    print(1 / 0)\n');
    await page.getByText(t('ui.lab.run.name.light'), { exact: true }).click();
    expect(await violations(page)).toEqual([]);
    await page.locator('.pack-choice button[type=submit]').click();
    await expect(status).toHaveText(t('ui.lab.bench.end.error'));
  });

  await test.step('a tap on the line of the error goes there', async () => {
    await expect(page.locator('.traceback')).toContainText('ZeroDivisionError');
    await expect(page.locator('.editor-numbers mark')).toHaveText('3');
    await page.locator('.to-line').last().click();
    await expect(code).toBeFocused();
    expect(await code.evaluate((area: HTMLTextAreaElement) => area.selectionStart)).toBe('# first\nfor i in range(2):\n    '.length);
    expect(await violations(page)).toEqual([]);
    await keyboard.press('End');
  });

  await test.step('Stop ends what never ends, and output came before that', async () => {
    await run('n = 0\nwhile True:\n    n += 1\n    if n % 20000 == 0: print("begun")\n');
    await expect(page.locator('.output')).toContainText('begun');
    await page.getByRole('button', { name: t('ui.lab.stop') }).click();
    await expect(status).toHaveText(t('ui.lab.bench.end.stopped'));
  });

  await test.step('draws what the banyan module prints', async () => {
    await run('import banyan\nprint("before")\nbanyan.bar({"maize": 61, "bean": 8}, title="Leaves")\nbanyan.table([{"a": 1}])\nprint("\\x1e<img src=x onerror=alert(1)>")\n');
    const chart = page.getByRole('img', { name: /^Leaves\. / });
    await expect(chart).toBeVisible();
    await expect(page.locator('.output td.number', { hasText: '1' }).last()).toBeVisible();
    await expect(page.locator('.output pre').last()).toHaveText('<img src=x onerror=alert(1)>');
    expect(await page.locator('.output img').count()).toBe(0);
    expect(await violations(page)).toEqual([]);
  });

  await test.step('judges what it may', async () => {
    await run(solution('nearest-leaf'));
    await expect(status).toHaveClass(/good/);
    await expect(page.getByText(t('ui.lab.bench.preview'))).toBeVisible();
    await expect(page.locator('.bench .check-results .tick')).not.toHaveCount(0);
    await expect(page.locator('.bench .check-results .cross')).toHaveCount(0);
  });

  await test.step('and once more without the network', async () => {
    await page.context().setOffline(true);
    await run('print("offline")');
    await expect(page.locator('.output pre').first()).toHaveText('offline');
    await page.context().setOffline(false);
  });
});

test('hints come one after another', async ({ page }) => {
  await open(page);
  await expect(page.locator('.hints li')).toHaveCount(0);
  await page.locator('.hints button').click();
  await expect(page.locator('.hints li')).toHaveCount(1);
  await page.reload();
  await expect(page.locator('.hints li')).toHaveCount(1);
});

async function open(page: Page) {
  await page.goto(lab);
  const code = page.locator('#code');
  await code.waitFor();
  await code.focus();
  return { code, keyboard: page.keyboard };
}
