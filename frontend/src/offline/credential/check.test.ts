// Airplane mode: what this reader says of credentials by the one file that Go made, held to what Go says (internal/app/airplane_test.go).
import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { frames } from '../bundle/frames';
import { trustPublishers } from '../bundle/shelf';
import { parse, parseSigned } from '../bundle/documents';
import { disk } from '../db';
import { check } from './check';
import { canonical, readStrict, type Json } from './document';
import { readStatus } from './status';
import { fetchCircles, fetchTrust, knownIssuers, takeTrust, type Known } from './trust';

interface Airplane {
  name: string;
  text: string;
  now: string;
  state: string;
  reasons?: string[];
  recognised?: string[];
  page?: string;
}
const folder = join(import.meta.dirname, '../../../../internal/credential/code/testdata');
const all = JSON.parse(readFileSync(join(folder, 'airplane.json'), 'utf8')) as Airplane[];
const pack = () => new Blob([readFileSync(join(folder, 'airplane.banyan'))]).stream() as ReadableStream<Uint8Array>;

async function clear() {
  for (const store of ['trust', 'publishers', 'blobs', 'settings'] as const) {
    for (const row of await disk.list<Record<string, string>>(store)) await disk.remove(store, (row['publisher'] ?? row['id'] ?? row['digest'] ?? row['key']) as string);
  }
}

describe('with the file that Go made', () => {
  let known: Known;

  // The form of another maker: other words, one proof that is no array, an https issuer, contexts of its own.
  const foreign: Record<string, Json> = {
    '@context': ['https://www.w3.org/ns/credentials/v2', 'https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json', 'https://w3id.org/security/suites/ed25519-2020/v1'],
    id: 'https://college.example/badge/1', type: ['VerifiableCredential', 'OpenBadgeCredential', 'Other'], issuer: { id: 'https://college.example/', type: ['Profile'], name: 'College', phone: '1' },
    validFrom: '2026-01-01T00:00:00.5+02:00', credentialSubject: { id: 'did:example:a', type: 'AchievementSubject', licenseNumber: '7', creditsEarned: 1.5 },
    proof: { type: 'Ed25519Signature2020', proofValue: 'z1' },
  };
  const twist = (change: Record<string, Json | undefined>) => JSON.stringify({ ...foreign, ...change });
  it.each([
    ['other words', twist({}), 'unknown needs_network'],
    ['an issuer that is only named', twist({ issuer: 'did:web:college.example' }), 'unknown needs_network'],
    ['a large one', twist({ image: 'x'.repeat(70_000) }), 'unknown needs_network'],
    ['one that is too large for anybody', twist({ image: 'x'.repeat(270_000) }), 'invalid not_readable'],
    ['an issuer who is known here', twist({ issuer: { id: 'did:web:learn.example.org:institutions:oasis' } }), 'invalid terms'],
    ['an issuer who only looks known', twist({ issuer: 'did:web:learn.example.org:institutions:OASIS' }), 'invalid terms'],
    ['a name that imitates one', twist({ issuer: 'did:web:Learn.example.org:institutions:oasis' }), 'invalid terms'],
    ['a path trick', twist({ issuer: 'did:web:college.example%2F..' }), 'invalid terms'],
    ['no proof', twist({ proof: undefined }), 'invalid terms'],
    ['no badge', twist({ type: ['VerifiableCredential'] }), 'invalid terms'],
    ['a name twice', twist({}).replace('"id":', '"id":"x","id":'), 'invalid terms'],
    ['no JSON', twist({}).slice(1), 'invalid not_readable'],
  ])('of elsewhere, with %s: %s', async (_, text, want) => {
    const { state, reasons, shown } = await check(text, Date.parse('2026-05-12T00:00:00Z'), known);
    expect([state, ...reasons.map(({ why }) => why)].join(' ')).toBe(want);
    expect(shown).toBeUndefined();
  });

  beforeAll(async () => {
    await clear();
    await takeTrust(pack(), 'server');
    known = await knownIssuers();
  });

  it.each(all.map((one) => [`${one.name}: ${one.page ?? one.state}`, one] as const))('%s', async (_, { text, now, state, reasons = [], recognised = [], page }) => {
    const report = await check(text, Date.parse(now), known);
    expect([report.state, ...report.reasons.map(({ why }) => why)]).toEqual(page ? ['unknown', page] : [state, ...reasons]);
    expect(report.recognitions.map(({ as }) => as['en'])).toEqual(page ? [] : recognised);
    for (const one of report.recognitions) {
      expect(one).toEqual({
        by: 'did:web:learn.example.org:institutions:river', byNames: { en: 'River' }, as: { en: 'Module 1' }, scope: { en: 'Two credits' },
        conditions: { ar: 'خلال ثلاث سنوات' }, until: '2027-05-01T00:00:00Z', at: '2026-05-10T00:00:00Z',
      });
    }
    // What is forged is not shown, and what is shown says who stands for it.
    expect(!!report.shown).toBe(report.state !== 'invalid');
    if (report.state === 'valid') {
      expect(report.said?.issuer.names).toEqual({ ar: 'الواحة', en: 'Oasis' });
      expect(report.restsOn.map(({ kind }) => kind)).toEqual(['signature', 'trust_list', 'status', 'status']);
      expect(report.shown).toMatchObject({ achievement: 'First steps', course: 'first-steps', address: 'https://learn.example.org/verify/019ab123-4567-7890-abcd-ef0123456789' });
    }
  });

  it('says so when the clock of the device is behind what was signed', async () => {
    const { text } = all[0] as Airplane;
    expect((await check(text, Date.parse('2026-05-03T00:00:00Z'), known)).notes).toEqual([{ why: 'clock', date: '2026-05-11T00:00:00Z' }]);
    expect((await check(text, Date.parse('2026-05-12T00:00:00Z'), known)).notes).toEqual([]);
  });

  it('takes no document of which a letter was changed', async () => {
    const { text, now } = all.find(({ name }) => name === 'a document') as Airplane;
    for (let i = 0; i < text.length; i += 3) {
      const other = text[i] === '1' ? '2' : '1';
      const { state } = await check(text.slice(0, i) + other + text.slice(i + 1), Date.parse(now), known);
      // The proof for others is not checked here, and is not what this answer rests on.
      const foreign = text.indexOf('"proof":[') + 9;
      const within = i > foreign && i < text.indexOf('},{', foreign);
      if (!within || state !== 'valid') expect(['invalid', 'unknown'], `letter ${i}: ${text.slice(i - 20, i + 20)}`).toContain(state);
    }
  });
});

describe('what a device takes over', () => {
  beforeEach(clear);
  const [first] = all as [Airplane];
  const soon = Date.parse('2026-05-12T00:00:00Z');

  it('knows nobody by itself', async () => {
    expect(await check(first.text, soon)).toMatchObject({ state: 'unknown', reasons: [{ why: 'issuer_unknown' }] });
  });

  it('takes from a file only what publishers say whom it trusts', async () => {
    expect(await takeTrust(pack(), 'file')).toEqual({ publishers: [], strangers: ['did:web:learn.example.org:institutions:oasis'] });
    expect((await check(first.text, soon)).state).toBe('unknown');
    const documents: string[] = [];
    for await (const { kind, bytes } of frames(pack())) if (kind === 'P') documents.push(new TextDecoder().decode(bytes));
    await trustPublishers([{ id: 'did:web:learn.example.org:institutions:oasis', documents }]);
    expect((await takeTrust(pack(), 'file')).publishers).toHaveLength(1);
    expect((await check(first.text, soon)).state).toBe('valid');
    // Trust that is taken back takes the words with it.
    await disk.remove('publishers', 'did:web:learn.example.org:institutions:oasis');
    expect((await check(first.text, soon)).state).toBe('unknown');
  });

  it('refuses a file that was changed', async () => {
    await takeTrust(pack(), 'server');
    const bytes = readFileSync(join(folder, 'airplane.banyan'));
    for (const at of [5, 30, 400, bytes.length - 3]) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] as number) ^ 4;
      await expect(takeTrust(new Blob([changed]).stream() as ReadableStream<Uint8Array>, 'server'), `byte ${at}`).rejects.toThrow();
    }
    await expect(takeTrust(new Blob([bytes.subarray(0, 600)]).stream() as ReadableStream<Uint8Array>, 'server')).rejects.toThrow();
    expect((await check(first.text, soon)).state).toBe('valid');
  });

  it('keeps the newer of two words', async () => {
    await takeTrust(pack(), 'server');
    const [row] = (await disk.list<{ publisher: string; document: string }>('trust')) as [{ publisher: string; document: string }];
    const newer = row.document.replace('2026-05-11T00:00:00Z', '2026-05-20T00:00:00Z');
    await disk.put('trust', { publisher: row.publisher, document: newer });
    await takeTrust(pack(), 'server').catch(() => undefined);
    const [kept] = (await disk.list<{ document: string }>('trust')) as [{ document: string }];
    expect(parse('trust', parseSigned(kept.document).line).signed_at).toBe('2026-05-20T00:00:00Z');
  });

  // Two learners of two institutions share a phone.
  describe('the circle of an institution', () => {
    const acacia = { id: '018f4d1c-0000-7000-8000-00000000000a', name: 'Acacia School' };
    const river = { id: '018f4d1c-0000-7000-8000-00000000000b', name: 'River College' };
    let served: Record<string, () => Response> = {};
    let asked: [string, string | null][] = [];
    const whole = () => new Response(pack(), { headers: { 'Content-Type': 'application/octet-stream', Banyan: '1', ETag: '"a"' } });
    const nothing = () => new Response(null, { status: 204, headers: { Banyan: '1' } });
    const worth = async (user?: string) => {
      const { state, said, restsOn } = await check(first.text, soon, await knownIssuers(user));
      return [state, said?.by, restsOn.find(({ kind }) => kind === 'trust_list')?.by];
    };
    const stranger = ['unknown', undefined, undefined];

    beforeEach(() => {
      asked = [];
      served = { [acacia.id]: whole, [river.id]: nothing };
      vi.stubGlobal('fetch', (path: string, { headers }: { headers: Record<string, string> }) => {
        asked.push([path, headers['If-None-Match'] ?? null]);
        const [, id = ''] = /^\/api\/institutions\/([^/]+)\/trust$/.exec(path) ?? [];
        return Promise.resolve((served[id] as () => Response)());
      });
    });
    afterEach(() => vi.unstubAllGlobals());

    it('counts for its members alone, who are told on whose trust an answer rests', async () => {
      await fetchCircles('amina', [acacia]);
      await fetchCircles('yusuf', [river]);
      expect(await worth('amina')).toEqual(['valid', 'Acacia School', 'Acacia School']);
      for (const other of ['yusuf', undefined]) expect(await worth(other)).toEqual(stranger);
      // Nothing of it lies where all can read it, but what is of use to nobody without.
      for (const store of ['trust', 'publishers', 'blobs'] as const) expect(await disk.list(store)).toEqual([]);
      // The server's own trust goes before.
      await takeTrust(pack(), 'server');
      for (const who of ['amina', 'yusuf', undefined]) expect(await worth(who)).toEqual(['valid', undefined, undefined]);
    });

    it('is asked for once in a while, and goes on from what is here', async () => {
      await fetchCircles('amina', [acacia]);
      await fetchCircles('amina', [acacia]);
      expect(asked).toEqual([[`/api/institutions/${acacia.id}/trust`, null]]);
      served[acacia.id] = () => new Response(null, { status: 304, headers: { Banyan: '1' } });
      await fetchCircles('amina', [acacia], 0);
      expect(asked[1]).toEqual([`/api/institutions/${acacia.id}/trust`, '"a"']);
      expect((await worth('amina'))[0]).toBe('valid');
      served[acacia.id] = () => {
        throw new TypeError('no network');
      };
      await fetchCircles('amina', [acacia], 0);
      expect((await worth('amina'))[0]).toBe('valid');
    });

    it('ends with the membership, and with the trust', async () => {
      await fetchCircles('amina', [acacia, river]);
      expect((await worth('amina'))[0]).toBe('valid');
      // At once, however short ago it was asked for.
      await fetchCircles('amina', [river]);
      expect(await worth('amina')).toEqual(stranger);
      for (const none of [nothing, () => new Response('{}', { status: 403, headers: { 'Content-Type': 'application/problem+json', Banyan: '1' } })]) {
        served[acacia.id] = whole;
        await fetchCircles('amina', [acacia], 0);
        expect((await worth('amina'))[0]).toBe('valid');
        served[acacia.id] = none;
        await fetchCircles('amina', [acacia], 0);
        expect(await worth('amina')).toEqual(stranger);
      }
      await fetchCircles('amina', [acacia], 0);
      await fetchCircles('amina', []);
      expect(await worth('amina')).toEqual(stranger);
    });

    it('is not what a bundle or a file brings for all', async () => {
      const documents: string[] = [];
      for await (const { kind, bytes } of frames(pack())) if (kind === 'P') documents.push(new TextDecoder().decode(bytes));
      const publisher = { id: 'did:web:learn.example.org:institutions:oasis', documents };
      await trustPublishers([{ ...publisher, institution_id: acacia.id }]);
      expect((await takeTrust(pack(), 'file')).publishers).toHaveLength(1);
      expect(await worth()).toEqual(stranger);
      await trustPublishers([publisher]);
      expect(await worth()).toEqual(['valid', undefined, undefined]);
    });
  });

  it('asks the server once in a while, and for nothing that it has', async () => {
    const asked: (string | null)[] = [];
    const answers = [
      () => new Response('<html>sign in</html>', { headers: { 'Content-Type': 'text/html' } }),
      () => new Response(pack(), { headers: { 'Content-Type': 'application/octet-stream', Banyan: '1', ETag: '"a"' } }),
      () => new Response(null, { status: 304, headers: { Banyan: '1' } }),
    ];
    vi.stubGlobal('fetch', (_: string, { headers }: { headers: Record<string, string> }) => {
      asked.push(headers['If-None-Match'] ?? null);
      return Promise.resolve((answers.shift() as () => Response)());
    });
    try {
      expect(await fetchTrust()).toBe(false);
      expect(await fetchTrust()).toBe(true);
      expect((await check(first.text, soon)).state).toBe('valid');
      expect(await fetchTrust()).toBe(true);
      expect(asked).toEqual([null, null]);
      expect(await fetchTrust(0)).toBe(true);
      expect(asked).toEqual([null, null, '"a"']);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

describe('the canonical form of RFC 8785', () => {
  it('writes the example of the RFC', () => {
    const example = { numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001], string: '\u20ac$\u000f\u000aA\'\u0042\u0022\u005c\\\u0022/', literals: [true, false] };
    expect(canonical(example)).toBe('{"literals":[true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}');
  });
  it('sorts names by their UTF-16 code units', () => {
    const names: { [name: string]: Json } = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    expect(Array.from(canonical(names).matchAll(/:(\d)/g), ([, n]) => n).join('')).toBe('2467153');
  });
});

describe('what no strict reader takes', () => {
  it.each(['', '[]', '1', '{}', '{"id":""}', '{"id":null}', '{"id":[]}', '{"id":{}}', '{"id":1.5}', '{"id":1e3}', '{"id":-0}', '{"id":"a","id":"b"}', '{"id":"a","\\u0069d":"b"}', '{"grade":1}', '{"id":"\\u0000"}', '{"id":"\\ud800"}', `{"id":${'['.repeat(20)}1${']'.repeat(20)}}`])('%s', (text) => {
    expect(() => readStrict(text)).toThrow();
  });
  it('takes a plain one', () => {
    expect(readStrict('{"id":"a","type":["b",1,true]}')).toEqual({ id: 'a', type: ['b', 1, true] });
  });
});

describe('status lists', () => {
  const gzip = async (size: number) => {
    const packed = new Uint8Array(await new Response(new Blob([new Uint8Array(size)]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer());
    return `u${btoa(String.fromCharCode(...Array.from(packed.subarray(0, 60_000)))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')}`;
  };
  const list = (encodedList: string, change = {}) =>
    new TextEncoder().encode(
      JSON.stringify({
        id: 'u', type: ['VerifiableCredential', 'BitstringStatusListCredential'], issuer: 'i', validFrom: '2026-01-01T00:00:00Z',
        credentialSubject: { type: 'BitstringStatusList', statusPurpose: 'revocation', encodedList }, ...change,
      }),
    ).buffer;
  it('reads a place', async () => {
    expect(await readStatus(list(await gzip(16384)), 'i', 'u', 'revocation', 131071)).toEqual({ set: false, signedAt: '2026-01-01T00:00:00Z' });
  });
  it('refuses another list, a short one and one that swells', async () => {
    const right = await gzip(16384);
    expect(await readStatus(list(right), 'j', 'u', 'revocation', 1)).toBeUndefined();
    expect(await readStatus(list(right), 'i', 'v', 'revocation', 1)).toBeUndefined();
    expect(await readStatus(list(right), 'i', 'u', 'suspension', 1)).toBeUndefined();
    expect(await readStatus(list(right), 'i', 'u', 'revocation', 131072)).toBeUndefined();
    expect(await readStatus(list(right, { type: ['VerifiableCredential'] }), 'i', 'u', 'revocation', 1)).toBeUndefined();
    expect(await readStatus(list(await gzip(16383)), 'i', 'u', 'revocation', 1)).toBeUndefined();
    expect(await readStatus(list(await gzip(5 * 1024 * 1024)), 'i', 'u', 'revocation', 1)).toBeUndefined();
    expect(await readStatus(list('uAAAA'), 'i', 'u', 'revocation', 1)).toBeUndefined();
    expect(await readStatus(new ArrayBuffer(3), 'i', 'u', 'revocation', 1)).toBeUndefined();
  });
});
