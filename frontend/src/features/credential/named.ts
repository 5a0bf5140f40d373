import { locale } from '../../i18n/words';

/** A name in the language of the page, or in one in which there is one. */
export function named(names: Readonly<Record<string, string>> | undefined, otherwise: string): { text: string; lang?: string } {
  const wanted = [locale(), locale().split('-')[0] as string, 'und', 'en'];
  const lang = [...wanted, ...Object.keys(names ?? {})].find((one) => names?.[one]);
  if (lang === undefined) return { text: otherwise, lang: 'en' };
  return { text: names?.[lang] as string, ...(lang !== 'und' && lang !== locale() && { lang }) };
}
