// Every screen on a phone in two languages that nobody speaks: one longer than English by two fifths, one from right to
// left. All text of ours comes from the catalogue, so all of it stands in brackets.
import { expect, test, type Page } from '@playwright/test';
import { program } from './program.ts';
import { as, prepare, screens } from './screens.ts';
import { clipped, spoken } from './sight.ts';

const wanted = (process.env['SHOTS'] ?? '').split(' ').filter(Boolean);

// What people, courses, accounts, forms of files and browsers are called, and what stands in the certificate of elsewhere.
const names =
  /did:web:\S+|Banyan( contributors| [A-Z]\w+)*|CC-BY-SA-4\.0|Rosa Quispe|Layla Haddad|Chen Wei|amina|yusuf|AI in daily life|Demo \w+|ليلى حسن 𠮷|Oasis|River College|First steps|A first course\.|Has passed "all" of it\.|\b(PDF|PNG|SVG|JWT|JSON)\b|AI foundations|AI and rights: staying safe|Teaching with AI|Zola Mbeki|zola|Amina Diallo|Yusuf Karimi|\b(Mozilla|Chrome|Linux|HeadlessChrome|en-XA|ar-XB)\b/g;

/** The words of dates, which are the browser's and not ours. */
const dates = new RegExp(
  ['en', 'ar'].flatMap((locale) =>
    Array.from({ length: 24 }, (_, i) =>
      new Intl.DateTimeFormat(`${locale}-u-ca-gregory`, { year: 'numeric', month: 'long', day: 'numeric', hour: '2-digit', minute: '2-digit', timeZone: 'UTC' })
        .formatToParts(Date.UTC(2026, i % 12, 1, i))
        .filter(({ type, value }) => ['month', 'dayPeriod', 'literal'].includes(type) && /\p{L}/u.test(value))
        .map(({ value }) => value.trim()),
    ).flat(),
  )
    .filter((word, i, all) => all.indexOf(word) === i)
    .map((word) => `(?<!\\p{L})${word}(?!\\p{L})`)
    .join('|'),
  'gu',
);

/** What is left of a text without what stands in brackets, nested or not. */
function unbracketed(text: string): string {
  for (;;) {
    const less = text.replace(/⟦[^⟦⟧]*⟧/g, '');
    if (less === text) return less.replace(names, '').replace(dates, '');
    text = less;
  }
}

/** The texts of a page that are not of the catalogue. A sentence with elements inside is one text. */
async function foreign(page: Page): Promise<string[]> {
  const blocks = new Map<number, { where: string; text: string }>();
  for (const { where, text, block } of await spoken(page)) {
    const known = blocks.get(block);
    if (known) known.text += ` ${text}`;
    else blocks.set(block, { where, text });
  }
  return Array.from(blocks.values())
    .filter(({ text }) => /\p{L}{2}/u.test(unbracketed(text)))
    .map(({ where, text }) => `${where}: ${text.slice(0, 90)}`);
}

test.beforeAll(({ browser }) => prepare(browser));

// Their words are those of the example's screens.
const alike = /^shipped-(course|lesson|safety|teaching)$/;

for (const [locale, dir] of Object.entries({ 'en-XA': 'ltr', 'ar-XB': 'rtl' })) {
  for (const screen of screens) {
    const name = `${screen.name} ${locale}`;
    if (alike.test(screen.name) || !wanted.every((word) => ` ${name} `.includes(` ${word} `))) continue;
    test(name, async ({ browser }, info) => {
      const page = await as(browser, screen.who, { viewport: { width: 360, height: 740 }, locale });
      await page.context().addCookies([{ name: 'banyan_locale', value: locale, url: program.url }]);
      await page.goto(screen.path(locale), { waitUntil: 'networkidle' });
      await screen.act?.(page);
      await expect(page.locator('html')).toHaveAttribute('dir', dir);
      await expect(page.locator('html')).toHaveAttribute('lang', locale);
      expect.soft(await clipped(page), 'text is cut, or the page scrolls sideways').toEqual([]);
      expect.soft(await foreign(page), 'text that is not of the catalogue').toEqual([]);
      if (info.errors.length) await page.screenshot({ path: info.outputPath('screen.png'), fullPage: true });
      await page.context().close();
    });
  }
}

// The eyes themselves: what they are for, planted on one page.
test('what is wrong is seen', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.setContent(`<!doctype html><html lang="en-XA"><body style="margin:0">
    <p>⟦fine ⟦and⟧ fine⟧ · 3</p><p>⟦on <b>⟦1⟧</b> March<bdi lang="en">A course</bdi>⟧ at 10</p><p lang="en">Another language, marked</p><code>code()</code>
    <p id="plain">Hard-coded</p><button aria-label="Close">×</button><input placeholder="Name">
    <div class="cut" style="width:60px;overflow:hidden;white-space:nowrap">⟦a text that is too long⟧</div>
    <div class="out" style="width:60px;white-space:nowrap">⟦a text that leaves its box⟧</div>
    <div style="width:60px;overflow-x:auto;white-space:nowrap">⟦a text that may be scrolled⟧</div>
  </body></html>`);
  expect((await foreign(page)).map((one) => one.split(':')[0]).sort()).toEqual(['button aria-label', 'input placeholder', 'p']);
  expect((await clipped(page)).map((one) => one.split(':')[0])).toEqual(['div.cut', 'div.out']);
  await page.evaluate(() => document.body.insertAdjacentHTML('beforeend', '<div style="width:500px">⟦x⟧</div>'));
  expect(await clipped(page)).toContain('page: 140px too wide');
});
