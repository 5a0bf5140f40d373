// What the screens say, from the one catalogue: journeys name buttons by their words, in each language.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const catalogue = (locale: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, `../../internal/i18n/locales/${locale}.json`), 'utf8')) as Record<string, string | Record<string, string>>;

export function words(locale: string): (key: string) => string {
  const all = catalogue(locale);
  return (key) => {
    const text = all[key];
    if (typeof text !== 'string') throw new Error(`no words for ${key} in ${locale}`);
    return text;
  };
}

/** A sentence with its gaps filled in. What is put there is kept apart from the sentence's direction by marks that nobody sees. */
export const filled = (text: string, gaps: Record<string, string>): RegExp =>
  new RegExp(Object.keys(gaps).reduce((all, gap) => all.split(`\\{\\{\\.${gap}\\}\\}`).join(`.?${plain(gaps[gap] ?? '')}.?`), plain(text)));

const plain = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** A sentence in the form that a number asks for. */
export function counted(locale: string, key: string, count: number): RegExp {
  const forms = catalogue(locale)[key];
  const text = typeof forms === 'object' ? forms[new Intl.PluralRules(locale).select(count)] : undefined;
  if (text === undefined) throw new Error(`no words for ${count} ${key} in ${locale}`);
  return filled(text, { Count: new Intl.NumberFormat(locale).format(count) });
}
