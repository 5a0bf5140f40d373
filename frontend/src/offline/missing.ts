import { Unreached } from '../api/problem';

/** A part of the program that this device has not fetched yet. With a network it comes by itself; nothing is broken. */
export class Missing extends Unreached {}

/** Waits for a part of the program. Throws Missing where it is neither kept nor to be reached. */
export function part<T>(load: Promise<T>): Promise<T> {
  return load.catch(() => {
    throw new Missing();
  });
}
