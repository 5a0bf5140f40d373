// Where to go after signing in. The address comes from the query, so from anybody: only a path of our own will do.

export function nextPath(search: string, fallback = '/app/'): string {
  const next = new URLSearchParams(search).get('next') ?? '';
  // One slash first: `//host` and `/\host` leave this origin. Browsers drop tabs and line ends before they look.
  if (!/^\/(?![/\\])[^\\\u0000-\u001f\u007f]*$/.test(next)) return fallback;
  try {
    const url = new URL(next, location.origin);
    return url.origin === location.origin ? url.pathname + url.search + url.hash : fallback;
  } catch {
    return fallback;
  }
}

export function signInHref(to: 'sign-in' | 'sign-up' = 'sign-in'): string {
  return `/app/${to}?next=${encodeURIComponent(location.pathname + location.search)}`;
}
