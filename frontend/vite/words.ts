// Compiles the catalogue of words (internal/i18n/locales) into one chunk a locale and part:
// `page` for every reading page, `lab` for what a lab needs besides (keys ui.lab.*), `sync` for what is said of sending and
// fetching (ui.sync.*), `offline` for courses on the device (ui.offline.*, and the server's words of bundles), `app` for the screens
// under /app/ (ui.app.*, ui.device.*).
// A key that a locale lacks gets its English text here, so the page needs no fallback.
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Plugin } from 'vite';

export type Entry = string | Record<string, string>;
export type Catalogue = Record<string, Entry>;
export const parts = ['page', 'lab', 'sync', 'offline', 'app'] as const;
export type Part = (typeof parts)[number];

function partOf(key: string): Part {
  if (key.startsWith('ui.device.')) return 'app';
  return parts.find((part) => key.startsWith(`ui.${part}.`)) ?? 'page';
}

/** Keeps the keys of one part, with the fallback's text where the locale has none. */
export function compile(words: Catalogue, fallback: Catalogue, part: Part): Catalogue {
  const out: Catalogue = {};
  for (const key of Object.keys(fallback)) {
    const entry = words[key] ?? fallback[key];
    if (entry === undefined) continue;
    if (key.startsWith('ui.') && partOf(key) === part) out[key.slice(3)] = entry;
    // What refuses a bundle says the same here and on the server.
    else if (part === 'offline' && key.startsWith('bundle.')) out[key] = entry;
  }
  return out;
}

export function localesIn(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .map((name) => basename(name, '.json'))
    .sort();
}

const list = 'virtual:words';
// Where the words are that no page begins with.
const late = 'virtual:late-words';

export function words(dir: string): Plugin {
  let root = '';
  const read = (locale: string) => JSON.parse(readFileSync(join(dir, `${locale}.json`), 'utf8')) as Catalogue;
  const idOf = (part: string, locale: string) => `${root}/src/i18n/${part}.${locale}.words`;
  return {
    name: 'banyan-words',
    configResolved(config) {
      root = config.root;
    },
    resolveId(id) {
      if (id === list || id === late) return `\0${id}`;
      return id.endsWith('.words') ? id : null;
    },
    load(id) {
      if (id === `\0${list}` || id === `\0${late}`) {
        const loader = (part: string) =>
          `{${localesIn(dir)
            .map((locale) => `${JSON.stringify(locale)}: () => import(${JSON.stringify(idOf(part, locale))})`)
            .join(',')}}`;
        const wanted = parts.filter((part) => (part === 'sync' || part === 'offline') === (id === `\0${late}`));
        return wanted.map((part) => `export const ${part} = ${loader(part)};`).join('\n');
      }
      const match = /\/src\/i18n\/(page|lab|sync|offline|app)\.([A-Za-z-]+)\.words$/.exec(id);
      if (!match) return null;
      const locale = match[2] as string;
      this.addWatchFile(join(dir, `${locale}.json`));
      return `export default ${JSON.stringify(compile(read(locale), read('en'), match[1] as Part))}`;
    },
  };
}
