// The router of /app/: an address is a signal, a screen is a pattern. No more is needed.
import { signal } from '@preact/signals';

export interface Place {
  path: string;
  search: string;
}

const here = (): Place => ({ path: location.pathname, search: location.search });

export const place = signal<Place>(here());

/** Goes to an address: inside the app without a new page, elsewhere with one. */
export function go(address: string, replace = false): void {
  const url = new URL(address, location.href);
  if (url.origin !== location.origin || !inApp(url.pathname)) {
    if (replace) location.replace(url.href);
    else location.assign(url.href);
    return;
  }
  history[replace ? 'replaceState' : 'pushState'](null, '', url.pathname + url.search);
  place.value = here();
  scrollTo(0, 0);
}

function inApp(path: string): boolean {
  return path === '/app' || path.startsWith('/app/');
}

/** Follows links inside the app and the browser's own back and forth. */
export function startRouter(): void {
  addEventListener('popstate', () => (place.value = here()));
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest?.('a');
    if (!link || link.target || link.hasAttribute('download') || link.dataset['language']) return;
    if (link.origin !== location.origin || !inApp(link.pathname)) return;
    event.preventDefault();
    go(link.href);
  });
}

/** Matches `/app/institutions/:id/:tab?`. Gives what stands in place of the names, or null. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const want = pattern.split('/').filter(Boolean);
  const got = path.split('/').filter(Boolean);
  const needed = want.filter((part) => !part.endsWith('?')).length;
  if (got.length > want.length || got.length < needed) return null;
  const found: Record<string, string> = {};
  for (const [i, part] of want.entries()) {
    const given = got[i];
    if (part.startsWith(':')) {
      if (given !== undefined) found[part.replace(/[:?]/g, '')] = decode(given);
    } else if (part !== given) return null;
  }
  return found;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
