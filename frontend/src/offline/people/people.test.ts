import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Me } from '../../api/me';
import { close, disk, type StoreName } from '../db';
import { device, isSealed, Locked, open, seal, type Person } from '../locker';
import { current, list, lock, onLocked, profile, secret } from './index';
import { drop } from './key';
import { canLock, changePIN, dropPIN, leastCount, unlock, unlockByPassword, Wait, waitAfter, WrongPIN } from './pin';
import { idle, setMarker, unwatch } from './presence';
import { addPIN, register, removePerson, renew, unsent, visit } from './register';

const amina = { id: 'amina', username: 'amina', display_name: 'Amina Diallo', locale: 'fr', operator: false, memberships: [] } satisfies Me;
const yusuf = { ...amina, id: 'yusuf', username: 'yusuf', display_name: 'Yusuf' };
const noon = Date.UTC(2026, 2, 1, 12);

const b64 = (raw: ArrayBuffer) => btoa(String.fromCharCode(...new Uint8Array(raw))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });

/** A server that knows devices, keeps the private halves of recovery keys, and gives nothing without the password. */
let recovery: Record<string, CryptoKeyPair>;
let calls: { method: string; path: string; body: Record<string, unknown>; bearer: string | null }[];

async function serve(request: Request): Promise<Response> {
  const { pathname: path } = new URL(request.url);
  const text = await request.text();
  const body = (text ? JSON.parse(text) : {}) as Record<string, never>;
  calls.push({ method: request.method, path, body, bearer: request.headers.get('Authorization') });
  const curve = { name: 'ECDH', namedCurve: 'P-256' };
  if (path === '/api/devices') {
    const id = body['id'] as unknown as string;
    const pair = (recovery[id] ??= await crypto.subtle.generateKey(curve, true, ['deriveBits']));
    const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey);
    return json({ id, token: `bd_${calls.length}`, epoch: 1, lease_until: '2026-05-30T12:00:00Z', recovery_key: { kty, crv, x, y } }, 201);
  }
  const [, device = ''] = /^\/api\/devices\/([^/]+)\/recovery$/.exec(path) ?? [];
  if (device) {
    if ((body['password'] as unknown) !== 'correct horse') return json({ code: 'request.invalid', status: 422, title: 'x', errors: [] }, 422);
    const theirs = await crypto.subtle.importKey('jwk', body['key'] as unknown as JsonWebKey, curve, false, []);
    const pair = recovery[device] as CryptoKeyPair;
    return json({ secret: b64(await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, pair.privateKey, 256)) });
  }
  return new Response(null, { status: 204 });
}

const stores: StoreName[] = ['outbox', 'drafts', 'pending', 'people', 'keys', 'history', 'devices', 'settings'];

/** Everything on the disk as text, as somebody with the browser's tools reads it. Binary data as the characters of its bytes. */
async function everything(): Promise<string> {
  const view = (_: string, value: unknown): unknown => {
    if (value instanceof ArrayBuffer) return String.fromCharCode(...new Uint8Array(value));
    if (ArrayBuffer.isView(value)) return String.fromCharCode(...new Uint8Array(value.buffer));
    return value;
  };
  const all = await Promise.all(stores.map(async (store) => JSON.stringify(await disk.list(store), view)));
  return all.join('\n');
}

/** As if the page were left and another one opened in the same tab. */
function reload(): void {
  drop();
  unwatch();
  close();
}

/** As if the browser had been closed. */
function restart(): void {
  reload();
  sessionStorage.clear();
  setMarker(undefined);
}

// The rounds that the code asks for; the tests make fewer, for there are many of them.
let asked: number[];
const derive = crypto.subtle.deriveKey.bind(crypto.subtle);

const shared = (pin: string) => ({ kind: 'shared' as const, name: 'A. D.', pin });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setInterval', 'clearInterval'] });
  vi.setSystemTime(noon);
  const tab = new Map<string, string>();
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => tab.get(key) ?? null,
    setItem: (key: string, value: string) => void tab.set(key, value),
    removeItem: (key: string) => void tab.delete(key),
    clear: () => tab.clear(),
  });
  vi.stubGlobal('addEventListener', () => undefined);
  vi.stubGlobal('removeEventListener', () => undefined);
  vi.stubGlobal('document', { addEventListener: () => undefined, removeEventListener: () => undefined, visibilityState: 'visible' });
  vi.stubGlobal('fetch', serve);
  globalThis.indexedDB = new IDBFactory();
  restart();
  recovery = {};
  calls = [];
  asked = [];
  vi.spyOn(crypto.subtle, 'deriveKey').mockImplementation((how, ...rest) => {
    const { name, iterations } = how as Pbkdf2Params;
    if (name !== 'PBKDF2') return derive(how, ...rest);
    asked.push(iterations);
    return derive({ ...(how as Pbkdf2Params), iterations: 1000 }, ...rest);
  });
});
afterEach(() => {
  restart();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe('a device that knows nobody', () => {
  it('seals nothing and fetches no more script', async () => {
    expect(await device(() => undefined)).toBeUndefined();
    const value = { a: 1 };
    expect(await seal('amina', value)).toBe(value);
    expect(await open('amina', value)).toBe(value);
    expect(canLock()).toBe(true);
  });
});

describe('a learner with a PIN', () => {
  it('is sealed: statements, drafts, hand-ins, history, the token and the account', async () => {
    // Work from before there was a PIN, in each place where work lies.
    await disk.put('outbox', { user: 'amina', id: '1', epoch: 1, sequence: 1, body: { object_id: 'THE-SECRET' } });
    await disk.put('outbox', { user: 'amina', id: '2', enrollment_id: 'e', object_id: 'THE-SECRET' });
    await disk.put('history', { user: 'amina', n: '3', epoch: 1, body: { object_id: 'THE-SECRET' } });
    await disk.put('drafts', { key: 'lab/amina/course/lab', value: 'THE-SECRET' });
    await disk.put('pending', { key: 'hand-in/amina/4', value: { state: 'waiting', body: { files: 'THE-SECRET' } } });
    await disk.put('pending', { key: 'lab/amina/course/lab', value: { files: 'THE-SECRET' } });
    await disk.put('settings', { key: 'enrollments/amina', value: ['THE-SECRET'] });
    await disk.put('settings', { key: 'sync/amina', value: { cursor: 'c' } });
    await register(amina, shared('2468'), 'Phone');
    const { token } = (await secret('amina')) ?? { token: '' };
    expect(token).toMatch(/^bd_/);
    const after = await seal('amina', { object_id: 'THE-SECRET' });
    await disk.put('outbox', { user: 'amina', id: '9', body: after });
    const all = await everything();
    for (const hidden of ['THE-SECRET', token, 'Diallo', '2468', '"d":']) expect(all).not.toContain(hidden);
    // What is needed to sort and to send stays to be read.
    expect(await disk.find('settings', 'sync/amina')).toEqual({ key: 'sync/amina', value: { cursor: 'c' } });
    expect((await disk.find<{ sequence: number }>('outbox', ['amina', '1']))?.sequence).toBe(1);

    // A new page, the same day: all of it is there.
    reload();
    const person = (await current()) as Person;
    expect(await profile(person)).toEqual(amina);
    for (const key of ['1', '2', '9']) {
      const record = await disk.find<{ body: unknown }>('outbox', ['amina', key]);
      expect(await open('amina', record?.body)).toMatchObject({ object_id: 'THE-SECRET' });
    }
    const handIn = await disk.find<{ value: { state: string; body: unknown } }>('pending', 'hand-in/amina/4');
    expect(handIn?.value.state).toBe('waiting');
    expect(await open('amina', handIn?.value.body)).toEqual({ files: 'THE-SECRET' });
  });

  it('keeps a key that no script can read, and enough rounds', async () => {
    await register(amina, shared('2468'), 'Phone');
    const { key } = (await disk.find<{ key: CryptoKey }>('keys', 'amina')) as { key: CryptoKey };
    expect(key.extractable).toBe(false);
    await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow();
    const { locked } = (await disk.find<Person>('people', 'amina')) as Person;
    expect(locked?.count).toBeGreaterThanOrEqual(leastCount);
    expect(leastCount).toBeGreaterThanOrEqual(310_000);
    expect(locked?.salt).toHaveLength(16);
    await lock();
    asked = [];
    await unlock('amina', '2468');
    expect(asked).toEqual([locked?.count]);
  });

  it('is locked out when the browser was closed, when half an hour went by, and on lock; nothing is written open meanwhile', async () => {
    await register(amina, shared('2468'), 'Phone');
    const ways: [string, () => Promise<void> | void][] = [
      ['the browser was closed', restart],
      ['half an hour', () => (reload(), void vi.setSystemTime(Date.now() + idle + 1))],
      ['lock', () => lock().then(reload)],
    ];
    for (const [name, way] of ways) {
      await unlock('amina', '2468');
      expect((await current())?.user, name).toBe('amina');
      const sealed = await seal('amina', 'work');
      await way();
      expect(await current(), name).toBeUndefined();
      await expect(seal('amina', 'work'), name).rejects.toBeInstanceOf(Locked);
      await expect(open('amina', sealed), name).rejects.toBeInstanceOf(Locked);
      expect(await disk.list('keys'), name).toEqual([]);
      await unlock('amina', '2468');
      expect(await open('amina', sealed), name).toBe('work');
    }
  });

  it('is not kept unlocked by a clock that is set back', async () => {
    await register(amina, shared('2468'), 'Phone');
    vi.setSystemTime(noon + 20 * 60_000);
    await unlock('amina', '2468');
    await (await import('./presence')).touch('amina');
    reload();
    vi.setSystemTime(noon + 10 * 60_000);
    expect(await current()).toBeUndefined();
  });

  it('is locked out on an open page when nothing is done, whatever the clock says', async () => {
    await register(amina, shared('2468'), 'Phone');
    const left = new Promise<void>((resolve) => onLocked(resolve));
    expect(await current()).toBeTruthy();
    for (let minute = 0; minute < 32; minute++) {
      await vi.advanceTimersByTimeAsync(60_000);
      vi.setSystemTime(noon); // somebody holds the clock
    }
    await left;
    expect(await disk.list('keys')).toEqual([]);
  });

  it('slows wrong tries down, remembers them, and loses nothing', async () => {
    await register(amina, shared('2468'), 'Phone');
    await disk.put('outbox', { user: 'amina', id: '1', body: await seal('amina', 'work') });
    await lock();
    const failed = async () => (await disk.find<Person>('people', 'amina'))?.failed;
    for (let n = 1; n <= 4; n++) {
      await expect(unlock('amina', '1357')).rejects.toBeInstanceOf(WrongPIN);
      expect(await failed()).toBe(n);
    }
    const refused = await unlock('amina', '2468').catch((cause: unknown) => cause);
    expect(refused).toBeInstanceOf(Wait);
    expect((refused as Wait).seconds).toBe(5);
    // Neither a new clock nor a new day helps; only time on the page does.
    vi.setSystemTime(noon + 86_400_000);
    await expect(unlock('amina', '2468')).rejects.toBeInstanceOf(Wait);
    await vi.advanceTimersByTimeAsync(5_001);
    await expect(unlock('amina', '1357')).rejects.toBeInstanceOf(WrongPIN);
    expect(await failed()).toBe(5);
    await expect(unlock('amina', '2468')).rejects.toMatchObject({ seconds: 10 });
    await vi.advanceTimersByTimeAsync(10_001);
    await unlock('amina', '2468');
    expect(await failed()).toBe(0);
    expect(await open('amina', (await disk.find<{ body: unknown }>('outbox', ['amina', '1']))?.body)).toBe('work');
    expect([3, 4, 5, 9, 10, 1000].map(waitAfter)).toEqual([0, 5, 10, 160, 300, 300]);
  });

  it('takes the digits of any keyboard', async () => {
    await register(amina, shared('٢٤٦٨'), 'Phone');
    expect((await disk.find<Person>('people', 'amina'))?.locked?.digits).toBe(true);
    for (const same of ['2468', '२४६८', '２４６８']) {
      await lock();
      await unlock('amina', same);
    }
  });

  it('gets everything back with the password when the PIN is forgotten, and another PIN', async () => {
    await register(amina, shared('2468'), 'Phone');
    const sealed = await seal('amina', 'work');
    restart();
    await current();
    await expect(unlockByPassword('amina', 'a guess')).rejects.toThrow();
    await expect(open('amina', sealed)).rejects.toBeInstanceOf(Locked);
    await unlockByPassword('amina', 'correct horse');
    expect(await open('amina', sealed)).toBe('work');
    await changePIN('amina', { password: 'correct horse' }, 'a long phrase');
    await lock();
    await expect(unlock('amina', '2468')).rejects.toBeInstanceOf(WrongPIN);
    await unlock('amina', 'a long phrase');
    expect(await open('amina', sealed)).toBe('work');
    await changePIN('amina', { pin: 'a long phrase' }, '1357');
    await expect(changePIN('amina', { pin: '0000' }, '1111')).rejects.toBeInstanceOf(WrongPIN);
    await lock();
    await unlock('amina', '1357');
    expect(await open('amina', sealed)).toBe('work');
    // And the password still opens what the new PIN locks.
    await lock();
    await unlockByPassword('amina', 'correct horse');
    expect(await open('amina', sealed)).toBe('work');
  });

  it('keeps the data key when the lease is renewed or the device is made known once more', async () => {
    await register(amina, shared('2468'), 'Phone');
    const sealed = await seal('amina', 'work');
    const before = await secret('amina');
    await renew(amina, 'Phone');
    await register(amina, shared('9999'), 'Phone');
    const after = await secret('amina');
    expect(after?.token).not.toBe(before?.token);
    expect(after?.key).toEqual(before?.key);
    await lock();
    await unlock('amina', '2468');
    expect(await open('amina', sealed)).toBe('work');
    const ids = calls.filter(({ path }) => path === '/api/devices').map(({ body }) => body['id']);
    expect(new Set(ids).size).toBe(1);
  });
});

describe('two learners on one phone', () => {
  it('never read each other, not with the records in hand', async () => {
    await register(amina, shared('2468'), 'Phone');
    await disk.put('outbox', { user: 'amina', id: '1', body: await seal('amina', 'of amina') });
    await lock();
    await register(yusuf, shared('2468'), 'Phone'); // the same PIN
    const hers = (await disk.find<{ body: unknown }>('outbox', ['amina', '1']))?.body;
    expect(isSealed(hers)).toBe(true);
    // He is at it; her key is away.
    expect((await disk.list<{ user: string }>('keys')).map(({ user }) => user)).toEqual(['yusuf']);
    await expect(open('amina', hers)).rejects.toBeInstanceOf(Locked);
    await expect(open('yusuf', hers)).rejects.toThrow();
    // He puts her wrapped key, and then his own key, in the other's place.
    const [ofAmina, ofYusuf] = (await Promise.all(['amina', 'yusuf'].map((user) => disk.find<Person>('people', user)))) as [Person, Person];
    await disk.put('people', { ...ofYusuf, locked: ofAmina.locked });
    await lock();
    await expect(unlock('yusuf', '2468')).rejects.toBeInstanceOf(WrongPIN);
    await disk.put('people', { ...ofYusuf, failed: 0 });
    await unlock('yusuf', '2468');
    const his = await disk.find<{ user: string; key: CryptoKey }>('keys', 'yusuf');
    await disk.put('keys', { ...his, user: 'amina' });
    drop();
    await expect(open('amina', hers)).rejects.toThrow();
    await expect(open('amina', await seal('yusuf', 'of yusuf'))).rejects.toThrow();
    expect((await list()).map(({ user }) => user).sort()).toEqual(['amina', 'yusuf']);
  });

  it('have one at it at a time', async () => {
    await register(amina, shared('2468'), 'Phone');
    await register(yusuf, { kind: 'own', name: 'Yusuf' }, 'Phone');
    expect((await current())?.user).toBe('yusuf');
    await expect(seal('amina', 1)).rejects.toBeInstanceOf(Locked);
    await unlock('amina', '2468');
    expect((await current())?.user).toBe('amina');
  });
});

describe('a learner without a PIN', () => {
  it('stays at it over a restart, until they sign out, and may take a PIN later', async () => {
    await register(amina, { kind: 'own', name: 'Amina' }, 'Phone');
    await disk.put('outbox', { user: 'amina', id: '1', body: await seal('amina', 'work') });
    restart();
    const person = (await current()) as Person;
    expect(await profile(person)).toEqual(amina);
    await addPIN('amina', '2468');
    expect(await everything()).not.toContain('work');
    await lock();
    expect(await current()).toBeUndefined();
    await unlock('amina', '2468');
    expect(await open('amina', (await disk.find<{ body: unknown }>('outbox', ['amina', '1']))?.body)).toBe('work');
  });

  it('may give up the PIN with the PIN alone, and take another later', async () => {
    await register(amina, shared('2468'), 'Phone');
    await disk.put('outbox', { user: 'amina', id: '1', body: await seal('amina', 'work') });
    const { token } = (await secret('amina')) ?? { token: '' };
    await expect(dropPIN('amina', '1111')).rejects.toBeInstanceOf(WrongPIN);
    for (const hidden of ['work', token]) expect(await everything()).not.toContain(hidden);
    await dropPIN('amina', '2468');
    expect(await everything()).not.toContain('"sealed":1');
    restart();
    const person = (await current()) as Person;
    expect([person.locked, person.kind, await profile(person)]).toEqual([undefined, 'shared', amina]);
    expect((await disk.find<{ body: unknown }>('outbox', ['amina', '1']))?.body).toBe('work');
    expect((await secret('amina'))?.token).toBe(token);
    await addPIN('amina', '8642');
    for (const hidden of ['work', token]) expect(await everything()).not.toContain(hidden);
    await lock();
    await unlock('amina', '8642');
    expect((await secret('amina'))?.token).toBe(token);
  });

  it('is not changed by a registration that fails', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('network')));
    await expect(register(amina, shared('2468'), 'Phone')).rejects.toThrow();
    expect(await disk.list('people')).toEqual([]);
    expect(await disk.list('keys')).toEqual([]);
  });
});

describe('a public device', () => {
  it('keeps only what has not been sent, and lists nobody', async () => {
    await visit(amina);
    await disk.put('outbox', { user: 'amina', id: '1', body: 'unsent' });
    await disk.put('drafts', { key: 'lab/amina/c/l', value: 'draft' });
    await disk.put('history', { user: 'amina', n: '3', body: 'old' });
    await disk.put('drafts', { key: 'lab/yusuf/c/l', value: 'his' });
    expect((await current())?.kind).toBe('public');
    expect(await list()).toEqual([]);
    restart();
    expect(await current()).toBeUndefined();
    expect(await disk.list('drafts')).toEqual([{ key: 'lab/yusuf/c/l', value: 'his' }]);
    expect(await disk.list('history')).toEqual([]);
    expect(await disk.list('outbox')).toHaveLength(1);
  });
});

describe('removing a learner', () => {
  it('takes all of theirs, nothing of others, and tells the server', async () => {
    await register(yusuf, shared('1357'), 'Phone');
    await disk.put('drafts', { key: 'lab/yusuf/c/l', value: await seal('yusuf', 'his') });
    await register(amina, shared('2468'), 'Phone');
    await disk.put('outbox', { user: 'amina', id: '1', body: await seal('amina', 'hers') });
    await disk.put('pending', { key: 'hand-in/amina/2', value: { state: 'waiting', body: 'x' } });
    await disk.put('pending', { key: 'hand-in/amina/3', value: { state: 'done', body: 'x' } });
    expect(await unsent('amina')).toBe(2);
    const { token } = (await secret('amina')) ?? { token: '' };
    const { device } = (await disk.find<{ device: string }>('devices', 'amina')) as { device: string };
    await removePerson('amina');
    expect(calls.slice(-1)[0]).toMatchObject({ method: 'DELETE', path: `/api/devices/${device}`, bearer: `Bearer ${token}` });
    expect(await everything()).not.toContain('amina');
    await unlock('yusuf', '1357');
    expect(await open('yusuf', (await disk.find<{ value: unknown }>('drafts', 'lab/yusuf/c/l'))?.value)).toBe('his');
  });
});
