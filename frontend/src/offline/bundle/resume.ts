// Downloads that somebody began go on by themselves, on whatever page is open, until they are here or somebody pauses them.
import { disk } from '../db';
import { install } from './download';
import { http } from './http';
import { list } from './library';

const paused = (course: string) => `bundle.paused/${course}`;

/** Holds a download until `go` is called, also over visits. */
export async function pause(course: string): Promise<void> {
  await disk.put('settings', { key: paused(course), value: true });
}

export async function go(course: string): Promise<void> {
  await disk.remove('settings', paused(course));
}

export async function isPaused(course: string): Promise<boolean> {
  return (await disk.find('settings', paused(course))) !== undefined;
}

/** The download of each course that this page runs. */
export const running = new Map<string, AbortController>();

/** Goes on with what was begun, one course after the other, but not where the browser saves data. What stops is told where the course is looked at. */
export async function resume(): Promise<void> {
  if ((navigator as { connection?: { saveData?: boolean } }).connection?.saveData || !navigator.onLine) return;
  for (const { course, downloads } of await list()) {
    if (!downloads || running.has(course) || (await isPaused(course))) continue;
    const controller = new AbortController();
    running.set(course, controller);
    try {
      await install(http, course, downloads.rule, { number: downloads.number, signal: controller.signal });
    } catch {
      // It is kept as far as it came, and the next page tries again.
    } finally {
      running.delete(course);
    }
  }
}
