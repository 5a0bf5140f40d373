// Who uses which bytes, and throwing away what nobody does.
import { disk, result, transact } from '../db';
import { type Digest, type Trust } from './documents';
import { list, type Shelved, type Version } from './library';
import { locked } from './lock';
import { arrived } from './partials';
import { lists } from './read';
import { arriving, change, reach, stored } from './shelf';

const batch = 500;

interface Used {
  /** Of the version that is read. */
  installed: Map<Digest, number>;
  previous: Map<Digest, number>;
  candidate: Map<Digest, number>;
}

async function sizes(version: Version | undefined, publisher: string, here: { has: ReadonlySet<Digest> }): Promise<Map<Digest, number>> {
  const used = new Map<Digest, number>();
  for (const { digest, want, here: present } of version ? await reach(version, publisher, here) : []) if (present) used.set(digest, want.size);
  return used;
}

async function uses({ installed, previous, candidate, publisher }: Shelved, here: { has: ReadonlySet<Digest> }): Promise<Used> {
  return { installed: await sizes(installed, publisher, here), previous: await sizes(previous, publisher, here), candidate: await sizes(candidate, publisher, here) };
}

/**
 * Throws away what no version of any course refers to: blobs, and pieces of packs. Never while something comes in: then it does nothing and
 * says undefined. Resolves with the bytes that came free.
 */
export function collect(): Promise<number | undefined> {
  return locked('bundle', { now: true }, async () => {
    const rows = await list();
    const here = await stored();
    const kept = new Set<Digest>();
    for (const row of rows) {
      for (const used of Object.values(await uses(row, here))) (used as Map<Digest, number>).forEach((_, digest) => kept.add(digest));
    }
    for (const { document } of await disk.list<{ document: string }>('trust')) {
      for (const { digest } of lists(JSON.parse(document.split('\n', 1)[0] as string) as Trust)) kept.add(digest);
    }
    const loose = Array.from(here.has).filter((digest) => !kept.has(digest));
    let freed = 0;
    for (let i = 0; i < loose.length; i += batch) {
      await transact(['blobs'], 'readwrite', async (store) => {
        const some = await Promise.all(loose.slice(i, i + batch).map((digest) => result(store('blobs').get(digest) as IDBRequest<{ digest: Digest; size: number } | undefined>)));
        for (const row of some) {
          if (!row) continue;
          freed += row.size;
          store('blobs').delete(row.digest);
        }
      });
    }
    return freed + (await clearStray(rows));
  });
}

/** Pieces of packs that no download waits for. */
async function clearStray(rows: readonly Shelved[]): Promise<number> {
  const waited = new Set<string>();
  for (const { downloads } of rows) for (const { href, done } of downloads?.parts ?? []) if (!done) waited.add(href);
  return transact(['partials'], 'readwrite', async (store) => {
    let freed = 0;
    for (let cursor = await result(store('partials').openCursor()); cursor; ) {
      const { href, bytes } = cursor.value as { href: string; bytes: ArrayBuffer };
      if (!waited.has(href)) {
        freed += bytes.byteLength;
        cursor.delete();
      }
      const request = cursor.request as IDBRequest<IDBCursorWithValue | null>;
      cursor.continue();
      cursor = await result(request);
    }
    return freed;
  });
}

/** What a course takes on this device, in bytes. */
export interface Usage {
  course: string;
  /** Of the version that is read. */
  installed: number;
  /** What only the version before needs: so much `forgetPrevious` frees. */
  previous: number;
  /** What only the version that is coming needs, with pieces of packs. */
  arriving: number;
  /** What removing the course frees: the rest is another course's too. */
  frees: number;
}

export async function usage(): Promise<Usage[]> {
  const rows = await list();
  const here = await stored();
  const used = await Promise.all(rows.map((row) => uses(row, here)));
  const courses = new Map<Digest, number>();
  const all = used.map(({ installed, previous, candidate }) => new Map([...Array.from(installed), ...Array.from(previous), ...Array.from(candidate)]));
  for (const one of all) one.forEach((_, digest) => courses.set(digest, (courses.get(digest) ?? 0) + 1));
  const packs = await Promise.all(rows.map(({ downloads }) => Promise.all((downloads?.parts ?? []).map(async ({ href }) => (await arrived(href)).size))));
  const sum = (of: Map<Digest, number>, without?: (digest: Digest) => boolean) => {
    let bytes = 0;
    of.forEach((size, digest) => {
      if (!without?.(digest)) bytes += size;
    });
    return bytes;
  };
  return rows.map(({ course }, i) => {
    const { installed, previous, candidate } = used[i] as Used;
    const pieces = (packs[i] as number[]).reduce((bytes, size) => bytes + size, 0);
    return {
      course,
      installed: sum(installed),
      previous: sum(previous, (digest) => installed.has(digest) || candidate.has(digest) || (courses.get(digest) ?? 0) > 1),
      arriving: pieces + sum(candidate, (digest) => installed.has(digest) || previous.has(digest)),
      frees: pieces + sum(all[i] as Map<Digest, number>, (digest) => (courses.get(digest) ?? 0) > 1),
    };
  });
}

/** Removes a course from this device, with what no other course needs. What learners did stays. */
export async function remove(course: string): Promise<void> {
  await arriving(course, undefined, () => change(course, () => undefined));
  await collect();
}

/** Gives up the version before, to make room. */
export async function forgetPrevious(course: string): Promise<void> {
  await arriving(course, undefined, () => change(course, (row) => row && without(row, 'previous')));
  await collect();
}

/** Gives up what is coming in. What is installed stays. */
export async function abandon(course: string): Promise<void> {
  await arriving(course, undefined, () =>
    change(course, (row) => (row?.installed ? { ...without(without(row, 'candidate'), 'downloads'), rule: row.installed.rule } : undefined)),
  );
  await collect();
}

function without(row: Shelved, field: 'previous' | 'candidate' | 'downloads'): Shelved {
  const rest = { ...row };
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- one of three names that stand above
  delete rest[field];
  return rest;
}
