// What comes in and what changed, for whoever shows it, in every tab.
import { signal } from '@preact/signals';

export interface Arriving {
  phase: 'fetching' | 'checking' | 'done';
  bytes: number;
  of: number;
}

/** What is coming in now, by course. */
export const arrivals = signal<Readonly<Record<string, Arriving>>>({});
/** Counts up whenever a row of the shelf changed: read `list()` again. */
export const changes = signal(0);

const channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('banyan-bundles');
if (channel) {
  // Node keeps a program alive for an open channel.
  (channel as { unref?: () => void }).unref?.();
  channel.onmessage = ({ data }: MessageEvent<{ course: string; arriving?: Arriving | null }>) => hear(data.course, data.arriving);
}

function hear(course: string, arriving: Arriving | null | undefined): void {
  if (arriving === undefined) {
    changes.value++;
    return;
  }
  const others = Object.entries(arrivals.value).filter(([name]) => name !== course);
  arrivals.value = Object.fromEntries(arriving ? [...others, [course, arriving]] : others);
}

/** Tells all tabs how far a course has come; null when nothing comes in any more. */
export function tell(course: string, arriving: Arriving | null): void {
  hear(course, arriving);
  channel?.postMessage({ course, arriving });
}

/** Tells all tabs that the row of a course changed. */
export function announce(course: string): void {
  hear(course, undefined);
  channel?.postMessage({ course });
}
