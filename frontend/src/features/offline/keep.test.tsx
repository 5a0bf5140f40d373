import 'fake-indexeddb/auto';
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import words from 'virtual:words/offline';
import { BundleError } from '../../offline/bundle/fault';
import type { Shelved } from '../../offline/bundle/library';
import { changes } from '../../offline/bundle/progress';
import { pause } from '../../offline/bundle/resume';
import { close, disk } from '../../offline/db';
import { loadWords } from '../../i18n/words';
import { Keep } from './keep';
import { size } from './size';

const engine = vi.hoisted(() => ({ cost: vi.fn(), install: vi.fn(), update: vi.fn(), repair: vi.fn(), checkUpdate: vi.fn() }));
vi.mock('../../offline/bundle/download', () => engine);
vi.mock('../../learner/shell', () => ({ shell: () => Promise.resolve({ bytes: 20_000, whole: false }), keepShell: () => Promise.resolve(true) }));
vi.mock('../../api/client', () => ({ api: { GET: () => undefined }, ask: () => Promise.resolve({ editions: { ar: {}, en: {} } }) }));

const rule = { locales: ['en'], tier: 'text' as const };
const root = `${JSON.stringify({ type: 'root', course: 'leaves', number: 2, source_locale: 'en', editions: {} })}\n[]\n`;
const version = (number: number) => ({ root, digest: 'sha256:0', number, signed_at: '2026-03-01T00:00:00Z', rule, complete: true });
const languages = ['ar', 'en', 'hi'].map((locale) => ({ locale, name: locale }));

let main: HTMLElement;

/** Lets everything that is under way come to its end. */
async function settle(): Promise<void> {
  for (let i = 0; i < 12; i++) await act(() => new Promise((resolve) => setImmediate(resolve)));
}

/** Waits for what must come about. */
const until = (holds: () => void): Promise<void> =>
  vi.waitFor(async () => {
    await settle();
    holds();
  });

async function show(row?: Omit<Shelved, 'course' | 'publisher' | 'rule'>): Promise<void> {
  if (row) await disk.put('bundles', { course: 'leaves', publisher: 'did:web:x', rule, ...row });
  await act(() => render(<Keep course="leaves" locale="en" languages={languages} />, main));
  await until(() => expect(main.querySelector('.keep')).not.toBeNull());
}

const button = (name: string) => Array.from(main.querySelectorAll('button')).find((one) => one.textContent?.startsWith(name)) as HTMLButtonElement;
async function press(name: string): Promise<void> {
  await until(() => expect(button(name)?.disabled).toBe(false));
  await act(() => button(name).click());
  await settle();
}
async function openChoice(): Promise<void> {
  const details = main.querySelector('details') as HTMLDetailsElement;
  details.open = true;
  await act(() => void details.dispatchEvent(new Event('toggle')));
  await settle();
}

beforeEach(async () => {
  close();
  indexedDB.deleteDatabase('banyan');
  for (const one of Object.values(engine)) one.mockReset().mockResolvedValue(undefined);
  engine.cost.mockImplementation((_: unknown, __: string, { tier }: { tier: string }) => Promise.resolve({ number: 2, bytes: { text: 80_000, images: 130_000, all: 2_400_000 }[tier], space: 0, update: false }));
  await Promise.all([loadWords('en'), loadWords('en', words)]);
  main = document.body.appendChild(document.createElement('main'));
});

afterEach(() => {
  render(null, main);
  main.remove();
});

test('sizes are never less than what is paid', () => {
  expect([size(0), size(1), size(999_000), size(999_501), size(1_000_001), size(2_449_999)]).toEqual(['0 kB', '1 kB', '999 kB', '1 MB', '1.1 MB', '2.5 MB']);
});

test('says what each choice costs, the app included, before anything is fetched', async () => {
  await show();
  expect(engine.cost).not.toHaveBeenCalled();
  await openChoice();
  await until(() =>
    expect(Array.from(main.querySelectorAll('.choice'), (one) => one.textContent)).toEqual([
    'Text only, 100 kB',
    'Text and pictures, 150 kB',
    'Everything, with recordings, 2.5 MB',
    'ar',
    'en', // the course does not speak Hindi
  ]),
  );
  expect(engine.install).not.toHaveBeenCalled();
  await press('Download, 100 kB');
  await until(() => expect(engine.install.mock.calls[0]?.slice(1, 3)).toEqual(['leaves', { locales: ['en'], tier: 'text' }]));
});

test('a choice that was changed has no price until it has its own, not for one frame', async () => {
  await show();
  await openChoice();
  await until(() => expect(button('Download').disabled).toBe(false));
  engine.cost.mockReturnValue(new Promise(() => undefined));
  const [arabic] = Array.from(main.querySelectorAll<HTMLInputElement>('input[type=checkbox]'));
  arabic?.click();
  // The tap's own turn: what comes with the next frame comes too late for the next tap.
  for (let i = 0; i < 3; i++) await Promise.resolve();
  expect(button('Download').disabled).toBe(true);
});

test('a price that could not be had is asked for again until it is there', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    engine.cost.mockRejectedValue(new BundleError('no_network'));
    await show();
    await openChoice();
    for (let i = 0; i < 40 && !main.querySelector('.notice'); i++) await settle();
    expect(main.querySelector('.notice')).not.toBeNull();
    expect(button('Download').disabled).toBe(true);
    expect(engine.cost).toHaveBeenCalledTimes(3);
    engine.cost.mockImplementation((_: unknown, __: string, { tier }: { tier: string }) => (tier === 'all' ? Promise.reject(new BundleError('no_network')) : Promise.resolve({ number: 2, bytes: 80_000, space: 0, update: false })));
    await act(() => void vi.advanceTimersByTime(1000));
    for (let i = 0; i < 40 && button('Download').disabled; i++) await settle();
    await press('Download, 100 kB');
    expect(engine.cost).toHaveBeenCalledTimes(6);
    // Only what is still missing.
    await act(() => void vi.advanceTimersByTime(2000));
    await settle();
    expect(engine.cost).toHaveBeenCalledTimes(7);
  } finally {
    vi.useRealTimers();
  }
});

test('what stops a download is said in words, and what to do', async () => {
  engine.install.mockRejectedValue(new BundleError('no_space'));
  await show();
  await openChoice();
  await press('Download');
  await until(() => expect(main.querySelector('[role=alert]')?.textContent).toContain('There is no room left.'));
});

test('a download that was paused waits, and goes on by the rule it was begun with', async () => {
  await pause('leaves');
  const other = { locales: ['ar'], tier: 'all' as const };
  await show({ downloads: { number: 3, root: 'sha256:1', rule: other, parts: [{ href: '/x', bytes: 90_000, layer: 'text', locale: 'ar' }] } });
  expect(main.querySelector('progress')).toBeNull();
  await press('Go on');
  await until(() => expect(engine.install.mock.calls[0]?.slice(1, 3)).toEqual(['leaves', other]));
  expect(engine.install.mock.calls[0]?.[3]).toMatchObject({ number: 3 });
});

test('a newer version is offered with its cost, and taken only by choice', async () => {
  engine.checkUpdate.mockResolvedValue({ number: 3, bytes: 5_700, space: 0, update: true, changed: { new: 1, changed: 2, removed: 0 } });
  await show({ installed: version(2) });
  await until(() => expect(main.textContent).toContain('There is a newer version: 3 parts are different. It costs 6 kB.'));
  expect(engine.update).not.toHaveBeenCalled();
  await press('Stay with this version');
  expect(main.textContent).not.toContain('newer version');
  expect(engine.update).not.toHaveBeenCalled();
});

test('an update is taken, and the version before can be had back', async () => {
  engine.checkUpdate.mockResolvedValue({ number: 3, bytes: 5_700, space: 0, update: true, changed: { new: 0, changed: 1, removed: 0 } });
  await show({ installed: version(2) });
  expect(main.textContent).not.toContain('Back to version');
  await press('Update now, 6 kB');
  await until(() => expect(engine.update.mock.calls[0]?.slice(1, 3)).toEqual(['leaves', 3]));
  await disk.put('bundles', { course: 'leaves', publisher: 'did:web:x', rule, installed: version(3), previous: version(2) });
  engine.checkUpdate.mockResolvedValue(undefined);
  await act(() => void changes.value++);
  await until(() => expect(main.textContent).toContain('Back to version 2'));
});
