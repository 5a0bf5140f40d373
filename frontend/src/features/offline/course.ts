// One course on this device, as its page and the list of courses show it.
import { effect, signal } from '@preact/signals';
import { api, ask } from '../../api/client';
import { keepShell, shell } from '../../learner/shell';
import { checkUpdate, cost, install, repair, update, type Cost } from '../../offline/bundle/download';
import { abandon, usage, type Usage } from '../../offline/bundle/collect';
import { http } from '../../offline/bundle/http';
import type { Rule, Shelved } from '../../offline/bundle/library';
import { arrivals, changes } from '../../offline/bundle/progress';
import { go, isPaused, pause, running } from '../../offline/bundle/resume';
import { list, lost, switchBack } from '../../offline/bundle/shelf';

export interface Lost {
  items: string[];
  blobs: number;
  bytes: number;
}

/** Follows a course in the database. `close` ends it. */
export function follow(course: string) {
  /** null: not known yet. */
  const row = signal<Shelved | undefined | null>(null);
  const room = signal<Usage | undefined>(undefined);
  const gone = signal<Lost | undefined>(undefined);
  const held = signal(false);
  const trouble = signal<unknown>(undefined);
  let open = true;

  async function read(): Promise<void> {
    const found = (await list()).find((one) => one.course === course);
    const used = (await usage()).find((one) => one.course === course);
    const away = found?.installed && !found.downloads ? await lost(course) : undefined;
    const stopped = await isPaused(course);
    if (!open) return;
    row.value = found;
    room.value = used;
    gone.value = away?.blobs ? away : undefined;
    held.value = stopped;
  }

  const close = effect(() => {
    void changes.value;
    void read().catch((cause: unknown) => {
      // Without a database there is nothing here.
      row.value ??= undefined;
      trouble.value = cause;
    });
  });

  /** Runs a transfer that can be paused. A page that is left pauses nothing: the next one goes on. */
  async function run(work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    if (running.has(course)) return;
    const controller = new AbortController();
    running.set(course, controller);
    trouble.value = undefined;
    try {
      await go(course);
      held.value = false;
      await work(controller.signal);
    } catch (cause) {
      if (!controller.signal.aborted) trouble.value = cause;
    } finally {
      running.delete(course);
      await read().catch(() => undefined);
    }
  }

  return {
    row,
    room,
    gone,
    /** Somebody paused it. */
    held,
    trouble,
    arriving: () => arrivals.value[course],
    read,
    close: () => {
      open = false;
      close();
    },
    /** What a rule costs beside what is here, with what the app itself still lacks. */
    async cost(rule: Rule): Promise<Cost> {
      const asked = await cost(http, course, rule);
      const app = await shell().catch(() => ({ bytes: 0 }));
      return { ...asked, bytes: asked.bytes + app.bytes };
    },
    start: (rule: Rule, number?: number) =>
      run(async (signal) => {
        await install(http, course, rule, { signal, ...(number !== undefined && { number }) });
        // The course alone is of little use where the app cannot open it. What this fetches was part of the cost.
        await keepShell();
      }),
    update: (number: number) => run((signal) => update(http, course, number, { signal })),
    repair: () => run((signal) => repair(http, course, { signal })),
    /** The languages that the course speaks. */
    languages: async () => Object.keys((await ask(api.GET('/api/bundles/{course_id}', { params: { path: { course_id: course } } }))).editions),
    newer: () => checkUpdate(http, course),
    async hold(): Promise<void> {
      await pause(course);
      held.value = true;
      running.get(course)?.abort();
    },
    async giveUp(): Promise<void> {
      running.get(course)?.abort();
      await abandon(course);
      await go(course);
    },
    back: () => switchBack(course),
  };
}

export type Followed = ReturnType<typeof follow>;
