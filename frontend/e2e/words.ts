// What the screens say, from the one catalogue: journeys name buttons by their words, in each language.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export function words(locale: string): (key: string) => string {
  const all = JSON.parse(
    readFileSync(join(import.meta.dirname, `../../internal/i18n/locales/${locale}.json`), 'utf8'),
  ) as Record<string, string>;
  return (key) => {
    const text = all[key];
    if (typeof text !== 'string') throw new Error(`no words for ${key} in ${locale}`);
    return text;
  };
}
