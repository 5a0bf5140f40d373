// A device in a test: a program of its own that can be stopped, and a course put where a download would put it.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';

/** The real program with a fresh data folder, to be stopped and started again. */
export class Program {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'banyan-e2e-offline-'));
  private process: ChildProcess | undefined;

  constructor(
    readonly port: number,
    private readonly binary = join(import.meta.dirname, '../../bin/banyan-api'),
  ) {}

  get url(): string {
    return `http://localhost:${this.port}`;
  }

  async start(): Promise<void> {
    const runtime = join(import.meta.dirname, '../../build/runtime');
    const env = { ...process.env, BANYAN_LISTEN: `127.0.0.1:${this.port}`, BANYAN_DATA_DIR: this.dataDir, BANYAN_RUNTIME_DIR: runtime, BANYAN_LOG_LEVEL: 'warn' };
    this.process = spawn(this.binary, ['serve', '--demo', '--examples'], { env, stdio: 'ignore' });
    for (let i = 0; i < 600; i++) {
      const answer = await fetch(`${this.url}/api/health`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('the program does not start');
  }

  async stop(): Promise<void> {
    const running = this.process;
    this.process = undefined;
    if (!running || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGTERM');
    await ended;
  }
}

/** Waits until the worker controls the page and what the language needs is kept; with `whole` also what the app and the labs need. */
export async function kept(page: Page, locale: string, whole = false): Promise<void> {
  const at = `/shell/${locale}.json${whole ? '?whole' : ''}`;
  await expect.poll(() => page.evaluate(async (at) => !!navigator.serviceWorker.controller && !!(await caches.match(at)), at)).toBe(true);
}

/** Waits until a window says that it uses a shell. */
export async function held(page: Page, build: string): Promise<void> {
  const names = () => page.evaluate(async () => ((await navigator.locks.query()).held ?? []).map(({ name }) => name));
  await expect.poll(names).toContain(`banyan-shell-${build}`);
}

/** Brings a course's bundle in as a download does: the blobs, then the pointer. */
export async function install(page: Page, course: string, locales: string[]): Promise<number> {
  return page.evaluate(
    async ({ course, locales }) => {
      interface Plan {
        number: number;
        root_digest: string;
        head: { href: string };
        packs: { href: string }[];
      }
      const query = `${locales.map((locale) => `locale=${locale}`).join('&')}&tier=all`;
      const plan = (await (await fetch(`/api/bundles/${course}/plan?${query}`)).json()) as Plan;
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open('banyan');
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error());
      });
      const blobs: { digest: string; bytes: ArrayBuffer; size: number }[] = [];
      let root = '';
      for (const { href } of [plan.head, ...plan.packs]) {
        const packed = (await fetch(href)).body as ReadableStream<BufferSource>;
        const bytes = await new Response(packed.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
        const view = new DataView(bytes);
        for (let at = 8; at < bytes.byteLength; ) {
          const kind = String.fromCharCode(view.getUint8(at));
          const length = view.getUint32(at + 1);
          const payload = bytes.slice(at + 5, at + 5 + length);
          at += 5 + length;
          if (kind === 'R') root = new TextDecoder().decode(payload);
          if (kind !== 'B') continue;
          const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', payload));
          blobs.push({ digest: `sha256:${Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')}`, bytes: payload, size: length });
        }
      }
      const transaction = database.transaction(['blobs', 'bundles'], 'readwrite');
      for (const blob of blobs) transaction.objectStore('blobs').put(blob);
      const rule = { locales, tier: 'all' };
      const { publisher, signed_at } = JSON.parse(root.split('\n')[0] as string) as { publisher: string; signed_at: string };
      transaction.objectStore('bundles').put({ course, publisher, rule, installed: { root, digest: plan.root_digest, number: plan.number, signed_at, rule, complete: true } });
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = reject;
      });
      database.close();
      return plan.number;
    },
    { course, locales },
  );
}

/** All that the browser keeps for this site, as text: drawers and caches. */
export const everything = (page: Page): Promise<string> =>
  page.evaluate(async () => {
    const wait = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error());
      });
    const out = [JSON.stringify(localStorage), JSON.stringify(sessionStorage)];
    for (const cache of await caches.keys()) for (const { url } of await (await caches.open(cache)).keys()) out.push(url);
    const db = await wait(indexedDB.open('banyan'));
    for (const store of Array.from(db.objectStoreNames)) {
      // Of courses and issuers, which are everybody's.
      if (['blobs', 'bundles', 'partials', 'publishers', 'trust'].indexOf(store) >= 0) continue;
      const all = await wait(db.transaction(store).objectStore(store).getAll());
      out.push(
        JSON.stringify(all, (_, value: unknown) => {
          if (value instanceof ArrayBuffer) return String.fromCharCode(...new Uint8Array(value));
          if (ArrayBuffer.isView(value)) return String.fromCharCode(...new Uint8Array(value.buffer));
          return value;
        }),
      );
    }
    db.close();
    return out.join('\n');
  });
