// Compiles the catalogue of words (internal/i18n/locales) into one chunk a locale and part:
// `page` for every reading page, `lab` for what a lab needs besides (keys ui.lab.*), `sync` for what is said of sending and
// fetching (ui.sync.*), `offline` for courses on the device (ui.offline.*, and the server's words of bundles), `verify` for what is said of
// certificates (ui.verify.*, and the server's words of states, reasons and paper), `award` for what a certificate waits for (ui.award.*),
// `app` for the screens under /app/ (ui.app.*, ui.device.*, and ui.award.* again: they show awards too), but for what only those see who run
// an institution or this server: `console`.
// A key that a locale lacks gets its English text here, so the page needs no fallback.
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Plugin } from 'vite';

export type Entry = string | Record<string, string>;
export type Catalogue = Record<string, Entry>;
export const parts = ['page', 'lab', 'sync', 'offline', 'verify', 'award', 'app', 'console'] as const;
export type Part = (typeof parts)[number];

const consoleKeys =
  /^ui\.app\.(assessment|audit|batches|console|criteria|domain|institutions|issued|issuers|jobs|keys|labs|languages|learners|members|outcome|profile|publish|recognitions|regrade|role|template)\./;

/** The part in which a key stands. */
export function partOf(key: string): Part {
  if (consoleKeys.test(key)) return 'console';
  if (key.startsWith('ui.device.')) return 'app';
  return parts.find((part) => key.startsWith(`ui.${part}.`)) ?? 'page';
}

const onPaper = /^paper\.(achievement|ai_help|assessment|check|code_alt|document|expired|expires|holder|invalid|issued|revoked|score|suspended|title)(\.|$)/;

/** Keeps the keys of one part, with the fallback's text where the locale has none. */
export function compile(words: Catalogue, fallback: Catalogue, part: Part): Catalogue {
  const out: Catalogue = {};
  for (const key of Object.keys(fallback)) {
    const entry = words[key] ?? fallback[key];
    if (entry === undefined) continue;
    if (key.startsWith('ui.') && partOf(key) === part) out[key.slice(3)] = entry;
    // What refuses a bundle says the same here and on the server.
    else if (part === 'offline' && key.startsWith('bundle.')) out[key] = entry;
    // And so does what is said of a certificate, on the screen and on paper.
    else if (part === 'verify' && (/^credential\.(state|why)\./.test(key) || onPaper.test(key))) out[key] = entry;
    else if (part === 'app' && key.startsWith('ui.award.')) out[key.slice(3)] = entry;
  }
  return out;
}

export function localesIn(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .map((name) => basename(name, '.json'))
    .sort();
}

// One module a part says where its words are, so that a page carries the names of those files only that it may need.
const where = new RegExp(`^\\0?virtual:words/(${parts.join('|')})$`);
const compiled = new RegExp(`/src/i18n/(${parts.join('|')})\\.([A-Za-z-]+)\\.words$`);

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
      if (where.test(id)) return `\0${id}`;
      return id.endsWith('.words') ? id : null;
    },
    load(id) {
      const part = where.exec(id)?.[1];
      if (part) {
        const loaders = localesIn(dir).map((locale) => `${JSON.stringify(locale)}: () => import(${JSON.stringify(idOf(part, locale))})`);
        return `export default {${loaders.join(',')}};`;
      }
      const match = compiled.exec(id);
      if (!match) return null;
      const locale = match[2] as string;
      this.addWatchFile(join(dir, `${locale}.json`));
      return `export default ${JSON.stringify(compile(read(locale), read('en'), match[1] as Part))}`;
    },
  };
}
