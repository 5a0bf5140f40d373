import { useSignal, type Signal } from '@preact/signals';

export interface Task {
  busy: Signal<boolean>;
  trouble: Signal<unknown>;
  /** Runs one thing at a time; what it throws stands in `trouble` until the next run. Says whether it went well. */
  run(work: () => Promise<void>): Promise<boolean>;
}

/** One thing that a screen is busy with. */
export function useTask(): Task {
  const busy = useSignal(false);
  const trouble = useSignal<unknown>(undefined);
  return {
    busy,
    trouble,
    async run(work) {
      if (busy.value) return false;
      busy.value = true;
      trouble.value = undefined;
      try {
        await work();
        return true;
      } catch (cause) {
        trouble.value = cause;
        return false;
      } finally {
        busy.value = false;
      }
    },
  };
}
