import words from 'virtual:words/offline';
import { context } from '../../context';
import { loadWords } from '../../i18n/words';
import { mountInto } from '../../ui/mount';
import { Keep } from './keep';
import '../../ui/controls.css';
import './offline.css';

export function mount(element: HTMLElement): void {
  const { course, locale } = context();
  if (!('indexedDB' in window) || !window.isSecureContext) return; // nothing could be checked or kept
  const offered = Array.from(document.querySelectorAll<HTMLElement>('.languages [data-language]'), (link) => ({ locale: link.dataset['language'] ?? '', name: link.textContent ?? '' }));
  void loadWords(locale, words).then(() => mountInto(element, <Keep course={course} locale={locale} languages={offered} />));
}
