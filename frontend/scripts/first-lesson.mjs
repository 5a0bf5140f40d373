// How long a learner waits for a lesson: `make bench BENCH=first-lesson`. Reads a lesson of the server that is named, through a TCP relay that is as
// slow and as far as a mobile network, in Chromium with its processor slowed six times. Prints one line of JSON: medians in milliseconds.
import { chromium } from '@playwright/test';
import { runnerImport } from 'vite';

const [server, course, lesson] = process.argv.slice(2);
const slowdown = 6;
const rounds = 5;
const address = `/en/courses/${course}/${lesson}`;
const { module } = await runnerImport(new URL('../e2e/relay.ts', import.meta.url).pathname);
const { Relay, threeG, twoG } = module;
const relay = await Relay.listen(server);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
const median = (values) => values.slice().sort((a, b) => a - b)[values.length >> 1];

/** Readable: the largest text stands on the screen. Interactive: the page's own script has run, and no long task of the load is left. */
async function visit(page) {
  await page.goto(address, { waitUntil: 'load', timeout: 120_000 });
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        let readable = 0;
        let busy = 0;
        const [{ domContentLoadedEventEnd, loadEventEnd }] = performance.getEntriesByType('navigation');
        const done = () => resolve({ readable, interactive: Math.max(readable, domContentLoadedEventEnd, busy) });
        new PerformanceObserver((list) => {
          for (const { startTime, duration } of list.getEntries()) if (startTime <= loadEventEnd) busy = Math.max(busy, startTime + duration);
        }).observe({ type: 'longtask', buffered: true });
        new PerformanceObserver((list) => {
          for (const { startTime } of list.getEntries()) readable = startTime;
          if (readable) setTimeout(done, 100);
        }).observe({ type: 'largest-contentful-paint', buffered: true });
      }),
  );
}

async function open() {
  const context = await browser.newContext({ baseURL: relay.url, viewport: { width: 360, height: 740 } });
  const page = await context.newPage();
  const slow = async (rate) => (await context.newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate });
  return { context, page, slow };
}

/** What a first and a second visit over a line cost, with an empty browser each time. */
async function over(line) {
  const first = [];
  const second = [];
  for (let round = 0; round < rounds; round++) {
    const { context, page, slow } = await open();
    await slow(slowdown);
    relay.shape(line);
    first.push(await visit(page));
    // What the page keeps of itself when it is idle is there before the learner comes again.
    relay.shape({});
    await page.waitForFunction(() => caches.match('/shell/en.json').then(Boolean));
    relay.shape(line);
    second.push(await visit(page));
    relay.shape({});
    await context.close();
  }
  const of = (all, what) => median(all.map((one) => one[what]));
  return { readable_ms: of(first, 'readable'), interactive_ms: of(first, 'interactive'), second_ms: of(second, 'readable') };
}

/** The same lesson with the course downloaded and no server. */
async function away() {
  const { context, page, slow } = await open();
  await page.goto(`/en/courses/${course}`);
  await page.locator('.keep summary').click();
  await page.locator('.keep details .buttons .button:enabled').first().click();
  await page.locator('.keep > .tick').waitFor();
  await page.waitForFunction(() => caches.match('/shell/en.json?whole').then(Boolean));
  relay.cut();
  await slow(slowdown);
  const all = [];
  for (let round = 0; round < rounds; round++) all.push((await visit(page)).readable);
  relay.mend();
  await context.close();
  return median(all);
}

try {
  console.log(JSON.stringify({ three_g: await over(threeG), two_g: await over(twoG), offline_ms: await away() }));
} finally {
  await browser.close();
  await relay.close();
}
