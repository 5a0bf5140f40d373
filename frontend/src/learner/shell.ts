// What of the app itself a device needs to work without a network (src/sw/bridge.ts).
import { locale } from '../i18n/words';

/** What is still missing, in bytes at most: it is part of what a first download costs. Throws where the server cannot be reached. */
export async function shell(): Promise<{ bytes: number; whole: boolean }> {
  return (await import('../sw/bridge')).shell(locale());
}

/** Fetches it: for the tap that downloads a course. Says false where it could not. */
export async function keepShell(onProgress?: (done: number, total: number) => void): Promise<boolean> {
  return (await import('../sw/bridge')).keepShell(locale(), onProgress);
}
