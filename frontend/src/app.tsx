// The screens under /app/: one small application, a chunk a screen.
import './page';
import { signal, useSignalEffect } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import words from 'virtual:words/app';
import consoleWords from 'virtual:words/console';
import { knowLocally, loadMe, me, signedIn } from './api/me';
import { Unreached } from './api/problem';
import { context } from './context';
import { loadWords, locale, t } from './i18n/words';
import { Nav } from './nav';
import { signInHref } from './next';
import { device } from './offline/locker';
import { open } from './offline/outbox';
import { go, match, place, startRouter } from './router';
import { mountInto } from './ui/mount';
import { Trouble } from './ui/notice';
import './ui/controls.css';
import './ui/app.css';

// What stands in the address reaches a screen by name.
type Screen = ComponentType<{ id?: string; tab?: string }>;
interface Route {
  pattern: string;
  title: `ui.app.${string}` | `ui.device.${string}`;
  open?: boolean; // without signing in
  away?: boolean; // also while nobody knows who asks, because the server is not reached
  load: () => Promise<{ default: Screen }>;
}

// What only few need to read does not travel with every screen.
async function withConsoleWords<T>(screen: Promise<T>): Promise<T> {
  await loadWords(locale(), consoleWords);
  return screen;
}

const routes: Route[] = [
  { pattern: '/app', title: 'ui.app.nav.courses', load: () => import('./features/course/my-courses') },
  { pattern: '/app/sign-in', title: 'ui.app.sign_in.title', open: true, load: () => import('./features/account/sign-in') },
  { pattern: '/app/sign-up', title: 'ui.app.sign_up.title', open: true, load: () => import('./features/account/sign-up') },
  { pattern: '/app/device', title: 'ui.device.title', load: () => import('./features/account/device-screen') },
  { pattern: '/app/certificates', title: 'ui.app.nav.certificates', load: () => import('./features/credential/my-certificates') },
  { pattern: '/app/verify', title: 'ui.app.verify.title', open: true, away: true, load: () => import('./features/credential/verify-screen') },
  { pattern: '/app/offline', title: 'ui.app.nav.offline', open: true, load: () => import('./features/offline/screen') },
  { pattern: '/app/account', title: 'ui.app.nav.account', load: () => import('./features/account/account-screen') },
  { pattern: '/app/institutions', title: 'ui.app.nav.institutions', load: () => withConsoleWords(import('./features/institution/institutions')) },
  { pattern: '/app/jobs', title: 'ui.app.nav.jobs', load: () => withConsoleWords(import('./features/institution/parked-jobs')) },
  { pattern: '/app/institutions/:id/:tab?', title: 'ui.app.nav.institution', load: () => withConsoleWords(import('./features/institution/console')) },
];

interface Shown {
  Screen: Screen;
  args: Record<string, string>;
  title: string;
  away: boolean;
}

const shown = signal<Shown | 'missing' | unknown>(undefined);

async function show(path: string): Promise<void> {
  for (const route of routes) {
    const args = match(route.pattern, path);
    if (!args) continue;
    if (!route.open && me.value === null) {
      const next = path + place.value.search;
      go(`/app/sign-in?next=${encodeURIComponent(next)}`, true);
      return;
    }
    try {
      const { default: Screen } = await route.load();
      if (place.value.path === path) shown.value = { Screen, args, title: t(route.title), away: !!route.away } satisfies Shown;
    } catch {
      // A chunk that does not arrive: the network is away, or a new release took its place.
      shown.value = new Unreached();
    }
    return;
  }
  shown.value = 'missing';
}

function App() {
  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef(true);
  useSignalEffect(() => {
    const { path } = place.value;
    if (me.value !== undefined) void show(path);
  });
  const now = shown.value;
  const title = isShown(now) ? now.title : '';
  useEffect(() => {
    if (!title) return;
    document.title = `${title} · ${t('ui.app.name')}`;
    // A new screen is announced by its heading; the first one by the browser.
    if (!first.current) heading.current?.focus();
    first.current = false;
  }, [title]);
  if (me.value === 'unreached' && !(isShown(now) && now.away)) return <Trouble cause={new Unreached()} retry={() => void loadMe(true)} />;
  if (now instanceof Error) return <Trouble cause={now} retry={again} />;
  if (now === 'missing') return <p class="lead">{t('ui.app.missing')}</p>;
  if (!isShown(now)) return <p class="loading">{t('ui.loading')}</p>;
  const { Screen, args } = now;
  return (
    <>
      {signedIn() && <Nav />}
      <Away />
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      <Screen key={JSON.stringify(args)} {...args} />
    </>
  );
}

// A part that once did not load is not asked for again by the same page. Without a network the page loads anew only where it stands on this device.
function again(): void {
  if (navigator.onLine || navigator.serviceWorker?.controller) location.reload();
  else void show(place.value.path);
}

/** That the server is away, or wants the password: the work goes on either way. */
function Away() {
  const person = signedIn();
  if (!person?.local || place.value.path === '/app/sign-in') return null;
  return (
    <div class="notice" role="status">
      <p>{t(person.away ? 'ui.device.away' : 'ui.device.local')}</p>
      {person.away && (
        <p>
          <a class="button quiet" href={signInHref()}>
            {t('ui.sign_in')}
          </a>
        </p>
      )}
    </div>
  );
}

function isShown(value: unknown): value is Shown {
  return typeof value === 'object' && value !== null && 'Screen' in value;
}

async function start(): Promise<void> {
  const root = document.getElementById('app');
  if (!root) return;
  const spoken = context().locale;
  knowLocally(() => device(() => location.assign(signInHref())));
  await Promise.all([loadWords(spoken), loadWords(spoken, words), loadMe()]);
  const person = signedIn();
  if (person) void open(person.id);
  root.removeAttribute('aria-busy');
  startRouter();
  mountInto(root, <App />);
}

void start();
