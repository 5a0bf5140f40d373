import { useEffect } from 'preact/hooks';

const again = 2000; // ms between two looks at one that works

/** Looks again and again while `works`: a job of the server moves without saying so. The network may be away for a while; the next look tells. */
export function useWatch(works: boolean, look: () => Promise<void>): void {
  useEffect(() => {
    if (!works) return;
    let gone = false;
    const later = async () => {
      while (!gone) {
        await new Promise((resolve) => setTimeout(resolve, again));
        if (!gone) await look().catch(() => undefined);
      }
    };
    void later();
    return () => {
      gone = true;
    };
  }, [works]);
}
