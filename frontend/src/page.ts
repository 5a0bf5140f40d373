// What a reading page begins with: it finds the islands on the page and brings each to life, no more.
import { knowLocally } from './api/me';
import { context } from './context';
import { loadWords } from './i18n/words';
import { keepLanguage } from './language';
import { signInHref } from './next';
import { device } from './offline/locker';

type Island = { mount(element: HTMLElement): void };

const islands: Record<string, () => Promise<Island>> = {
  account: () => import('./features/account/island'),
  progress: () => import('./features/progress/island'),
  quiz: () => import('./features/quiz/island'),
  lab: () => import('./features/lab/island'),
  offline: () => import('./features/offline/island'),
};

// Who is at this device, where it knows anybody. When it is locked in another tab, this one shows nothing more of theirs.
knowLocally(() => device(() => location.assign(signInHref())));

const words = loadWords(context().locale);

for (const element of Array.from(document.querySelectorAll<HTMLElement>('[data-island]'))) {
  const island = islands[element.dataset['island'] ?? '']?.();
  // Without its script an island stays what it was: readable.
  if (island) Promise.all([island, words]).then(([{ mount }]) => mount(element), () => undefined);
}

keepLanguage(document);

// The wallet's "print" leads to the certificate's page, and there straight to the printer.
if (context().page === 'verify' && location.hash === '#print') print();

// After all that a reader waits for: what makes pages work without a network.
function keep(): void {
  const begin = () => void import('./sw/bridge').then(({ start }) => start(context().locale), () => undefined);
  if ('requestIdleCallback' in window) requestIdleCallback(begin, { timeout: 5_000 });
  else setTimeout(begin, 1_000);
}
if (import.meta.env.PROD) {
  if (document.readyState === 'complete') keep();
  else addEventListener('load', keep);
}
