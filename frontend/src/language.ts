// The language chosen on this device. A plain cookie, so that the server's next page speaks it too.

export function rememberLanguage(locale: string): void {
  document.cookie = `banyan_locale=${encodeURIComponent(locale)}; Path=/; Max-Age=31536000; SameSite=Lax`;
}

/** Whether a language was chosen on this device. */
export function languageChosen(): boolean {
  return /(^|; )banyan_locale=/.test(document.cookie);
}

/** Makes the language links of a page remember the choice. Under /app/, whose addresses have no language, they load the screen anew. */
export function keepLanguage(within: Document | HTMLElement): void {
  within.addEventListener('click', (event) => {
    const link = (event.target as Element).closest?.<HTMLElement>('[data-language]');
    if (!link) return;
    rememberLanguage(link.dataset['language'] as string);
    if (location.pathname.startsWith('/app')) {
      event.preventDefault();
      location.reload();
    }
  });
}
