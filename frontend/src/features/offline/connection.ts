// What the device says of its connection. Nothing is downloaded by itself where each megabyte is paid for.
import { signal } from '@preact/signals';

interface Connection {
  saveData?: boolean;
  type?: string;
}

/** Whether the learner's browser or line is sparing with data. */
export function sparing(): boolean {
  const { saveData, type } = (navigator as { connection?: Connection }).connection ?? {};
  return saveData === true || type === 'cellular';
}

/** Whether the device thinks that it has a network. */
export const online = signal(navigator.onLine);
addEventListener('online', () => (online.value = true));
addEventListener('offline', () => (online.value = false));
