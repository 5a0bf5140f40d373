// The words that the code asks for, against the catalogue.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compile, localesIn, parts, partOf, type Catalogue, type Entry } from '../../vite/words';

const dir = join(process.cwd(), '../internal/i18n/locales');
const read = (locale: string) => JSON.parse(readFileSync(join(dir, `${locale}.json`), 'utf8')) as Catalogue;
const uiKeys = (words: Catalogue) => Object.keys(words).filter((key) => key.startsWith('ui.'));

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sources(path);
    return /\.tsx?$/.test(name) && !/\.test\.|\.gen\./.test(name) ? [path] : [];
  });
}

const files = sources(join(process.cwd(), 'src')).map((path) => ({ path: relative(join(process.cwd(), 'src'), path), text: readFileSync(path, 'utf8') }));
const code = files.map(({ text }) => text).join('\n');
// Whole keys, and the beginnings of those whose end is computed: `ui.app.role.${role}`.
const whole = new Set(Array.from(code.matchAll(/['"](ui\.[a-z0-9_.]+)['"]/g), (found) => found[1] as string));
const begun = new Set(Array.from(code.matchAll(/`(ui\.[a-z0-9_.]+\.)\$\{(?!string)/g), (found) => found[1] as string));

it('only the console asks for the words that come with it', () => {
  const asks = files.filter(({ text }) => [...text.matchAll(/['"`](ui\.[a-z0-9_.]+)/g)].some(([, key]) => partOf(key as string) === 'console'));
  expect(asks.length).toBeGreaterThan(20);
  expect(asks.filter(({ path }) => !path.startsWith('features/institution/')).map(({ path }) => path)).toEqual([]);
});

const placeholders = (entry: Entry): string[] => {
  const texts = typeof entry === 'string' ? [entry] : Object.values(entry);
  return Array.from(new Set(texts.flatMap((text) => Array.from(text.matchAll(/\{\{\s*\.(\w+)\s*\}\}/g), (found) => found[1] as string)))).sort();
};

describe.each(localesIn(dir))('the words of %s', (locale) => {
  const words = read(locale);
  const english = read('en');

  it('has every key that the code asks for', () => {
    expect(whole.size).toBeGreaterThan(100);
    // With those that are the server's too.
    const known = new Set(parts.flatMap((part) => Object.keys(compile(words, words, part))));
    expect([...whole].filter((key) => !known.has(key.slice(3)))).toEqual([]);
    expect([...begun].filter((start) => !Object.keys(words).some((key) => key.startsWith(start) || `ui.${key}`.startsWith(start)))).toEqual([]);
  });

  it('has no key that nothing asks for', () => {
    const used = (key: string) => whole.has(key) || [...begun].some((start) => key.startsWith(start));
    expect(uiKeys(words).filter((key) => !used(key))).toEqual([]);
  });

  it('has the keys and placeholders of English', () => {
    expect(uiKeys(words)).toEqual(uiKeys(english));
    for (const key of uiKeys(words)) {
      const mine = words[key] as Entry;
      // A form for exactly one or two may do without the number.
      const wanted = placeholders(english[key] as Entry).filter((name) => name !== 'Count');
      expect([key, placeholders(mine).filter((name) => name !== 'Count')]).toEqual([key, wanted]);
    }
  });

  it('has every plural form that the language has', () => {
    const forms = new Intl.PluralRules(locale).resolvedOptions().pluralCategories.slice().sort();
    for (const key of uiKeys(words)) {
      const entry = words[key] as Entry;
      if (typeof entry !== 'string') expect([key, Object.keys(entry).sort()]).toEqual([key, forms]);
      expect(typeof entry === 'string').toBe(typeof english[key] === 'string');
    }
  });
});
