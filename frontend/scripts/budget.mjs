// What the first visit may weigh, brotli: `npm run budget` after a build. Fails with the list of files.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const root = join(import.meta.dirname, '..');
const kib = 1024;
const budgets = [
  { name: 'JavaScript of a first lesson', limit: 20 * kib, entry: 'src/page.ts', islands: ['account', 'progress'], page: 'lesson' },
  { name: 'JavaScript of a quiz', limit: 24 * kib, entry: 'src/page.ts', islands: ['account', 'quiz'], page: 'quiz' },
  { name: 'JavaScript of a lab', limit: 30 * kib, entry: 'src/page.ts', islands: ['account', 'lab'], page: 'lab' },
];
const firstLesson = 40 * kib;
// The longest shipped lesson has some 5 kB of HTML; another course may have more.
const lessonHTML = 9 * kib;

const manifest = JSON.parse(readFileSync(join(root, 'dist/.vite/manifest.json'), 'utf8'));
const sizes = new Map();

function size(file) {
  if (!sizes.has(file)) {
    const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
    sizes.set(file, brotliCompressSync(readFileSync(join(root, 'dist', file)), options).length);
  }
  return sizes.get(file);
}

// Everything that the server names in the head of a page, as api/web/assets.go collects it.
function collect(name, scripts, sheets) {
  const entry = manifest[name];
  if (!entry) throw new Error(`The manifest has no ${name}.`);
  if (scripts.has(entry.file)) return;
  scripts.add(entry.file);
  for (const file of entry.css ?? []) sheets.add(file);
  for (const other of entry.imports ?? []) collect(other, scripts, sheets);
}

let failed = false;
const report = (name, total, limit, files) => {
  const over = total > limit;
  failed ||= over;
  console.log(`${over ? 'TOO MUCH' : 'ok      '}  ${name}: ${(total / kib).toFixed(1)} of ${(limit / kib).toFixed(0)} KiB`);
  if (over) for (const file of files) console.log(`          ${String(size(file)).padStart(6)}  ${file}`);
};

report('Service worker', size('sw.js'), 4 * kib, ['sw.js']);

const locales = Object.keys(manifest).map((key) => /\/page\.([\w-]+)\.words$/.exec(key)?.[1]).filter(Boolean);
if (!locales.length) throw new Error('The manifest has no words.');
for (const locale of locales) {
  for (const { name, limit, entry, islands, page } of budgets) {
    const scripts = new Set();
    const sheets = new Set();
    collect(entry, scripts, sheets);
    collect(`src/i18n/page.${locale}.words`, scripts, sheets);
    for (const island of islands) collect(`src/features/${island}/island.tsx`, scripts, sheets);
    if (page === 'lab') collect(`src/i18n/lab.${locale}.words`, scripts, sheets);
    const total = [...scripts].reduce((sum, file) => sum + size(file), 0);
    report(`${name}, ${locale}`, total, limit, scripts);
    if (page === 'lesson') {
      const style = manifest['src/ui/page.css'].file;
      const all = [...scripts, ...sheets, style];
      report(`First lesson in all, ${locale}`, all.reduce((sum, file) => sum + size(file), lessonHTML), firstLesson, all);
    }
  }
}
process.exit(failed ? 1 : 0);
