// The page's side of the service worker: it registers the worker, and keeps in Cache Storage what the worker makes pages of, the shell of the
// language that is read here. The new shell comes in beside the old one, which goes on until all of the new one is here; files of the
// old one stay until no window uses it. Loaded when the page is idle.
import { list } from '../offline/bundle/library';
import type { Entry, Shell, ShellFile } from './shell';

/** What is larger waits for somebody's consent. */
const small = 50_000;

const shellAt = (locale: string) => `/shell/${locale}.json`;
/** Its being here says that also what the app and the labs need is. */
const wholeAt = (locale: string) => `${shellAt(locale)}?whole`;
const oldAt = (locale: string, build: string) => `${shellAt(locale)}?old=${build}`;
const cache = () => caches.open('banyan');
const pathOf = (request: Request) => request.url.slice(location.origin.length);

interface Lack {
  text: string;
  next: Shell;
  files: ShellFile[];
  bytes: number;
  /** Whether these are all that the app and the labs need, too. */
  whole: boolean;
}

/** What fetching them costs at most. What this page has loaded itself lies in the browser's own cache. */
function bytesOf(files: ShellFile[]): number {
  const loaded = new Set(performance.getEntriesByType('resource').map(({ name }) => name.slice(location.origin.length)));
  return files.reduce((sum, { address, bytes }) => (loaded.has(address) ? sum : sum + bytes), 0);
}

async function shellIn(c: Cache, address: string): Promise<Shell | undefined> {
  const text = await (await c.match(address))?.text();
  return text === undefined ? undefined : (JSON.parse(text) as Shell);
}

/** What this device lacks of the server's newest shell. Throws where the server cannot be reached. */
async function missing(locale: string, all: boolean): Promise<Lack> {
  const answer = await fetch(shellAt(locale), { cache: 'no-cache' });
  // A network that wants a sign-in answers for everything.
  if (!answer.ok || !answer.headers.has('Banyan')) throw new Error('no shell');
  const text = await answer.text();
  const next = JSON.parse(text) as Shell;
  const c = await cache();
  // What was whole stays so; and a course on this device may have labs, and is little without a way to sign in.
  const whole = all || !!(await c.match(wholeAt(locale))) || (await list().catch(() => [])).some(({ installed }) => installed);
  const here = new Set((await c.keys()).map(pathOf));
  const files = (whole ? [...next.files, ...next.more] : next.files).filter(({ address }) => !here.has(address));
  return { text, next, files, whole, bytes: bytesOf(files) };
}

/** Brings in what is missing, a few files at a time, and then takes the new shell into use. */
async function bring(locale: string, { text, next, files, bytes, whole }: Lack, onProgress?: (done: number, total: number) => void): Promise<void> {
  const c = await cache();
  const queue = files.slice();
  let done = 0;
  const worker = async () => {
    for (let file = queue.shift(); file; file = queue.shift()) {
      const answer = await fetch(file.address);
      if (!answer.ok || !/immutable/.test(answer.headers.get('Cache-Control') ?? '')) throw new Error(file.address);
      await c.put(file.address, answer);
      onProgress?.((done += file.bytes), bytes);
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  const before = await (await c.match(shellAt(locale)))?.text();
  if (before !== undefined && before !== text) await c.put(oldAt(locale, (JSON.parse(before) as Shell).build), new Response(before));
  await c.put(shellAt(locale), new Response(text));
  if (whole) await c.put(wholeAt(locale), new Response(next.build));
}

const lockOf = (build: string) => `banyan-shell-${build}`;

/** Drops shells that were replaced and that no window uses any more, and the files that only they name. */
async function tidy(): Promise<void> {
  if (!navigator.locks) return;
  const c = await cache();
  const paths = (await c.keys()).map(pathOf);
  const held = new Set(((await navigator.locks.query()).held ?? []).map(({ name }) => name));
  const gone = paths.filter((path) => {
    const build = /\?old=(\w+)$/.exec(path)?.[1];
    return build && !held.has(lockOf(build));
  });
  if (!gone.length) return;
  for (const path of gone) await c.delete(path);
  const shells = await Promise.all(paths.filter((path) => !gone.includes(path) && /\.json(\?old=\w+)?$/.test(path)).map((path) => shellIn(c, path)));
  const named = new Set(shells.flatMap((shell) => (shell ? [...shell.files, ...shell.more] : [])).map(({ address }) => address));
  for (const path of paths) if (!path.startsWith('/shell/') && !named.has(path)) await c.delete(path);
}

/** Says to others that this window uses a shell, for as long as it is open. */
async function hold(locale: string): Promise<void> {
  const shell = await shellIn(await cache(), shellAt(locale));
  if (shell) void navigator.locks?.request(lockOf(shell.build), { mode: 'shared' }, () => new Promise(() => undefined));
}

// What was put off is not asked for again in this tab, and nobody asks the server at every page.
function once(key: string, value: string): boolean {
  try {
    if (sessionStorage.getItem(key) === value) return false;
    sessionStorage.setItem(key, value);
  } catch {
    // Blocked: it is asked again.
  }
  return true;
}

async function freshen(locale: string): Promise<void> {
  await hold(locale);
  await tidy();
  const hour = Math.floor(Date.now() / 3_600_000);
  if (!once('banyan-shell-asked', `${locale} ${hour}`) && (await (await cache()).match(shellAt(locale)))) return;
  const lack = await missing(locale, false);
  const first = !(await (await cache()).match(shellAt(locale)));
  const { files, next } = lack;
  // A language that is new here is read at once; what the app needs besides may wait for consent.
  const reading = files.filter((file) => next.files.includes(file));
  const now = first && lack.bytes > small ? { ...lack, files: reading, bytes: bytesOf(reading), whole: false } : lack;
  if (now.bytes <= small) {
    await bring(locale, now);
    if (first) await hold(locale);
  }
  if (lack.bytes > small) await offer(locale, await missing(locale, false));
}

/** A small notice with the size. Without a tap nothing large is fetched. */
async function offer(locale: string, lack: Lack): Promise<void> {
  if (!once('banyan-shell-later', lack.next.build) || document.querySelector('.shell-offer')) return;
  const { words } = lack.next;
  const say = (key: string) => String(words[key] as Entry);
  const here = await (await cache()).match(wholeAt(locale));
  const kilobytes = new Intl.NumberFormat(lack.next.numbers[locale]).format(Math.ceil(lack.bytes / 1000));
  const box = document.createElement('aside');
  box.className = 'hint shell-offer';
  box.setAttribute('role', 'status');
  const text = document.createElement('p');
  text.textContent = here ? say('page.shell.update') : say('page.shell.rest');
  const buttons = document.createElement('p');
  const button = (words: string, look: string, press: () => void) => {
    const made = document.createElement('button');
    made.type = 'button';
    made.className = look;
    made.textContent = words;
    made.onclick = press;
    buttons.append(made, ' ');
    return made;
  };
  const fetching = button(say('page.shell.fetch').replace('{{.Size}}', kilobytes), 'button', () => {
    fetching.disabled = true;
    bring(locale, lack).then(
      () => box.remove(),
      // What came is kept: the next press fetches the rest.
      () => (fetching.disabled = false),
    );
  });
  button(say('page.shell.later'), 'button quiet', () => box.remove());
  box.append(text, buttons);
  document.querySelector('main')?.prepend(box);
}

/**
 * A part of the page did not load. Where the server has another release than this page is of, the page loads anew, once: the address
 * says where the reader is, and drafts are kept. Never without the server, or where only the network was away.
 */
async function renew(locale: string): Promise<void> {
  const { next } = await missing(locale, false);
  const entry = document.querySelector<HTMLScriptElement>('script[type="module"]')?.src.slice(location.origin.length);
  if ([...next.files, ...next.more].some(({ address }) => address === entry)) return;
  if (once('banyan-shell-renewed', next.build)) location.reload();
}

/** Registers the worker and keeps the shell. For every page, once it is idle. */
export async function start(locale: string): Promise<void> {
  if (!('serviceWorker' in navigator) || !('caches' in self)) return;
  addEventListener('vite:preloadError', () => void renew(locale).catch(() => undefined));
  try {
    await (await cache()).put('/shell/last', new Response(locale));
    await navigator.serviceWorker.register('/sw.js');
    await freshen(locale);
    // A download that was begun goes on, whatever page is open. Only then is what downloads fetched.
    if ((await list().catch(() => [])).some(({ downloads }) => downloads)) await (await import('../offline/bundle/resume')).resume();
  } catch {
    // Without a worker the page is what it is online.
  }
}

/** What the app still lacks to work without a network, in bytes at most; `whole` when nothing does. Throws where the server cannot be reached. */
export async function shell(locale: string): Promise<{ bytes: number; whole: boolean }> {
  const whole = !!(await (await cache()).match(wholeAt(locale)));
  return { bytes: (await missing(locale, true)).bytes, whole };
}

/** Fetches it: for the tap that downloads a course, after saying what that costs. Says false where it could not. */
export async function keepShell(locale: string, onProgress?: (done: number, total: number) => void): Promise<boolean> {
  try {
    await bring(locale, await missing(locale, true), onProgress);
    return true;
  } catch {
    return false;
  }
}
