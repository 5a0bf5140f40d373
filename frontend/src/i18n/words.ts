// The words of the page. Code never builds a sentence: it asks for a key and gives the arguments.
import page from 'virtual:words/page';

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

/** Loads the words of a part of the page: of `virtual:words/<part>`, or those of every page. An unknown locale speaks English. */
export async function loadWords(wanted: string, loaders: typeof page = page): Promise<void> {
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

// The digits are those that CLDR gives the page's locale, in pages, quizzes and screens alike: courses are written in them,
// and a page from the server is the same for every reader. Browsers of before CLDR 48 would give Arabic other ones.
// internal/i18n/number.go has the same list, and its testdata/numbers.json holds both to the same text.
const numbering: Record<string, string> = { ar: 'latn' };

function withDigits(extension = ''): string {
  const digits = numbering[current] ? `-nu-${numbering[current]}` : '';
  return extension || digits ? `${current}-u${extension}${digits}` : current;
}

/** A number as the locale writes it, byte for byte as the server does. */
export function formatNumber(value: number, options?: Intl.NumberFormatOptions): string {
  return new Intl.NumberFormat(withDigits(), options).format(value);
}

/** Names one after the other, the last after "and": "a, b, and c". */
export function formatList(names: string[]): string {
  return new Intl.ListFormat(current, { type: 'conjunction' }).format(names);
}

export function formatPercent(share: number): string {
  return formatNumber(share, { style: 'percent', maximumFractionDigits: 0 });
}

/** A day, or a moment with `time`, in the time zone of the device. */
export function formatDate(iso: string, time = false): string {
  const options: Intl.DateTimeFormatOptions = { year: 'numeric', month: 'long', day: 'numeric' };
  if (time) Object.assign(options, { hour: '2-digit', minute: '2-digit' });
  // The Gregorian calendar, as on the certificate.
  return new Intl.DateTimeFormat(withDigits('-ca-gregory'), options).format(new Date(iso));
}

/** The attributes of a text in another language than the page's. */
export function spokenIn(lang: string | undefined): { lang?: string; dir?: 'ltr' | 'rtl' } {
  return lang ? { lang, dir: rtlLocale.test(lang) ? 'rtl' : 'ltr' } : {};
}
