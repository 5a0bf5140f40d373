import 'fake-indexeddb/auto';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Unreached } from '../../api/problem';
import { Damaged, dropPack, keptPacks, listPacks, openPack, runsHere, suggest, type Pack } from './pack';

const bytes = new TextEncoder().encode('brython;'.repeat(1000));
const packOf = (id: Pack['id'], data: Uint8Array): Pack => ({
  id,
  url: `/packs/${id}-1.js`,
  digest: `sha256:${createHash('sha256').update(data).digest('hex')}`,
  size: data.length,
  bytes: 100,
});
const light = packOf('light', bytes);
const exact = packOf('exact', new Uint8Array([1]));

/** A server: what it answers by path. */
function serve(answers: Record<string, Uint8Array | object>) {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (path: string) => {
    asked.push(path);
    const found = answers[path];
    if (!found) throw new TypeError('offline');
    if (!(found instanceof Uint8Array)) return { ok: true, json: async () => found };
    const parts = [found.slice(0, 3000), found.slice(3000)];
    return { ok: true, body: { getReader: () => ({ read: async () => ({ done: !parts.length, value: parts.shift() }) }) } };
  });
  return asked;
}

async function database(change: (store: IDBObjectStore) => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const request = indexedDB.open('banyan-packs', 1);
    request.onerror = () => reject(request.error ?? new Error());
    request.onsuccess = () => {
      const tx = request.result.transaction('packs', 'readwrite');
      change(tx.objectStore('packs'));
      tx.oncomplete = () => {
        request.result.close();
        resolve();
      };
    };
  });
}

beforeEach(async () => {
  await dropPack(light);
  await database((store) => store.clear());
});

describe('a pack', () => {
  it('is fetched once, with progress in bytes of the wire, and kept', async () => {
    const asked = serve({ [light.url]: bytes });
    const told: number[][] = [];
    const got = await openPack(light, (...progress) => told.push(progress));
    expect(new Uint8Array(got)).toEqual(bytes);
    expect(told).toEqual([[38, 100], [100, 100]]);
    expect(await keptPacks()).toContain(light.digest);
    expect(new Uint8Array(await openPack(light, () => undefined))).toEqual(bytes);
    expect(asked).toEqual([light.url]);
  });

  it('is fetched again when the device has damaged it', async () => {
    const asked = serve({ [light.url]: bytes });
    await openPack(light, () => undefined);
    await database((store) => store.put(new Uint8Array([1, 2]).buffer, light.digest));
    expect(new Uint8Array(await openPack(light, () => undefined))).toEqual(bytes);
    expect(asked).toHaveLength(2);
  });

  it.each<[string, Uint8Array]>([
    ['cut off', bytes.slice(1)],
    ['too long', new Uint8Array([...bytes, 1])],
    ['another', bytes.map((byte) => byte ^ 1)],
  ])('that is %s is refused and not kept', async (_, wrong) => {
    serve({ [light.url]: wrong });
    await expect(openPack(light, () => undefined)).rejects.toBeInstanceOf(Damaged);
    expect(await keptPacks()).not.toContain(light.digest);
  });

  it('that cannot be reached says so', async () => {
    serve({});
    await expect(openPack(light, () => undefined)).rejects.toBeInstanceOf(Unreached);
  });

  it('of an earlier release leaves when its successor has come', async () => {
    const older = packOf('light', bytes.slice(8));
    serve({ [older.url]: bytes.slice(8), '/packs.json': { packs: [light] } });
    await openPack(older, () => undefined);
    await listPacks();
    serve({ [light.url]: bytes });
    await openPack(light, () => undefined);
    expect(await keptPacks()).not.toContain(older.digest);
  });
});

it('lists without a network what is kept', async () => {
  serve({ '/packs.json': { packs: [light, exact] }, [light.url]: bytes });
  expect((await listPacks()).map(({ id }) => id)).toContain('light');
  await openPack(light, () => undefined);
  serve({});
  expect(await listPacks()).toEqual([light]);
  await dropPack(light);
  await expect(listPacks()).rejects.toBeInstanceOf(Unreached);
});

describe('the exact pack is offered', () => {
  const { validate } = WebAssembly;
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });
  /** A browser that knows WebAssembly without the instructions that begin like this. */
  const without = (...op: number[]) =>
    vi.spyOn(WebAssembly, 'validate').mockImplementation((bytes) => {
      const code = (bytes as Uint8Array).join();
      return validate(bytes) && !code.includes(`,${op.join()},`);
    });

  it('where all that it asks for is there', () => {
    expect(runsHere(exact)).toBe(true);
  });
  it.each<[string, () => unknown]>([
    ['sign extension', () => without(192)],
    ['conversions that do not trap', () => without(252, 0)],
    ['bulk memory', () => without(252, 11)],
    [
      '64-bit numbers across the border',
      () =>
        vi.spyOn(WebAssembly, 'Global').mockImplementation(function () {
          throw new TypeError("Can't set the value of i64 WebAssembly.Global");
        }),
    ],
    ['BigInt', () => vi.stubGlobal('BigInt', undefined)],
    ['WebAssembly', () => vi.stubGlobal('WebAssembly', undefined)],
  ])('not without %s, where the light one is', (_, make) => {
    make();
    expect(runsHere(exact)).toBe(false);
    expect(runsHere(light)).toBe(true);
  });
});

describe('what is suggested', () => {
  const none = new Set<string>();
  const poor = { connection: { effectiveType: '3g' } };
  it.each<[string, Pack[], Set<string>, object, Pack['id'] | undefined]>([
    ['the exact one, on a good line', [light, exact], none, { deviceMemory: 4, connection: { effectiveType: '4g' } }, 'exact'],
    ['the exact one, where nothing is known', [light, exact], none, {}, 'exact'],
    ['the light one, to save data', [light, exact], none, { connection: { saveData: true } }, 'light'],
    ['the light one, on a slow line', [light, exact], none, poor, 'light'],
    ['the light one, on a small device', [light, exact], none, { deviceMemory: 1 }, 'light'],
    ['what is here already', [light, exact], new Set([light.digest]), {}, 'light'],
    ['the exact one where both are here', [light, exact], new Set([light.digest, exact.digest]), poor, 'exact'],
    ['the only one', [light], none, {}, 'light'],
    ['nothing, where there is nothing', [], none, {}, undefined],
  ])('is %s', (_, packs, kept, around, want) => {
    expect(suggest(packs, kept, around)?.id).toBe(want);
  });
});
