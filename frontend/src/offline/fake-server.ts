// For tests: the server's side of sync as docs/sync.md has it, in memory, and a world in which tabs are opened and killed.
import { AsyncLocalStorage } from 'node:async_hooks';
import { gunzipSync } from 'node:zlib';
import { IDBFactory } from 'fake-indexeddb';
import { vi } from 'vitest';
import type * as deviceModule from './device';
import type * as handInsModule from './hand-ins';
import type * as historyModule from './history';
import type * as keptModule from './kept';
import type * as outboxModule from './outbox';
import type * as syncModule from './sync';

export interface Held {
  id: string;
  user: string;
  enrollment_id: string;
  verb: string;
  object_id: string;
  at: string;
  attempt?: number;
  responses?: unknown;
  device?: string;
  epoch?: number;
  sequence?: number;
  arrival: number;
  received_at: string;
  score?: number;
  success?: boolean;
  submission_id?: string;
  revision?: number;
}
interface Enrolled {
  id: string;
  user_id: string;
  course_id: string;
  [key: string]: unknown;
}
type Json = Record<string, unknown>;

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
export const problem = (status: number, code: string) => json({ type: 'about:blank', code, title: code, detail: `says ${code}`, status, request_id: 'r' }, status);

/** A server that keeps what devices send. Objects that are called `bad` it will not take. */
export class FakeServer {
  user = 'amina';
  generation = 1;
  arrivals = new Map<string, number>();
  statements = new Map<string, Held>();
  enrollments = new Map<string, Enrolled>();
  submissions = new Map<string, Json & { verdict?: unknown }>();
  epochs = new Map<string, number>();
  taken = new Set<string>();
  credentials: Json[] = [];
  pageSize = 500;
  /** What was asked, in order. */
  calls: string[] = [];
  posts: { device: string; epoch: number; acknowledged: number; cursor?: string; zipped: boolean; bytes: number; statements: (Json & { id: string; object_id: string; sequence: number })[] }[] = [];

  enrol(id: string, user = this.user, course = 'course', number = 1): void {
    this.enrollments.set(id, { id, user_id: user, course_id: course, institution_id: 'i', version_id: 'v', number, title: { en: 'Course' }, created_at: '2026-11-01T00:00:00Z', done: 0, total: 4, completed: false });
  }

  backup(): string {
    return JSON.stringify([[...this.arrivals], [...this.statements], [...this.enrollments], [...this.submissions], [...this.epochs], [...this.taken]]);
  }

  /** As from yesterday's backup: what came since is gone, and cursors of it mean nothing. */
  restore(backup: string): void {
    const [arrivals, statements, enrollments, submissions, epochs, taken] = JSON.parse(backup);
    this.arrivals = new Map(arrivals);
    this.statements = new Map(statements);
    this.enrollments = new Map(enrollments);
    this.submissions = new Map(submissions);
    this.epochs = new Map(epochs);
    this.taken = new Set(taken);
    this.generation++;
  }

  of(user: string): Held[] {
    return Array.from(this.statements.values()).filter((one) => one.user === user);
  }

  add(statement: Omit<Held, 'arrival' | 'received_at'>): void {
    const arrival = (this.arrivals.get(statement.user) ?? 0) + 1;
    this.arrivals.set(statement.user, arrival);
    this.statements.set(statement.id, { ...statement, arrival, received_at: new Date(Date.UTC(2026, 10, 23) + arrival * 1000).toISOString() });
  }

  async handle(request: Request): Promise<Response> {
    const url = new URL(request.url, 'http://localhost');
    this.calls.push(`${request.method} ${url.pathname}`);
    if (url.pathname === '/api/trust') return new Response(null, { status: 204, headers: { Banyan: '1' } });
    if (!this.user) return problem(401, 'session.required');
    const at = `${request.method} ${url.pathname}`;
    if (at === 'GET /api/me') return json({ id: this.user, username: this.user, display_name: this.user, operator: false, memberships: [] });
    if (at === 'POST /api/sync') return this.sync(new Uint8Array(await request.arrayBuffer()), request.headers.get('Content-Encoding') === 'gzip');
    if (at === 'GET /api/sync') return this.pull(url.searchParams);
    if (at === 'POST /api/enrollments') return this.enrolment((await request.json()) as Json);
    if (at === 'GET /api/enrollments') return json({ items: Array.from(this.enrollments.values()).filter((one) => one.user_id === this.user) });
    if (at === 'POST /api/submissions') return this.handIn((await request.json()) as Json & { id: string; enrollment_id: string });
    if (at === 'GET /api/wallet/imports') return json({ items: [] });
    if (at === 'GET /api/credentials') return json({ items: this.credentials });
    const credential = /^GET \/api\/credentials\/([^/]+)(\/code\.txt)?$/.exec(at);
    if (credential) {
      const { signature } = this.credentials.find(({ id }) => id === credential[1]) as { signature: string };
      return new Response(credential[2] ? `BNY1:${signature}${url.searchParams.get('name')}` : JSON.stringify({ signature }));
    }
    if (at === 'POST /api/statements') return this.loose((await request.json()) as Held[]);
    const submission = /^GET \/api\/submissions\/(.+)$/.exec(at);
    if (submission) {
      const found = this.submissions.get(submission[1] as string);
      return found ? json(found) : problem(404, 'submission.not_found');
    }
    return problem(404, 'not_found');
  }

  private stamps() {
    const changes = this.credentials.map(({ changed_at: at }) => at as string).sort();
    return { count: this.credentials.length, ...(changes.length && { changed_at: changes.pop() }) };
  }

  private cursor(): string {
    return `${this.generation}:${this.arrivals.get(this.user) ?? 0}:${this.enrolments()}`;
  }

  private enrolments(): number {
    return Array.from(this.enrollments.values()).filter((one) => one.user_id === this.user).length;
  }

  private loose(all: Held[]): Response {
    for (const one of all) if (!this.statements.has(one.id)) this.add({ ...one, user: this.user });
    return json({ answers: all.map(({ id }) => ({ id, status: 'accepted' })) });
  }

  private sync(bytes: Uint8Array, zipped: boolean): Response {
    const body = JSON.parse(new TextDecoder().decode(zipped ? gunzipSync(bytes) : bytes)) as FakeServer['posts'][number];
    this.posts.push({ ...body, zipped, bytes: bytes.length });
    const stood = this.cursor();
    const before = Math.max(this.epochs.get(body.device) ?? 1, body.epoch);
    let epoch = before;
    const answers = body.statements.map((one) => {
      const known = this.statements.get(one.id);
      if (known) return { id: one.id, status: known.user === this.user ? 'duplicate' : 'rejected', epoch: known.epoch, sequence: known.sequence };
      const enrolled = this.enrollments.get(one['enrollment_id'] as string);
      if (enrolled?.user_id !== this.user) return { id: one.id, status: 'deferred', code: 'enrollment.not_found' };
      let at = body.epoch;
      if (this.taken.has(`${body.device}/${at}/${one.sequence}`)) at = epoch = before + 1;
      this.taken.add(`${body.device}/${at}/${one.sequence}`);
      if (one.object_id === 'bad') return { id: one.id, status: 'rejected', code: 'statement.unknown_object', detail: 'No such lesson.' };
      const marked = one['verb'] === 'answered' ? { score: 0.5, passed: false, questions: [] } : undefined;
      this.add({ ...(one as unknown as Held), user: this.user, device: body.device, epoch: at, ...(marked ? { score: 0.5, success: false } : {}) });
      return { id: one.id, status: 'accepted', marked };
    });
    this.epochs.set(body.device, epoch);
    let known = 0;
    while (this.taken.has(`${body.device}/${epoch}/${known + 1}`)) known++;
    return json({ answers, epoch, known, cursor: this.cursor(), current: body.cursor === stood, server_time: '2026-11-23T12:00:00Z', credentials: this.stamps() });
  }

  private pull(query: URLSearchParams): Response {
    const sent = query.get('after') ?? '';
    const [generation, arrival, enrolled] = sent.split(':').map(Number);
    const reset = sent !== '' && generation !== this.generation;
    const from = sent === '' || reset ? 0 : (arrival ?? 0);
    const all = this.of(this.user).filter((one) => one.arrival > from).sort((a, b) => a.arrival - b.arrival);
    const some = all.slice(0, Math.min(this.pageSize, Number(query.get('limit') ?? 500)));
    const more = some.length < all.length;
    const last = some[some.length - 1]?.arrival ?? from;
    const mine = Array.from(this.enrollments.values()).filter((one) => one.user_id === this.user);
    const cursor = `${this.generation}:${last}:${mine.length}`;
    return json({
      statements: some.map((one) => ({ ...one, user: undefined })),
      enrollments: reset || from === 0 || enrolled !== mine.length ? mine : [],
      cursor,
      more,
      reset,
      server_time: '2026-11-23T12:00:00Z',
      credentials: this.stamps(),
    });
  }

  private enrolment({ id, course_id, number }: Json): Response {
    const before = Array.from(this.enrollments.values()).find((one) => one.user_id === this.user && one.course_id === course_id);
    if (before) return json(before);
    this.enrol(id as string, this.user, course_id as string, number as number | undefined);
    return json(this.enrollments.get(id as string), 201);
  }

  private handIn(body: Json & { id: string; enrollment_id: string }): Response {
    if (this.submissions.has(body.id)) return json(this.submissions.get(body.id));
    if (this.enrollments.get(body.enrollment_id)?.user_id !== this.user) return problem(404, 'enrollment.not_found');
    this.submissions.set(body.id, { ...body, created_at: '2026-11-23T12:00:00Z' });
    return json(this.submissions.get(body.id), 202);
  }
}

/** What may happen to one request. */
export type Weather = (request: Request, tab: Tab | undefined) => 'fine' | 'lost' | 'answer lost' | 'portal' | Response;

interface Modules {
  outbox: typeof outboxModule;
  sync: typeof syncModule;
  history: typeof historyModule;
  handIns: typeof handInsModule;
  kept: typeof keptModule;
  device: typeof deviceModule;
}

/** A page, with its own memory. */
export interface Tab extends Modules {
  dead: boolean;
  /** Transactions and requests until it is killed; the sign of chance says whether what it was at is done all the same. */
  left: number;
  survives: boolean;
  in<T>(work: () => T): T;
  kill(): void;
}

/** A browser profile, a network and a server. */
export class World {
  server = new FakeServer();
  weather: Weather = () => 'fine';
  tabs: Tab[] = [];
  private current = new AsyncLocalStorage<Tab>();
  private locks: { name: string; tab: Tab | undefined; next: (() => void)[] }[] = [];
  disk = new IDBFactory();

  constructor({ locks = true } = {}) {
    vi.stubGlobal('fetch', (request: Request | string, how?: RequestInit) => this.fetch(typeof request === 'string' ? new Request(`http://localhost${request}`, how) : request));
    vi.stubGlobal('indexedDB', { open: (name: string, version?: number) => this.open(name, version) });
    if (locks) Object.defineProperty(navigator, 'locks', { configurable: true, value: { request: this.request.bind(this) } });
    else Reflect.deleteProperty(navigator, 'locks');
  }

  close(): void {
    for (const tab of this.tabs) tab.kill();
    Reflect.deleteProperty(navigator, 'locks');
    vi.unstubAllGlobals();
  }

  async tab(): Promise<Tab> {
    vi.resetModules();
    const [outbox, sync, history, handIns, kept, device] = await Promise.all([import('./outbox'), import('./sync'), import('./history'), import('./hand-ins'), import('./kept'), import('./device')]);
    const tab: Tab = {
      outbox,
      sync,
      history,
      handIns,
      kept,
      device,
      dead: false,
      left: Infinity,
      survives: false,
      in: (work) => this.current.run(tab, work),
      kill: () => {
        tab.dead = true;
        outbox.reopen();
        sync.calm();
        for (const lock of this.locks.filter((one) => one.tab === tab)) this.release(lock);
      },
    };
    this.tabs.push(tab);
    return tab;
  }

  /** Says whether this step is the tab's last. */
  private step(tab: Tab | undefined): boolean {
    if (!tab || tab.dead) return false;
    if (--tab.left > 0) return false;
    tab.kill();
    return true;
  }

  private async fetch(request: Request): Promise<Response> {
    const tab = this.current.getStore();
    if (tab?.dead) return new Promise(() => undefined);
    const last = this.step(tab);
    if (last && !tab?.survives) return new Promise(() => undefined);
    const weather = this.weather(request, tab);
    if (weather === 'lost') throw new TypeError('network');
    if (weather === 'portal') return new Response('<html><title>Welcome to the market</title>', { status: 200, headers: { 'Content-Type': 'text/html' } });
    if (weather instanceof Response) return weather;
    const answer = await this.server.handle(request);
    if (last) return new Promise(() => undefined);
    if (weather === 'answer lost') throw new TypeError('network');
    return answer;
  }

  private open(name: string, version?: number): IDBOpenDBRequest {
    const tab = this.current.getStore();
    const request = this.disk.open(name, version);
    request.addEventListener('success', () => {
      const db = request.result;
      const make = db.transaction.bind(db);
      db.transaction = ((stores: string[], mode: IDBTransactionMode) => {
        const whose = this.current.getStore() ?? tab;
        if (whose?.dead) throw new DOMException('the tab is gone', 'InvalidStateError');
        const last = mode === 'readwrite' && this.step(whose);
        const tx = make(stores, mode);
        if (!last) return tx;
        // Whoever dies while it writes has written all or nothing, and never learns which.
        if (!whose?.survives) setTimeout(() => abort(tx));
        return new Proxy(tx, { get: (of, key) => bound(of, key), set: (of, key, value) => (key === 'oncomplete' || key === 'onabort' ? true : Reflect.set(of, key, value)) });
      }) as typeof db.transaction;
    });
    return request;
  }

  private request(name: string, { ifAvailable }: { ifAvailable: boolean }, work: (lock: object | null) => unknown): Promise<unknown> {
    const tab = this.current.getStore();
    const held = this.locks.find((one) => one.name === name);
    if (held && ifAvailable) return Promise.resolve(work(null));
    return (async () => {
      if (held) await new Promise<void>((resolve) => held.next.push(resolve));
      if (tab?.dead) return new Promise(() => undefined);
      const lock = { name, tab, next: held?.next ?? [] };
      this.locks.push(lock);
      try {
        return await work({});
      } finally {
        this.release(lock);
      }
    })();
  }

  private release(lock: World['locks'][number]): void {
    const at = this.locks.indexOf(lock);
    if (at < 0) return;
    this.locks.splice(at, 1);
    lock.next.shift()?.();
  }
}

function abort(tx: IDBTransaction): void {
  try {
    tx.abort();
  } catch {
    // It was quicker: it has written all.
  }
}

function bound(of: IDBTransaction, key: string | symbol): unknown {
  const value = Reflect.get(of, key) as unknown;
  return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(of) : value;
}
