import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** A part of the page that is fetched when it is first shown; undefined until it is there. */
export function useLoaded<T extends object>(load: () => Promise<T>): T | undefined {
  const there = useSignal<T | undefined>(undefined);
  useEffect(() => {
    void load().then(
      (found) => (there.value = found),
      () => undefined,
    );
  }, []);
  return there.value;
}
