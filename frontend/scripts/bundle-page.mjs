// A page with the reading side of bundles, and courses for it: for what must be tried in a real browser.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const common = { configFile: false, root: here('..'), logLevel: 'error' };

/** The script of the page, as the oldest browser that we serve would get it. */
async function script() {
  const { output } = await build({
    ...common,
    build: { write: false, minify: true, target: 'chrome80', modulePreload: false, rolldownOptions: { input: here('../src/offline/bundle/testing/page.ts'), output: { entryFileNames: 'page.js', codeSplitting: false } } },
  }).then((built) => (Array.isArray(built) ? built[0] : built));
  return output[0].code;
}

/** What makes courses. */
async function maker() {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-maker-'));
  try {
    await build({ ...common, build: { ssr: here('../src/offline/bundle/testing/maker.ts'), outDir: folder, emptyOutDir: false, rolldownOptions: { output: { entryFileNames: 'maker.mjs' } } } });
    return await import(pathToFileURL(join(folder, 'maker.mjs')).href);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Serves the page at / and whatever `files` has by its address: bytes, or a handler. The page's `bundles` are the functions of the
 * reading side.
 */
export async function bundlePage(files = new Map()) {
  const code = await script();
  const server = createServer((request, response) => {
    const found = files.get(request.url);
    if (typeof found === 'function') return found(request, response);
    if (found) return response.writeHead(200, { 'Content-Type': 'application/vnd.banyan.pack' }).end(found);
    if (request.url === '/page.js') return response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(code);
    if (request.url === '/') return response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>Bundles</title><script type="module" src="/page.js"></script>');
    response.writeHead(404).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    files,
    maker: await maker(),
    bytes: code.length,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
