// The words of the page. Code never builds a sentence: it asks for a key and gives the arguments.
import { app, lab, page, sync } from 'virtual:words';

type Entry = string | Record<string, string>;
export type Args = Record<string, string | number>;

const catalogue = new Map<string, Entry>();
let current = 'en';

/** The locale in force, BCP 47. */
export function locale(): string {
  return current;
}

/** The locales that the page can speak. */
export function locales(): string[] {
  return Object.keys(page);
}

/** Loads the words of a part of the page. An unknown locale speaks English. */
export async function loadWords(wanted: string, part: 'page' | 'lab' | 'sync' | 'app'): Promise<void> {
  const loaders = { page, lab, sync, app }[part];
  const found = loaders[wanted] ? wanted : (wanted.split('-')[0] as string);
  const load = loaders[found] ?? loaders['en'];
  if (!load) return;
  current = loaders[found] ? found : 'en';
  learn((await load()).default);
}

/** Adds words to the catalogue; keys come without their `ui.`. */
export function learn(words: Record<string, Entry>, of?: string): void {
  if (of) current = of;
  for (const [key, entry] of Object.entries(words)) catalogue.set(key, entry);
}

/**
 * The text of a key. `Count` chooses the plural form by the rules of the locale; numbers are
 * written as the locale writes them. A key without words shows itself: better odd than empty.
 */
export function t(key: `ui.${string}`, args?: Args): string {
  const entry = catalogue.get(key.slice(3));
  if (entry === undefined) return key;
  return fill(typeof entry === 'string' ? entry : choose(entry, args?.['Count']), args);
}

function choose(forms: Record<string, string>, count: string | number | undefined): string {
  const form = new Intl.PluralRules(current).select(Number(count ?? 0));
  return forms[form] ?? forms['other'] ?? '';
}

function fill(text: string, args: Args | undefined): string {
  return text.replace(/\{\{\s*\.(\w+)\s*\}\}/g, (_, name: string) => {
    const value = args?.[name];
    if (value === undefined) return '';
    return typeof value === 'number' ? formatNumber(value) : isolate(value);
  });
}

const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const rtlLocale = /^(ar|fa|he|ps|ur)\b/;

// A name in letters that run the other way would drag what stands beside it along.
function isolate(text: string): string {
  const against = rtlLocale.test(current) ? /[A-Za-z]/ : rightToLeft;
  return against.test(text) ? `\u2068${text}\u2069` : text;
}

// Latin digits in every locale: the reading pages, code and certificates show them too. A quiz asks for the reader's.
let digits = 'latn';

/**
 * From now on numbers are written in the reader's own digits: those of the device's locale where it is one of the
 * page's language (ar-EG and ar-MA differ), and else those of the page's locale.
 */
export function takeOwnDigits(device: readonly string[] = navigator.languages): void {
  const [language] = current.split('-');
  const own = device.find((one) => one.split('-')[0] === language) ?? current;
  digits = new Intl.NumberFormat(own).resolvedOptions().numberingSystem;
}

export function formatNumber(value: number, options?: Intl.NumberFormatOptions): string {
  return new Intl.NumberFormat(`${current}-u-nu-${digits}`, options).format(value);
}

export function formatPercent(share: number): string {
  return formatNumber(share, { style: 'percent', maximumFractionDigits: 0 });
}

/** A day, or a moment with `time`, in the time zone of the device. */
export function formatDate(iso: string, time = false): string {
  const options: Intl.DateTimeFormatOptions = { year: 'numeric', month: 'long', day: 'numeric' };
  if (time) Object.assign(options, { hour: '2-digit', minute: '2-digit' });
  // The Gregorian calendar, as on the certificate.
  return new Intl.DateTimeFormat(`${current}-u-ca-gregory-nu-latn`, options).format(new Date(iso));
}

/** The attributes of a text in another language than the page's. */
export function spokenIn(lang: string | undefined): { lang?: string; dir?: 'ltr' | 'rtl' } {
  return lang ? { lang, dir: rtlLocale.test(lang) ? 'rtl' : 'ltr' } : {};
}

/** One text of a course in the reader's locale, or in the course's own; where that is not told, in English before any other. */
export function textOf(text: Record<string, string>, source?: string): string {
  return text[current] ?? (source ? text[source] : undefined) ?? text['en'] ?? Object.values(text)[0] ?? '';
}
