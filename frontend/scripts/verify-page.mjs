// How long a phone takes to check a certificate once its QR code was decoded: `make bench BENCH=verify-page`. Prints one line of JSON. It holds the
// reader in Chromium to what Go says of every credential first, for what is wrong need not be measured.
import { chromium } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, loadConfigFromFile } from 'vite';

const slowdown = 6;
const rounds = 15;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const testdata = join(import.meta.dirname, '../../internal/credential/code/testdata');
const all = JSON.parse(readFileSync(join(testdata, 'airplane.json'), 'utf8'));
const pack = readFileSync(join(testdata, 'airplane.banyan'));
const median = (values) => values.slice().sort((a, b) => a - b)[values.length >> 1];

// The page speaks to the server too, and that wants the words.
const { config } = await loadConfigFromFile({ command: 'build', mode: 'production' }, here('../vite.config.ts'));
const plugins = config.plugins.flat().filter(({ name }) => name === 'banyan-words');

/** The script of the page, as the oldest browser that we serve would get it. */
const built = await build({
  configFile: false, root: here('..'), logLevel: 'error', plugins,
  build: { write: false, minify: true, target: 'chrome80', modulePreload: false, rolldownOptions: { input: here('../src/offline/credential/testing/page.ts'), output: { entryFileNames: 'page.js', codeSplitting: false } } },
});
const code = (Array.isArray(built) ? built[0] : built).output[0].code;
const server = createServer((request, response) => {
  if (request.url === '/page.js') return response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(code);
  if (request.url === '/pack') return response.writeHead(200, { 'Content-Type': 'application/octet-stream' }).end(pack);
  response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>Check</title><script type="module" src="/page.js"></script>');
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });

try {
  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.goto(`http://127.0.0.1:${server.address().port}/`);
  await tab.waitForFunction(() => 'credentials' in globalThis);
  await tab.evaluate(async () => globalThis.credentials.takeTrust((await fetch('/pack')).body, 'server'));
  for (const one of all) {
    const { state, reasons } = await tab.evaluate(([text, now]) => globalThis.credentials.check(text, Date.parse(now)), [one.text, one.now]);
    const got = [state, ...reasons.map(({ why }) => why)].join(' ');
    const want = (one.page ? ['unknown', one.page] : [one.state, ...(one.reasons ?? [])]).join(' ');
    if (got !== want) throw new Error(`${one.name}: ${got} instead of ${want}`);
  }
  const cdp = await context.newCDPSession(tab);
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
  const times = async (name) => {
    const one = all.find((one) => one.name === name);
    const taken = [];
    for (let round = 0; round < rounds; round++) {
      taken.push(
        await tab.evaluate(async ([text, now]) => {
          const begin = performance.now();
          await globalThis.credentials.check(text, Date.parse(now));
          return performance.now() - begin;
        }, [one.text, one.now]),
      );
    }
    return median(taken);
  };
  const native = { code_ms: await times('a code'), document_ms: await times('a document') };
  // Chrome has Ed25519 since 137: before that, JavaScript checks the signature.
  await tab.evaluate(() => {
    crypto.subtle.importKey = () => Promise.reject(new DOMException('no', 'NotSupportedError'));
  });
  console.log(JSON.stringify({ checked: all.length, ...native, old_code_ms: await times('a code') }));
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}
