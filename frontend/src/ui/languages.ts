// Each language in its own words, as its speakers look for it. Intl.DisplayNames is younger than the browsers that must do.
const names: Record<string, string> = {
  ar: 'العربية',
  en: 'English',
  es: 'Español',
  fr: 'Français',
  hi: 'हिन्दी',
  pt: 'Português',
  ru: 'Русский',
  sw: 'Kiswahili',
  zh: '中文',
};

/** What a language calls itself; the tag of one that is not ours. */
export function nameOf(locale: string): string {
  return names[locale] ?? locale;
}
