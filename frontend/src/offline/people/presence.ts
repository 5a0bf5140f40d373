// Whether the learner who unlocked this device is still at it: the same run of the browser, and used within the last half hour.
// A clock that somebody sets back must not make that longer: time is held against the latest that this device has ever seen.
import { disk } from '../db';
import type { KeyRecord } from './key';

export const idle = 30 * 60_000;
/** By so much a clock may be put right without anybody noticing. */
const slack = 60_000;
const every = 30_000;
const patience = 300;

const mark = 'banyan-unlocked';
type Said = { ask?: string; alive?: string; locked?: true };
const channel = typeof BroadcastChannel === 'function' ? new BroadcastChannel('banyan-people') : undefined;
(channel as { unref?: () => void } | undefined)?.unref?.();

// The marker goes with the tab: who closes all tabs closes the drawer. Where the browser refuses, it goes with the page.
let session: string | undefined;

function marker(): string | undefined {
  try {
    return sessionStorage.getItem(mark) ?? undefined;
  } catch {
    return session;
  }
}

export function setMarker(value: string | undefined): void {
  session = value;
  try {
    if (value) sessionStorage.setItem(mark, value);
    else sessionStorage.removeItem(mark);
  } catch {
    // This page remembers it.
  }
}

let onLock: (() => void) | undefined;

/** Called when the device is locked in another tab. */
export const whenLocked = (what: () => void): void => void (onLock = what);

export const tellLocked = (): void => channel?.postMessage({ locked: true } satisfies Said);

channel?.addEventListener('message', ({ data }: MessageEvent<Said>) => {
  if (data.ask && data.ask === marker()) channel.postMessage({ alive: data.ask } satisfies Said);
  if (data.locked) onLock?.();
});

/** Whether another tab of this run of the browser is open. */
function others(wanted: string): Promise<boolean> {
  if (!channel) return Promise.resolve(false);
  return new Promise((resolve) => {
    const answer = ({ data }: MessageEvent<Said>) => data.alive === wanted && end(true);
    const timer = setTimeout(() => end(false), patience);
    const end = (found: boolean) => {
      clearTimeout(timer);
      channel.removeEventListener('message', answer);
      resolve(found);
    };
    channel.addEventListener('message', answer);
    channel.postMessage({ ask: wanted } satisfies Said);
  });
}

interface Clock {
  key: 'clock';
  value: number;
}

/** The latest time that this device has seen. */
const latest = async (): Promise<number> => (await disk.find<Clock>('settings', 'clock'))?.value ?? 0;

/** Whether whoever unlocked with this record may go on. */
export async function live({ session: run, used }: Pick<KeyRecord, 'session' | 'used'>): Promise<boolean> {
  const now = Date.now();
  if (now - used > idle || now < (await latest()) - slack) return false;
  if (marker() === run) return true;
  if (!(await others(run))) return false;
  setMarker(run);
  return true;
}

/** Notes the time, and that the learner is at it. */
export async function touch(user: string): Promise<void> {
  const now = Date.now();
  const record = await disk.find<KeyRecord>('keys', user);
  if (record) await disk.put('keys', { ...record, used: now });
  if (now > (await latest())) await disk.put('settings', { key: 'clock', value: now } satisfies Clock);
}

let stop: (() => void) | undefined;

/** Looks after one learner on this page: notes what they do, and calls `end` when they have done nothing for too long, in any tab. */
export function watch(user: string, end: () => void): void {
  stop?.();
  let steady = performance.now();
  let known: number | undefined;
  let noted = -Infinity;
  const act = () => {
    steady = performance.now();
    if (steady - noted < every) return;
    noted = steady;
    void touch(user).catch(() => undefined);
  };
  const look = async () => {
    const record = await disk.find<KeyRecord>('keys', user).catch(() => undefined);
    // Gone: locked in another tab, which has said so or could not.
    if (!record) return end();
    // In another tab they are at work.
    if (known !== undefined && record.used !== known) steady = performance.now();
    known = record.used;
    if (performance.now() - steady > idle || !(await live(record))) end();
  };
  const seen = () => document.visibilityState === 'visible' && void look();
  const timer = setInterval(() => void look(), every);
  addEventListener('pointerdown', act, true);
  addEventListener('keydown', act, true);
  document.addEventListener('visibilitychange', seen);
  act();
  stop = () => {
    clearInterval(timer);
    removeEventListener('pointerdown', act, true);
    removeEventListener('keydown', act, true);
    document.removeEventListener('visibilitychange', seen);
    stop = undefined;
  };
}

export const unwatch = (): void => stop?.();
