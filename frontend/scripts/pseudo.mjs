// Builds a program that speaks two languages that nobody speaks, into build/pseudo: made of the English words when a test
// wants them, never shipped. What breaks in them would break in a language that we do not read; words that are not
// theirs stand in the code. Nothing in the tree changes: `go build` sees the added files through an overlay.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';


/** Longer by two fifths, with accents above and below. */
const accented = 'en-XA';
/** Written from right to left, in Arabic letters. */
const mirrored = 'ar-XB';

const latin = {
  a: 'å', b: 'ƀ', c: 'ç', d: 'ð', e: 'é', f: 'ƒ', g: 'ĝ', h: 'ĥ', i: 'î', j: 'ĵ', k: 'ķ', l: 'ļ', m: 'ɱ', n: 'ñ', o: 'ö', p: 'þ', q: 'ǫ', r: 'ŕ', s: 'š', t: 'ţ', u: 'û', v: 'ṽ', w: 'ŵ', x: 'ẋ', y: 'ý', z: 'ž',
  A: 'Å', B: 'Ɓ', C: 'Ç', D: 'Ð', E: 'É', F: 'Ƒ', G: 'Ĝ', H: 'Ĥ', I: 'Î', J: 'Ĵ', K: 'Ķ', L: 'Ļ', M: 'Ṁ', N: 'Ñ', O: 'Ö', P: 'Þ', Q: 'Ǫ', R: 'Ŕ', S: 'Š', T: 'Ţ', U: 'Û', V: 'Ṽ', W: 'Ŵ', X: 'Ẋ', Y: 'Ý', Z: 'Ž',
};
const arabic = {
  a: 'ا', b: 'ب', c: 'ص', d: 'د', e: 'ي', f: 'ف', g: 'غ', h: 'ه', i: 'ي', j: 'ج', k: 'ك', l: 'ل', m: 'م', n: 'ن', o: 'و', p: 'ب', q: 'ق', r: 'ر', s: 'س', t: 'ت', u: 'و', v: 'ف', w: 'و', x: 'خ', y: 'ي', z: 'ز',
};

const slots = /(\{\{\s*\.\w+\s*\}\})/;

function each(text, change) {
  return text.split(slots).map((part) => (slots.test(part) ? part : change(part))).join('');
}

// The added length is words, so that it may wrap as a translation does; in a single word it makes the word longer.
function longer(text) {
  const more = Math.ceil(text.replace(/\{\{.*?\}\}/g, '').length * 0.4) - 2; // the brackets are length too
  const filler = 'õñé ţŵö ţĥŕéé ƒöûŕ ';
  if (more <= 0) return '';
  return (/\s/.test(text) ? ' ' : '') + filler.repeat(Math.ceil(more / filler.length)).slice(0, more).trimEnd();
}

function pseudoText(locale, text) {
  if (locale === mirrored) return `⟦${each(text, (words) => words.replace(/[A-Za-z]/g, (letter) => arabic[letter.toLowerCase()] ?? letter))}⟧`;
  return `⟦${each(text, (words) => words.replace(/[A-Za-z]/g, (letter) => latin[letter] ?? letter))}${longer(text)}⟧`;
}

function pseudoEntry(locale, entry) {
  if (typeof entry === 'string') return pseudoText(locale, entry);
  const out = {};
  for (const form of new Intl.PluralRules(locale).resolvedOptions().pluralCategories) {
    out[form] = pseudoText(locale, entry[form] ?? entry['other'] ?? '');
  }
  return out;
}

function pseudo(locale, english) {
  return Object.fromEntries(Object.entries(english).map(([key, entry]) => [key, pseudoEntry(locale, entry)]));
}

const root = join(import.meta.dirname, '../..');
const to = join(root, 'build/pseudo');
const locales = join(to, 'locales');
const dist = join(to, 'dist');

function filesIn(folder, under = '') {
  return readdirSync(join(folder, under)).flatMap((name) => {
    const path = join(under, name);
    return statSync(join(folder, path)).isDirectory() ? filesIn(folder, path) : [path];
  });
}

rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });
const real = join(root, 'internal/i18n/locales');
cpSync(real, locales, { recursive: true });
const english = JSON.parse(readFileSync(join(real, 'en.json'), 'utf8'));
for (const locale of [accented, mirrored]) {
  writeFileSync(join(locales, `${locale}.json`), `${JSON.stringify(pseudo(locale, english), null, 2)}\n`);
}

execFileSync('npx', ['vite', 'build', '--logLevel', 'error', '--outDir', dist, '--emptyOutDir'], {
  cwd: join(root, 'frontend'),
  stdio: 'inherit',
  env: { ...process.env, BANYAN_LOCALES: locales },
});

const replace = {};
const overlay = (folder, by) => {
  for (const path of filesIn(join(root, folder))) replace[join(root, folder, path)] = '';
  for (const path of filesIn(by)) replace[join(root, folder, path)] = join(by, path);
};
overlay('internal/i18n/locales', locales);
overlay('frontend/dist', dist);
writeFileSync(join(to, 'overlay.json'), JSON.stringify({ Replace: replace }));
execFileSync('go', ['build', '-overlay', join(to, 'overlay.json'), '-o', join(to, 'banyan-api'), './api'], { cwd: root, stdio: 'inherit' });
