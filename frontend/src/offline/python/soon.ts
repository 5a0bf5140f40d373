// How long a network may keep a learner waiting who has a copy on this device, and one who has none.
export const patienceWithCopy = 3_000;
export const patience = 30_000;

/** What is promised, if it comes within this time. Rejects otherwise. */
export function soon<T>(promised: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('not in time')), milliseconds);
    promised.then(resolve, reject).then(() => clearTimeout(timer));
  });
}
