// @vitest-environment node
// A real server behind a real socket: ranges, cuts, portals.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { http } from './http';
import { noise } from './testing/maker';

const pack = noise(200_000, 1);
let server: Server;
let seen: IncomingMessage[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const type = { 'Content-Type': 'application/vnd.banyan.pack', Banyan: '1' };

beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const real = globalThis.fetch;
  vi.stubGlobal('fetch', (href: string, init: RequestInit) => real(new URL(href, base), init));
});
afterEach(async () => {
  vi.unstubAllGlobals();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function all(body: ReadableStream<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(parts);
    parts.push(value);
  }
}

describe('a pack over HTTP', () => {
  it('comes whole', async () => {
    answer = (_, response) => response.writeHead(200, { ...type, ETag: '"a"', 'Content-Length': pack.length }).end(pack);
    const { start, total, etag, body } = await http.pack('/p', { start: 0 });
    expect({ start, total, etag }).toEqual({ start: 0, total: pack.length, etag: '"a"' });
    expect((await all(body)).equals(Buffer.from(pack))).toBe(true);
    expect(seen[0]?.headers['range']).toBeUndefined();
  });

  it('comes from where it stopped', async () => {
    answer = (_, response) => response.writeHead(206, { ...type, ETag: '"a"', 'Content-Range': `bytes 150000-199999/200000` }).end(pack.slice(150_000));
    const { start, total, body } = await http.pack('/p', { start: 150_000, etag: '"a"' });
    expect({ start, total }).toEqual({ start: 150_000, total: 200_000 });
    expect((await all(body)).equals(Buffer.from(pack.slice(150_000)))).toBe(true);
    expect(seen[0]?.headers).toMatchObject({ range: 'bytes=150000-', 'if-range': '"a"' });
  });

  it('that breaks off says so', async () => {
    answer = (_, response) => {
      response.writeHead(200, { ...type, 'Content-Length': pack.length });
      response.write(pack.slice(0, 70_000), () => response.socket?.destroy());
    };
    const { body } = await http.pack('/p', { start: 0 });
    await expect(all(body)).rejects.toThrow('interrupted');
  });

  it('begins again where more was kept than there is', async () => {
    answer = (request, response) => {
      if (request.headers.range) response.writeHead(416, { Banyan: '1', 'Content-Range': 'bytes */10' }).end();
      else response.writeHead(200, type).end(pack.slice(0, 10));
    };
    const { start, body } = await http.pack('/p', { start: 150_000, etag: '"a"' });
    expect(start).toBe(0);
    expect(await all(body)).toHaveLength(10);
  });

  it.each<[string, (response: ServerResponse) => void, object]>([
    ['a portal with a page of its own', (r) => r.writeHead(200, { 'Content-Type': 'text/html' }).end('<title>Sign in</title>'), { key: 'bundle.captive_portal' }],
    ['a portal that calls its page a pack of bytes', (r) => r.writeHead(200, { 'Content-Type': 'application/octet-stream' }).end('x'), { key: 'bundle.captive_portal' }],
    ['a portal that leads away', (r) => r.writeHead(302, { Location: 'http://127.0.0.1:1/login' }).end(), { key: 'bundle.captive_portal' }],
    ['a network that wants a sign-in', (r) => r.writeHead(511).end(), { key: 'bundle.captive_portal' }],
    ['a portal that knows no such page', (r) => r.writeHead(404, { 'Content-Type': 'text/html' }).end(), { key: 'bundle.captive_portal' }],
    ['a pack that is gone', (r) => r.writeHead(404, { Banyan: '1', 'Content-Type': 'application/problem+json' }).end('{}'), { key: 'bundle.not_found' }],
    ['a busy server', (r) => r.writeHead(503, { 'Retry-After': '7' }).end(), { message: 'interrupted', after: 7 }],
    ['a server that is down', (r) => r.socket?.destroy(), { message: 'interrupted' }],
    ['a range of something', (r) => r.writeHead(206, type).end('x'), { message: 'interrupted' }],
  ])('is not %s', async (_, say, what) => {
    answer = (_, response) => say(response);
    await expect(http.pack('/p', { start: 5, etag: '"a"' })).rejects.toMatchObject(what);
  });

  it('has no use for a weak ETag, nor for a length that a proxy counted', async () => {
    answer = (_, response) => response.writeHead(200, { ...type, ETag: 'W/"a"', 'Content-Encoding': 'identity', 'Content-Length': 4 }).end('abcd');
    const { etag, total } = await http.pack('/p', { start: 0 });
    expect({ etag, total }).toEqual({ etag: undefined, total: undefined });
  });

  it('stops when told', async () => {
    answer = (_, response) => response.writeHead(200, type).write('x');
    const controller = new AbortController();
    const { body } = await http.pack('/p', { start: 0 }, controller.signal);
    controller.abort();
    await expect(all(body)).rejects.toThrow();
    await expect(http.pack('/p', { start: 0 }, controller.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('a plan over HTTP', () => {
  const headers = { Banyan: '1', 'Content-Type': 'application/json', Date: 'Mon, 02 Mar 2026 08:00:00 GMT' };

  it('asks for what was chosen, and hears the time', async () => {
    answer = (_, response) => response.writeHead(200, headers).end('{"number":2}');
    expect(await http.plan('small', { locales: ['en', 'ar'], tier: 'images', modules: ['m1', 'm2'], budget: 5e6 }, { number: 2, from: 1 })).toEqual({ number: 2 });
    expect(seen[0]?.url).toBe('/api/bundles/small/plan?locale=en&locale=ar&tier=images&module=m1&module=m2&budget=5000000&number=2&from=1');
    expect(http.time()).toBe('2026-03-02T08:00:00Z');
  });

  it.each<[string, (response: ServerResponse) => void, string]>([
    ['a portal', (r) => r.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>'), 'captive_portal'],
    ['a portal that speaks JSON', (r) => r.writeHead(200, { 'Content-Type': 'application/json' }).end('{}'), 'captive_portal'],
    ['no course', (r) => r.writeHead(404, { ...headers, 'Content-Type': 'application/problem+json' }).end('{}'), 'not_found'],
    ['half an answer', (r) => r.writeHead(200, headers).end('{"num'), 'no_network'],
    ['no server', (r) => r.socket?.destroy(), 'no_network'],
    ['a broken server', (r) => r.writeHead(500, headers).end('{}'), 'no_network'],
  ])('from %s is none', async (_, say, key) => {
    answer = (_, response) => say(response);
    await expect(http.plan('small', { locales: ['en'], tier: 'text' }, {})).rejects.toMatchObject({ key: `bundle.${key}` });
  });
});

it('gives single blobs, and says where there is none', async () => {
  answer = (request, response) => response.writeHead(request.url?.endsWith('1') ? 200 : 404, { Banyan: '1', 'Content-Type': 'text/html' }).end('blob');
  expect(Buffer.from((await http.blob('sha256:1')) as Uint8Array).toString()).toBe('blob');
  expect(await http.blob('sha256:2')).toBeUndefined();
});

it.each([
  [{ effectiveType: '2g' }, 1],
  [{ effectiveType: '4g', saveData: true }, 1],
  [{ effectiveType: '3g' }, 3],
  [undefined, 3],
])('bears with %o so many lanes: %i', (connection, lanes) => {
  vi.stubGlobal('navigator', { connection });
  expect(http.lanes()).toBe(lanes);
});
