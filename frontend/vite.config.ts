import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { devPages } from './vite/dev.ts';
import { labWorkers, packs } from './vite/runner.ts';
import { serviceWorker } from './vite/sw.ts';
import { tidy } from './vite/tidy.ts';
import { words } from './vite/words.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Where BANYAN_LOCALES names another folder, a test adds languages (scripts/pseudo.mjs).
// What `npm run dev` shows: the program that `make run` starts.
const program = process.env['BANYAN_URL'] ?? 'http://localhost:8080';

export default defineConfig({
  plugins: [words(process.env['BANYAN_LOCALES'] ?? here('../internal/i18n/locales')), tidy('index.html'), devPages(program), labWorkers(here('src/features/lab/run/worker')), packs(), serviceWorker(here('src/sw'))],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // The frame and the packs are the program's, with their own policies.
  server: { proxy: { '^/(api|packs|packs\\.json|lab/frame)(/|$)': { target: program, changeOrigin: true } } },
  build: {
    target: 'chrome80',
    outDir: 'dist',
    emptyOutDir: false,
    manifest: true,
    // The server names what a page needs in its head; a helper that does so again is weight.
    modulePreload: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: {
        page: here('src/page.ts'),
        app: here('src/app.tsx'),
        style: here('src/ui/page.css'),
        frame: here('src/features/lab/run/frame.ts'),
      },
      output: {
        codeSplitting: {
          // Few files, since each costs a slow network more than its bytes; and nothing of /app/ on a reading page.
          groups: [
            { name: 'core', test: /node_modules\/(?!@noble|@oxc-project|qr\/)|virtual:words\/page|vite\/preload|\/src\/(api\/(?!uploads).*|i18n\/words|context|next|language|ui\/mount)\.tsx?$/ },
            { name: 'learner', test: /\/src\/(learner\/(enrollment|join|outbox-notes)|offline\/(db|device|locker|outbox|shelf|tabs|uuidv7)|ui\/(notice|bar|task|loaded|confirm-button|sentence))\.tsx?$|ui\/controls\.css/ },
            { name: 'hand-ins', test: /\/src\/offline\/(hand-ins|turns)\.ts$/ },
            // Fetched when the page has been read.
            { name: 'sync', test: /\/src\/(learner\/(joining|known-here|sync-state)|offline\/(fold|history|kept|refusals|sync))\.tsx?$/ },
            { name: 'screens', test: /\/src\/(ui\/.*|router|nav)\.tsx?$/ },
          ],
        },
      },
    },
  },
});
