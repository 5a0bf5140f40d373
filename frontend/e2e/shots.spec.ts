// Every screen in the source language, Arabic and Chinese, on phone and desktop, light and dark: to be looked at, and clean to axe.
// SHOTS="zh phone" takes only what has these words in its name.
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { violations } from './axe.ts';
import { program } from './program.ts';
import { as, prepare, screens } from './screens.ts';
import { clipped, foreign } from './sight.ts';

const folder = join(import.meta.dirname, 'shots');
const wanted = (process.env['SHOTS'] ?? '').split(' ').filter(Boolean);
const viewports = { small: { width: 320, height: 568 }, phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 800 } };

test.beforeAll(({ browser }) => prepare(browser));

for (const locale of ['en', 'ar', 'zh']) {
  for (const [size, viewport] of Object.entries(viewports)) {
    for (const colorScheme of ['light', 'dark'] as const) {
      // The smallest screen is there to find what does not fit, and once is enough.
      if (size === 'small' && colorScheme === 'dark') continue;
      for (const shot of screens) {
        const name = `${shot.name} ${locale} ${size} ${colorScheme}`;
        if (!wanted.every((word) => ` ${name} `.includes(` ${word} `))) continue;
        test(name, async ({ browser }) => {
          const page = await as(browser, shot.who, { viewport, colorScheme, locale, deviceScaleFactor: 1 });
          await page.context().addCookies([{ name: 'banyan_locale', value: locale, url: program.url }]);
          const faults: string[] = [];
          page.on('pageerror', (error) => faults.push(error.message));
          page.on('console', (message) => {
            if (/Content Security Policy|Refused/.test(message.text())) faults.push(message.text());
          });
          await page.goto(shot.path(locale), { waitUntil: 'networkidle' });
          await shot.act?.(page);
          await page.screenshot({ path: join(folder, `${name.replace(/ /g, '-')}.png`), fullPage: true });
          expect(faults).toEqual([]);
          const root = page.locator('html');
          await expect(root).toHaveAttribute('lang', locale);
          await expect(root).toHaveAttribute('dir', locale === 'ar' ? 'rtl' : 'ltr');
          expect(await clipped(page), 'text is cut, or the page scrolls sideways').toEqual([]);
          if (locale !== 'en') expect(await foreign(page, locale), 'text in no language of the page').toEqual([]);
          expect(await violations(page)).toEqual([]);
          await page.context().close();
        });
      }
    }
  }
}
