import 'fake-indexeddb/auto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decode, encode } from './base45';
import { drawCode, readCodes } from './codes';
import { World, type Tab } from './fake-server';
import { Collector, crc32, frames } from './frames';
import type { Device } from './device';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('base45', () => {
  it.each([
    ['AB', 'BB8'],
    ['Hello!!', '%69 VD92EX0'],
    ['base-45', 'UJCLQE7W581'],
    ['ietf!', 'QED8WEX0'],
    ['', ''],
  ])('writes %s as RFC 9285 does', (text, want) => {
    expect(encode(bytes(text))).toBe(want);
    expect(decode(want)).toEqual(bytes(text));
  });

  it.each(['A', 'GGW', '::::', 'aaa', ':::'])('refuses %s', (text) => expect(decode(text)).toBeUndefined());
});

describe('a file as QR codes', () => {
  const file = Uint8Array.from({ length: 2500 }, (_, i) => (i * 7919) & 0xff);

  it('is put together from codes in any order, read more than once, among others', () => {
    const all = frames(file);
    expect(all.length).toBe(7);
    expect(all[0]).toMatch(new RegExp(`^BW1/1/7/${crc32(file).toString(16).toUpperCase().padStart(8, '0')}/`));
    const collector = new Collector();
    expect(collector.add('https://example.org')).toBe(false);
    for (const one of [...all.slice(3), ...all.slice(0, 2)]) expect(collector.add(one)).toBe(true);
    expect(collector.add(all[0] as string)).toBe(false);
    expect([collector.read, collector.total, collector.file()]).toEqual([6, 7, undefined]);
    collector.add(all[2] as string);
    expect(collector.file()).toEqual(file);
  });

  it('begins anew when a code was misread', () => {
    const [first = '', ...rest] = frames(file);
    const collector = new Collector();
    for (const one of [first.replace(/...$/, '000'), ...rest]) collector.add(one);
    expect(collector.file()).toBeUndefined();
    expect(collector.read).toBe(0);
    for (const one of [first, ...rest]) collector.add(one);
    expect(collector.file()).toEqual(file);
  });

  it('knows the sum of everybody', () => expect(crc32(bytes('123456789'))).toBe(0xcbf43926));

  it('can be drawn and read', async () => {
    const [text = ''] = frames(file);
    const squares = await drawCode(text);
    const scale = 3;
    const side = squares.length * scale;
    const data = new Uint8ClampedArray(side * side * 4);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        data.fill(squares[Math.floor(y / scale)]?.[Math.floor(x / scale)] ? 0 : 255, (y * side + x) * 4, (y * side + x) * 4 + 3);
        data[(y * side + x) * 4 + 3] = 255;
      }
    }
    expect(await readCodes({ width: side, height: side, data } as ImageData)).toEqual([text]);
    expect(await readCodes({ width: 40, height: 40, data: new Uint8ClampedArray(6400) } as ImageData)).toEqual([]);
  });
});

describe('exported work', () => {
  let world: World;
  let tab: Tab;
  let pair: CryptoKeyPair;
  const work = () => import('./export');

  beforeEach(async () => {
    world = new World();
    world.server.enrol('e1');
    world.weather = () => 'lost';
    tab = await world.tab();
    await tab.in(() => tab.outbox.open('amina'));
    await tab.in(() => tab.outbox.flush());
    pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  });
  afterEach(() => world.close());

  const known = async () => {
    const secret = { token: 't', key: await crypto.subtle.exportKey('jwk', pair.privateKey) };
    await tab.in(() => tab.device.change<Device & { secret?: unknown }>('amina', (device) => (device.secret = secret)));
  };
  const read = (name: string) => tab.in(() => tab.outbox.append({ enrollment_id: 'e1', verb: 'completed', object_id: name })).kept;

  it('is what waits, signed by the device, and stays until the server has acknowledged it', async () => {
    await known();
    await read('one');
    await read('two');
    await tab.in(() => tab.handIns.keepHandIn('amina', { state: 'waiting', submission: { id: 's1', enrollment_id: 'e1', lab_id: 'lab', files: { 'main.py': 'x' } }, made_at: '' }));
    const { exportWork, isWork } = await work();
    const { file, count, name } = await tab.in(() => exportWork('amina', 'ar'));
    expect(count).toBe(3);
    expect(name).toMatch(/-3\.banyan-work$/);
    expect(await isWork(file)).toBe(true);
    const { work: text, signature } = JSON.parse(gunzipSync(file).toString()) as { work: string; signature: string };
    expect(signature).toMatch(/^[A-Za-z0-9_-]{86}$/);
    expect(await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, pair.publicKey, Buffer.from(signature, 'base64url'), bytes(text))).toBe(true);
    expect(JSON.parse(text)).toMatchObject({
      type: 'work',
      format: 1,
      epoch: 1,
      statements: [{ object_id: 'one', sequence: 1 }, { object_id: 'two', sequence: 2 }],
      submissions: [{ id: 's1', locale: 'ar' }],
    });
    expect(tab.outbox.waiting.value).toHaveLength(2);
    world.weather = () => 'fine';
    await tab.in(() => tab.outbox.syncNow());
    expect(world.server.of('amina')).toHaveLength(2);
  });

  it('says why there is none', async () => {
    const { exportWork } = await work();
    await expect(tab.in(() => exportWork('amina', 'en'))).rejects.toMatchObject({ why: 'unknown_device' });
    await known();
    await expect(tab.in(() => exportWork('amina', 'en'))).rejects.toMatchObject({ why: 'empty' });
  });

  it('is carried by whoever has it, and goes with their next sync', async () => {
    const { importWork, countCarried } = await work();
    const file = new Uint8Array(gzipSync(JSON.stringify({ work: '{"type":"work","format":1}', signature: 's' })));
    expect(await tab.in(() => importWork(file))).toBeUndefined();
    expect(await tab.in(() => countCarried())).toBe(1);
    let brought = 0;
    world.weather = ({ url }) => {
      if (!url.includes('/api/sync/import')) return 'fine';
      brought++;
      return new Response('{"answers":[],"submissions":[],"epoch":1,"known":0,"server_time":"2026-11-23T00:00:00Z"}', { headers: { 'Content-Type': 'application/json' } });
    };
    await tab.in(() => tab.outbox.syncNow());
    expect(tab.outbox.syncTrouble.value).toBeUndefined();
    expect([brought, await tab.in(() => countCarried())]).toEqual([1, 0]);
    await tab.in(() => tab.outbox.syncNow());
    expect(brought).toBe(1);
  });

  it.each([
    ['something else', bytes('hello')],
    ['another gzip', new Uint8Array(gzipSync('{}'))],
    ['what unpacks to very much', new Uint8Array(gzipSync(Buffer.alloc(4 * 1024 * 1024)))],
  ])('is told from %s', async (_, file) => {
    const { importWork } = await work();
    await expect(tab.in(() => importWork(file))).rejects.toMatchObject({ why: 'not_work' });
  });
});
