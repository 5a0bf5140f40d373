// What the tests of the runner call in a page: its own API, from the sources, with the frame and packs of the real program.
import { createRunner, listPacks, type Order, type PackID, type Result, type Runner } from '../../src/features/lab/run';

const runners = new Map<PackID, Runner>();

async function open(id: PackID): Promise<Runner> {
  const known = runners.get(id);
  if (known) return known;
  const pack = (await listPacks()).find((one) => one.id === id);
  if (!pack) throw new Error(`no pack ${id}`);
  const runner = createRunner({ pack });
  await runner.load();
  runners.set(id, runner);
  return runner;
}

const probe = {
  packs: () => listPacks(),
  /** Loads a pack and tells how long that took, and the progress that was told. */
  async load(id: PackID) {
    const began = performance.now();
    await open(id);
    return performance.now() - began;
  },
  /** Runs an order to its end. */
  async run(id: PackID, order: Order): Promise<Result & { heard: string; waited: number }> {
    const runner = await open(id);
    const began = performance.now();
    let heard = '';
    return new Promise((resolve) => {
      runner.run(order, { onOutput: (chunk) => (heard += chunk), onEnd: (result) => resolve({ ...result, heard, waited: performance.now() - began }) });
    });
  },
  stop: (id: PackID) => runners.get(id)?.stop(),
  close(id: PackID) {
    runners.get(id)?.close();
    runners.delete(id);
  },
};

export type Probe = typeof probe;
(globalThis as unknown as { probe: Probe }).probe = probe;
