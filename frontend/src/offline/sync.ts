// Sends what waits and fetches what is new. docs/sync.md has the protocol. One tab of a browser does so at a time; whatever breaks off is
// taken up where it was, for nothing leaves the outbox without an answer of its own, and a cursor is kept only with the page that it ends.
import { api, ask, askAll, type Schemas } from '../api/client';
import { fresh, loadMe, me, signedIn } from '../api/me';
import { Problem, Unreached } from '../api/problem';
import { disk, result, transact, type StoreName } from './db';
import { findDevice, newDevice, within, type Device } from './device';
import { keepHandIn, listHandIns, tidy } from './hand-ins';
import type { Enrollment, HistoryRecord, Intent } from './history';
import { forget, keyOf, recall, recallAll, remember } from './kept';
import { seal } from './locker';
import * as outbox from './outbox';
import type { Answer, NewStatement, OutboxRecord, Waiting } from './outbox';
import { Elsewhere } from './refusals';
import { tell } from './tabs';
import { alone } from './turns';

type SyncAnswer = Schemas['SyncAnswer'];
type SyncPage = Schemas['SyncPage'];
type Stamp = Schemas['CredentialsStamp'];

/** How far the last sync came. Not sealed: it says nothing of what was done. */
interface State {
  cursor?: string;
  /** Counts how often the server did not know our cursor. */
  round: number;
  /** The server did not know our cursor: once all is fetched, what it lacks is sent again. */
  lacking?: boolean;
  last?: string;
}
/** The learner's certificates as they were last seen, with their signed documents. */
export interface Certificates {
  stamp: string;
  at: number;
  items: Schemas['Credential'][];
  documents: Record<string, string>;
  lists: Record<string, string>;
  /** The texts of their QR codes, without the name and with it. */
  codes?: Record<string, [string, string]>;
}

/** What was earned elsewhere, as the server last told it. */
export interface Imports {
  at: number;
  items: Schemas['ImportedCredential'][];
}

const most = { statements: 100, bytes: 32 * 1024, raw: 900_000, page: 500 };
const patience = 60_000;
const restful = 60_000;
const day = 86_400_000;

// What a bad line lets through: halved by each break, doubled by each success.
let size = most.statements;
let page = most.page;
let failures = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let notBefore = 0;
let rested = 0;
let synced = '';

/**
 * One sync of this learner's, whole or as far as it comes. `how`: by itself, because something happened, or because the learner
 * asked. Never rejects: outbox.syncTrouble says what was in the way.
 */
export async function sync(user: string, how: outbox.Asked = ''): Promise<void> {
  clearTimeout(timer);
  if (how) failures = notBefore = 0;
  const now = performance.now();
  if (now < notBefore) return again(notBefore - now);
  await outbox.look();
  const waits = outbox.waiting.value.length > 0 || (await pending(user));
  if (!waits && how !== 'button' && rested && now - rested < restful) return;
  // Who has something to send waits for the tab that is at it, which may have begun before.
  await alone(`sync/${user}`, () => session(user), waits);
}

async function pending(user: string): Promise<boolean> {
  const [intents, handIns] = await Promise.all([recallAll<Intent>(user, 'intent'), listHandIns(user).catch(() => [])]);
  return intents.length > 0 || handIns.some(({ state }) => state === 'waiting' || state === 'sent');
}

async function session(user: string): Promise<void> {
  outbox.sending.value = true;
  if (user !== synced) outbox.lastSync.value = '';
  synced = user;
  try {
    await identify(user);
    await sendIntents(user);
    const told = await push(user);
    await sendHandIns(user);
    const { stamp, time } = await pull(user, told);
    await fetchVerdicts(user);
    await fetchCertificates(user, stamp);
    await fetchImports(user);
    await bringOthers();
    await fetchIssuers(user);
    failures = 0;
    rested = performance.now();
    outbox.syncTrouble.value = undefined;
    if (user === outbox.currentUser()) outbox.lastSync.value = time;
  } catch (cause) {
    // Not whole, so not "done": what waits stays, and the page says why.
    outbox.syncTrouble.value = cause;
    rested = 0;
    // Signed out: no use to knock before the learner has signed in, which begins a sync.
    if (cause instanceof Elsewhere || (cause instanceof Problem && cause.status === 401)) return;
    failures++;
    const seconds = (cause instanceof Problem && cause.retryAfter) || Math.min(300, 2 ** failures) * (0.5 + Math.random());
    again(seconds * 1000);
  } finally {
    outbox.sending.value = false;
    tell({ user });
  }
}

function again(wait: number): void {
  notBefore = performance.now() + wait;
  timer = setTimeout(() => {
    notBefore = 0;
    void outbox.flush();
  }, wait);
}

/** Waits for an answer, but not for ever. */
async function patiently<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const clock = setTimeout(() => stop.abort(), patience);
  try {
    return await call(stop.signal);
  } catch (cause) {
    throw cause instanceof DOMException && cause.name === 'AbortError' ? new Unreached() : cause;
  } finally {
    clearTimeout(clock);
  }
}

/** Whoever is signed in must be the one whose work it is: another tab may have changed that. */
async function identify(user: string): Promise<void> {
  if (signedIn()?.id === user && fresh()) return;
  // A session that is over is begun again by the device's token, where the device knows the learner.
  await loadMe(true);
  const now = me.value;
  if (now === 'unreached' || !now) {
    const { id } = await patiently((signal) => ask(api.GET('/api/me', { signal })));
    insist(id === user);
    return;
  }
  if (now.id !== user) throw new Elsewhere();
  if (now.away) throw new Problem({ code: now.away, title: now.away }, 401);
  if (now.local) throw new Unreached();
}

// A portal or a proxy may answer anything; only what has the form is an answer.
function insist(form: boolean): asserts form {
  if (!form) throw new Unreached();
}

const isCount = (value: unknown) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** Enrollments that were made here without the network. */
async function sendIntents(user: string): Promise<void> {
  for (const intent of await recallAll<Intent>(user, 'intent')) await enrol(user, intent);
}

async function enrol(user: string, { id, course_id, institution_id, number }: Pick<Intent, 'id' | 'course_id' | 'institution_id'> & Partial<Pick<Intent, 'number'>>): Promise<void> {
  let made: Enrollment;
  try {
    made = await patiently((signal) => ask(api.POST('/api/enrollments', { body: { id, course_id, ...(institution_id && { institution_id }), ...(number && { number }) }, signal })));
  } catch (cause) {
    if (!(cause instanceof Problem) || !final(cause.status)) throw cause;
    // It stays: what was done under it waits for the day when it is allowed.
    note(id, cause.message);
    return;
  }
  insist(typeof made?.id === 'string' && made.course_id === course_id);
  const known = (await recall<Enrollment[]>(user, 'enrollments')) ?? [];
  await remember(user, 'enrollments', [...known.filter((one) => one.id !== made.id), made]);
  if (made.id !== id) await rename(user, id, made.id);
  await forget(user, 'intent', id);
}

function note(id: string, detail: string): void {
  if (outbox.refused.value.some((one) => one.id === id)) return;
  outbox.refused.value = [...outbox.refused.value, { id, detail }];
}

/** The learner had joined the course on another device: what was done here belongs to that enrollment. */
async function rename(user: string, from: string, to: string): Promise<void> {
  for (const { epoch, sequence, ...entry } of await outbox.entries(user)) {
    if (entry.enrollment_id !== from || outbox.memory.has(entry.id)) continue;
    const body = await seal(user, { ...entry, enrollment_id: to });
    await disk.put('outbox', { user, id: entry.id, epoch, sequence, body } satisfies OutboxRecord);
  }
  for (const one of await listHandIns(user)) {
    if (one.submission.enrollment_id === from) await keepHandIn(user, { ...one, submission: { ...one.submission, enrollment_id: to } });
  }
}

/** Sends what waits, in batches, until each has its answer, and gives where the server says that this device stands. */
async function push(user: string): Promise<SyncAnswer> {
  await pushLoose(user);
  const deferred = new Set<string>();
  const tried = new Set<string>();
  let revived = false;
  for (;;) {
    const device = await number(user);
    const all = (await outbox.entries(user)).filter(({ id, sequence }) => sequence && !deferred.has(id));
    const state = await stateOf(user);
    const { batch, body, zipped } = await pack(device, state.cursor, all.slice(0, size));
    const told = await post(body, zipped, batch);
    revived = (await settle(user, device, state, batch, told, revived)) || revived;
    for (const { id, status } of told.answers) if (status === 'deferred') deferred.add(id);
    // The server does not know of an enrollment that this device has: it lost it, or has not heard of it.
    const unknown = new Set(batch.filter(({ id }) => deferred.has(id)).map(({ enrollment_id }) => enrollment_id));
    for (const one of (await recall<Enrollment[]>(user, 'enrollments')) ?? []) {
      if (!unknown.has(one.id) || tried.has(one.id)) continue;
      tried.add(one.id);
      await enrol(user, one);
      for (const { id, enrollment_id } of batch) if (enrollment_id === one.id) deferred.delete(id);
    }
    const left = (await outbox.entries(user)).filter(({ id, sequence }) => sequence && !deferred.has(id));
    if (!left.length) return told;
  }
}

/** Numbers what has none: what an older version of the page kept. */
function number(user: string): Promise<Device> {
  return transact(['outbox', 'devices'], 'readwrite', async (store) => {
    const device = await within(store('devices'), user);
    const all = await result(store('outbox').getAll(outbox.range(user)) as IDBRequest<OutboxRecord[]>);
    for (const record of all) {
      if (record.sequence && record.epoch === device.epoch) continue;
      store('outbox').put({ ...record, epoch: device.epoch, sequence: ++device.sequence });
    }
    store('devices').put(device);
    return device;
  }).catch(() => newDevice(user));
}

/** What is in memory only has no number; it goes the old way. */
async function pushLoose(user: string): Promise<void> {
  for (;;) {
    const loose = Array.from(outbox.memory.values()).filter((entry) => entry.user === user).slice(0, most.statements);
    if (!loose.length) return;
    const { answers } = await patiently((signal) => ask(api.POST('/api/statements', { body: loose.map(wire), signal })));
    insist(Array.isArray(answers));
    outbox.answer(user, answers);
    if (loose.every(({ id }) => outbox.memory.has(id))) return;
  }
}

const wire = ({ id, enrollment_id, verb, object_id, at, attempt, responses }: NewStatement) => ({ id, enrollment_id, verb, object_id, at, attempt, responses });

interface Packed {
  batch: Waiting[];
  body: string | Uint8Array;
  zipped: boolean;
}

/** As many of these as one request may hold. */
async function pack({ device, epoch, acknowledged }: Device, cursor: string | undefined, some: Waiting[]): Promise<Packed> {
  for (let batch = some; ; batch = batch.slice(0, batch.length >> 1)) {
    const text = JSON.stringify({ device, epoch, acknowledged, cursor, statements: batch.map((one) => ({ ...wire(one), sequence: one.sequence })) });
    const last = batch.length <= 1;
    if (text.length > most.raw && !last) continue;
    const zipped = text.length > 400 ? await gzip(text) : undefined;
    if ((zipped?.length ?? text.length) <= most.bytes || last) return { batch, body: zipped ?? text, zipped: !!zipped };
  }
}

async function gzip(text: string): Promise<Uint8Array | undefined> {
  if (typeof CompressionStream !== 'function') return undefined;
  const stream = new CompressionStream('gzip');
  const writer = stream.writable.getWriter();
  void writer.write(new TextEncoder().encode(text));
  void writer.close();
  return new Uint8Array(await new Response(stream.readable).arrayBuffer());
}

async function post(body: string | Uint8Array, zipped: boolean, batch: Waiting[]): Promise<SyncAnswer> {
  const headers = { 'Content-Type': 'application/json', ...(zipped ? { 'Content-Encoding': 'gzip' } : {}) };
  try {
    const told = await patiently((signal) =>
      ask(api.POST('/api/sync', { body: body as unknown as Schemas['SyncBatch'], bodySerializer: (given) => given as unknown as Blob, headers, signal })),
    );
    insist(Array.isArray(told?.answers) && isCount(told.epoch) && isCount(told.known) && typeof told.cursor === 'string' && typeof told.current === 'boolean');
    // Nothing was answered of what was sent: that is not this server.
    const sent = new Set(batch.map(({ id }) => id));
    insist(!batch.length || told.answers.some(({ id }) => sent.has(id)));
    size = Math.min(most.statements, size * 2);
    return told;
  } catch (cause) {
    // Too much for the line, or one among them that cannot be read at all: fewer at a time, down to one.
    size = Math.max(1, Math.min(size, batch.length) >> 1);
    if (!(cause instanceof Problem) || batch.length !== 1 || !blamed(cause)) throw cause;
    const [{ id }] = batch as [Waiting];
    return { answers: [{ id, status: 'rejected', code: cause.code, detail: cause.message }], epoch: 0, known: 0, cursor: '', current: false, server_time: '', credentials: { count: 0 } };
  }
}

/** Whether a refusal is of the one statement that was sent, not of the device or the request. */
function blamed({ status, errors }: Problem): boolean {
  return status === 413 || (status === 422 && errors.some(({ pointer }) => pointer?.startsWith('/statements/')));
}

// 4xx says that sending the same again is no use, but for these.
function final(status: number): boolean {
  return status >= 400 && status < 500 && status !== 401 && status !== 408 && status !== 425 && status !== 429;
}

/**
 * Moves what was answered from the outbox to the history, and follows where the server says that this device stands. Says whether
 * some of the history waits once more, which happens once in a sync: `before`, it has.
 */
async function settle(user: string, { device, epoch }: Device, state: State, batch: Waiting[], told: SyncAnswer, before: boolean): Promise<boolean> {
  const sent = new Map(batch.map((entry) => [entry.id, entry]));
  const done = told.answers.filter(({ id, status }) => sent.has(id) && status !== 'deferred');
  // Seen to be there: by an answer after which nothing is to be fetched. What else was taken, the next pull shows.
  const round = told.current && !state.lacking ? state.round : undefined;
  const records = await Promise.all(
    done.map(async ({ id, status, marked, epoch: put = epoch, sequence, code, detail }): Promise<HistoryRecord> => {
      const entry = sent.get(id) as Waiting;
      const taken = marked ? { score: marked.score, success: marked.passed } : {};
      const body = await seal(user, { ...wire(entry), ...taken, ...(status === 'rejected' ? { code, detail } : {}) });
      return { user, n: id, device, epoch: put, sequence: sequence ?? entry.sequence, round, rejected: status === 'rejected', body };
    }),
  );
  // A disk that will not let go of them must not make them go round in circles.
  let stuck = false;
  const revived = await transact(['outbox', 'history', 'devices', 'settings'], 'readwrite', async (store) => {
    const now = await within(store('devices'), user);
    for (const record of records) {
      store('outbox').delete([user, record.n]);
      const before = await result(store('history').get([user, record.n]) as IDBRequest<HistoryRecord | undefined>);
      // What was fetched has the server's own words.
      if (before?.arrival === undefined) store('history').put(record);
    }
    let lost = 0;
    const acked = () => records.filter((one) => one.epoch === now.epoch).map(({ sequence = 0 }) => sequence);
    if (told.epoch > now.epoch) {
      // Restored from a copy, or cloned: from now on another line of numbers, so that both histories live.
      Object.assign(now, { epoch: told.epoch, sequence: told.known, acknowledged: 0, beyond: [] });
      const all = await result(store('outbox').getAll(outbox.range(user)) as IDBRequest<OutboxRecord[]>);
      for (const record of all.sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0))) {
        store('outbox').put({ ...record, epoch: now.epoch, sequence: ++now.sequence });
      }
    } else if (told.epoch === now.epoch && told.known < now.acknowledged && !before) {
      // The server was restored from a backup.
      const all = await result(store('history').getAll(outbox.range(user)) as IDBRequest<HistoryRecord[]>);
      for (const one of all) {
        if (one.rejected || one.device !== now.device || one.epoch !== now.epoch || (one.sequence ?? 0) <= told.known) continue;
        if (records.some(({ n }) => n === one.n)) continue;
        store('outbox').put({ user, id: one.n, epoch: one.epoch, sequence: one.sequence, body: one.body } satisfies OutboxRecord);
        store('history').delete([user, one.n]);
        lost++;
      }
      Object.assign(now, { acknowledged: told.known, beyond: [] });
    }
    if (told.epoch === now.epoch) acknowledge(now, acked(), told.known);
    store('devices').put(now);
    // Nothing arrived there but what was sent from here: nothing is to be fetched.
    if (told.current && !state.lacking) store('settings').put({ key: keyOf(user, 'sync'), value: { ...state, cursor: told.cursor } satisfies State });
    return lost;
  }).catch((cause: unknown) => {
    if (!done.length) throw cause;
    stuck = true;
    return 0;
  });
  outbox.answer(user, done as Answer[], stuck);
  if (revived) await outbox.look();
  return revived > 0;
}

/** Notes numbers as acknowledged, and that the server says to have all up to `known`. */
function acknowledge(device: Device, numbers: readonly number[], known: number): void {
  const beyond = new Set([...(device.beyond ?? []), ...numbers]);
  let upTo = Math.max(device.acknowledged, known);
  while (beyond.has(upTo + 1)) upTo++;
  device.acknowledged = upTo;
  device.beyond = Array.from(beyond).filter((one) => one > upTo);
}

async function stateOf(user: string): Promise<State> {
  const found = await disk.find<{ value: State }>('settings', keyOf(user, 'sync')).catch(() => undefined);
  return found?.value ?? { round: 0 };
}

/** Fetches what happened since the last time, page by page, until the server says that this was all. */
async function pull(user: string, told: SyncAnswer): Promise<{ stamp: Stamp; time: string }> {
  let state = await stateOf(user);
  let { credentials: stamp, server_time: time } = told;
  const device = (await findDevice(user).catch(() => undefined))?.device;
  let news = false;
  let lost = 0;
  for (let more = !!state.lacking || !told.current; more; ) {
    const got = await fetchPage(state.cursor);
    if (got.reset) state = { ...state, round: state.round + 1, lacking: true };
    const next: State = { ...state, cursor: got.cursor, last: got.server_time };
    if (!got.more) delete next.lacking;
    const records = await Promise.all(
      got.statements.map(async ({ responses, arrival, ...rest }): Promise<HistoryRecord> => {
        const own = rest.device !== undefined && rest.device === device;
        // Its own answers a device can send again; what others answered it need not know.
        const body = await seal(user, own ? { ...rest, responses } : rest);
        const { id: n, device: whose, epoch, sequence } = rest;
        return { user, n, device: whose, epoch, sequence, arrival, round: next.round, body };
      }),
    );
    const enrollments = got.enrollments.length ? await seal(user, got.enrollments) : undefined;
    await transact(['history', 'outbox', 'devices', 'settings'], 'readwrite', async (store) => {
      for (const record of records) store('history').put(record);
      if (enrollments !== undefined) store('settings').put({ key: keyOf(user, 'enrollments'), value: enrollments });
      if (!got.more) lost = await requeue(user, next.round, store);
      store('settings').put({ key: keyOf(user, 'sync'), value: next });
    });
    news ||= records.length > 0 || enrollments !== undefined;
    state = next;
    stamp = got.credentials;
    time = got.server_time;
    more = got.more;
  }
  if (lost) again(1000);
  if (state.last !== time) {
    await disk.put('settings', { key: keyOf(user, 'sync'), value: { ...state, last: time } }).catch(() => undefined);
  }
  if (news) outbox.fetched.value++;
  return { stamp, time };
}

/** What the server took from this device and does not show, it has forgotten: it waits once more. Gives how much that is. */
async function requeue(user: string, round: number, store: (name: StoreName) => IDBObjectStore): Promise<number> {
  const device = await within(store('devices'), user);
  const all = await result(store('history').getAll(outbox.range(user)) as IDBRequest<HistoryRecord[]>);
  const lost = all.filter((one) => one.device === device.device && one.round !== round && !one.rejected);
  for (const one of lost.sort((a, b) => (a.epoch ?? 0) - (b.epoch ?? 0) || (a.sequence ?? 0) - (b.sequence ?? 0))) {
    const same = one.epoch === device.epoch;
    store('outbox').put({ user, id: one.n, epoch: device.epoch, sequence: same ? one.sequence : ++device.sequence, body: one.body } satisfies OutboxRecord);
    store('history').delete([user, one.n]);
  }
  store('devices').put(device);
  return lost.length;
}

async function fetchPage(after: string | undefined): Promise<SyncPage> {
  try {
    const got = await patiently((signal) => ask(api.GET('/api/sync', { params: { query: { after, limit: page } }, signal })));
    insist(Array.isArray(got?.statements) && Array.isArray(got.enrollments) && typeof got.cursor === 'string' && typeof got.more === 'boolean');
    // Each of a page has its place; a page that goes on and moves nowhere would be fetched for ever.
    insist(!got.more || got.cursor !== after);
    page = Math.min(most.page, page * 2);
    return got;
  } catch (cause) {
    page = Math.max(10, page >> 1);
    throw cause;
  }
}

/** Labs that were handed in without the network. A page that shows the lab may be at one of them already. */
async function sendHandIns(user: string): Promise<void> {
  const all = await listHandIns(user);
  for (const one of all.filter(({ state }) => state === 'waiting').reverse()) {
    await alone(`hand-in/${one.submission.id}`, async () => {
      try {
        const answer = await patiently((signal) => ask(api.POST('/api/submissions', { body: one.submission, signal })));
        insist(answer?.id === one.submission.id);
        await keepHandIn(user, { ...one, state: answer.verdict ? 'done' : 'sent', answer });
      } catch (cause) {
        if (!(cause instanceof Problem) || !final(cause.status)) throw cause;
        // The server may come to know the enrollment, as with a statement that it defers.
        if (cause.code === 'enrollment.not_found') return;
        await keepHandIn(user, { ...one, state: 'refused', detail: cause.message });
        note(one.submission.id, cause.message);
      }
    });
  }
}

/** Verdicts on what was handed in, asked for once; a page that shows the lab waits for its own. */
async function fetchVerdicts(user: string): Promise<void> {
  for (const one of (await listHandIns(user)).filter(({ state }) => state === 'sent')) {
    await alone(`hand-in/${one.submission.id}`, async () => {
      const params = { path: { submission_id: one.submission.id } };
      try {
        const answer = await patiently((signal) => ask(api.GET('/api/submissions/{submission_id}', { params, signal })));
        insist(answer?.id === one.submission.id);
        if (answer.verdict) await keepHandIn(user, { ...one, state: 'done', answer });
      } catch (cause) {
        if (!(cause instanceof Problem) || cause.status !== 404) throw cause;
        // A server that was restored has lost it: once more.
        await keepHandIn(user, { ...one, state: 'waiting' }, true);
      }
    });
  }
  await tidy(user);
}

/** Certificates, their signed documents and status lists, when the server says that something of them changed, and once a day. */
async function fetchCertificates(user: string, stamp: Stamp | undefined): Promise<void> {
  const before = await recall<Certificates>(user, 'credentials');
  const now = `${stamp?.count ?? ''}/${stamp?.changed_at ?? ''}`;
  if (before?.stamp === now && Date.now() - before.at < day && Date.now() >= before.at) return;
  const items = await askAll((cursor) => patiently((signal) => ask(api.GET('/api/credentials', { params: { query: { cursor } }, signal }))));
  const documents: Record<string, string> = {};
  const lists: Record<string, string> = {};
  const codes: Record<string, [string, string]> = {};
  const states = new Map((before?.items ?? []).map((one) => [one.id, one.changed_at]));
  for (const { id, changed_at: changed } of items) {
    const params = { path: { credential_id: id } };
    // A key that was revoked signs nothing good: what it had signed is signed anew, the documents and the codes.
    const same = states.has(id) && states.get(id) === changed;
    const text = (same && before?.documents[id]) || (await patiently((signal) => ask(api.GET('/api/credentials/{credential_id}', { params, parseAs: 'text', signal }))));
    insist(typeof text === 'string' && text.startsWith('{'));
    documents[id] = text;
    const kept = (same && before?.codes?.[id]) || (await fetchCodes(id));
    if (kept) codes[id] = kept;
    for (const list of listsOf(text)) {
      const path = { list_id: list };
      lists[list] ??= await patiently((signal) => ask(api.GET('/api/status-lists/{list_id}', { params: { path }, parseAs: 'text', signal })));
    }
  }
  await remember(user, 'credentials', { stamp: now, at: Date.now(), items, documents, lists, codes } satisfies Certificates).catch(() => undefined);
}

/** The texts of a certificate's QR codes. A server that cannot make them just now keeps nobody from the rest. */
async function fetchCodes(id: string): Promise<[string, string] | undefined> {
  const one = (name: 0 | 1) =>
    patiently((signal) => ask(api.GET('/api/credentials/{credential_id}/code.txt', { params: { path: { credential_id: id }, query: { name } }, parseAs: 'text', signal })));
  try {
    const both: [string, string] = [await one(0), await one(1)];
    return both.every((text) => typeof text === 'string' && text.startsWith('BNY')) ? both : undefined;
  } catch (cause) {
    if (cause instanceof Problem) return undefined;
    throw cause;
  }
}

/** Certificates of elsewhere, once a day; the page that takes them in keeps them as it does so. */
async function fetchImports(user: string): Promise<void> {
  const before = await recall<Imports>(user, 'imports');
  if (before && Date.now() - before.at < day && Date.now() >= before.at) return;
  const { items } = await patiently((signal) => ask(api.GET('/api/wallet/imports', { signal })));
  insist(Array.isArray(items));
  await remember(user, 'imports', { at: Date.now(), items } satisfies Imports).catch(() => undefined);
}

/** Work of others that was brought to this device while the network was away. */
async function bringOthers(): Promise<void> {
  const [one] = await disk.list('settings', IDBKeyRange.bound('carried/', 'carried/\uffff'), 1).catch(() => []);
  if (one) await (await import('./export')).bringCarried();
}

/** What the server knows of issuers, so that this device can check certificates of others without a network. It can wait: nothing else waits for it. */
async function fetchIssuers(user: string): Promise<void> {
  await import('./credential/trust')
    .then(async ({ fetchTrust, fetchCircles, institutionsOf }) => {
      await fetchTrust();
      const who = signedIn();
      // Memberships that the device merely remembers may be over.
      if (who && who.id === user && !who.local) await fetchCircles(user, institutionsOf(who));
    })
    .catch(() => undefined);
}

/** The ids of the status lists of this server that a credential names. */
function listsOf(document: string): string[] {
  const found = document.match(/\/api\/status-lists\/[0-9a-f-]{36}/g) ?? [];
  return Array.from(new Set(found.map((address) => address.slice(-36))));
}

/** For tests: as if nothing had ever been tried. */
export function calm(): void {
  clearTimeout(timer);
  size = most.statements;
  page = most.page;
  failures = notBefore = rested = 0;
}
