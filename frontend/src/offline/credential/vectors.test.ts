// @vitest-environment node
// The codes that Go made: both readers take the same and refuse the same, by the same name.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi, describe } from 'vitest';
import { encode } from '../base45';
import { CodeError, readCode, verifyCode, type Key, type Place } from './code';

interface Vectors {
  keys: { issuer: string; multikey: string; from: string; retired?: string; revoked?: string }[];
  good: { name: string; text: string; hex: string; kid: string; claims: Record<string, unknown> & { revocation?: Place; suspension?: Place } }[];
  bad: { name: string; text: string; reason: string }[];
  reasons: string[];
  flips: { of: string; bits: string; cuts: string }[];
}

const vectors = JSON.parse(readFileSync(join(import.meta.dirname, '../../../../internal/credential/code/testdata/vectors.json'), 'utf8')) as Vectors;
const seconds = (iso: string) => Date.parse(iso) / 1000;
const keys: Key[] = vectors.keys.map(({ issuer, multikey, from, retired, revoked }) => ({
  issuer,
  multikey,
  from: seconds(from),
  ...(retired !== undefined && { retired: seconds(retired) }),
  ...(revoked !== undefined && { revoked: seconds(revoked) }),
}));

describe.each([
  ['natively', false],
  ['with noble', true],
])('the codes of Go, signatures checked %s', (_, noble) => {
  const prepare = () => {
    if (noble) vi.spyOn(crypto.subtle, 'importKey').mockRejectedValue(new DOMException('no', 'NotSupportedError'));
  };
  it.each(vectors.good.map((one) => [one.name, one] as const))('takes: %s', async (_, { text, kid, claims }) => {
    prepare();
    const got = await verifyCode(text, keys);
    expect(readCode(text).kid).toBe(kid);
    const { id, issuer, address, signed_at, issued_at, expires_at, name, achievement, course, version, locale, revocation, suspension, score, assessment, ai_help } = claims as Record<string, string>;
    expect(got.claims).toEqual({
      ...{ id, issuer, address, signedAt: seconds(signed_at as string), issuedAt: seconds(issued_at as string), name: name ?? '', achievement, course, version, locale },
      ...(expires_at !== undefined && { expiresAt: seconds(expires_at) }),
      ...(revocation !== undefined && { revocation }),
      ...(suspension !== undefined && { suspension }),
      ...(score !== undefined && { score }),
      ...(assessment !== undefined && { assessment }),
      ...(ai_help !== undefined && { aiHelp: ai_help }),
    });
    expect(got.key.issuer).toBe(issuer);
    vi.restoreAllMocks();
  });

  it.each(vectors.bad.map((one) => [`${one.reason}: ${one.name}`, one] as const))('refuses %s', async (_, { text, reason }) => {
    prepare();
    const cause: unknown = await verifyCode(text, keys).catch((cause: unknown) => cause);
    expect(cause).toBeInstanceOf(CodeError);
    expect((cause as CodeError).reason).toBe(reason);
    vi.restoreAllMocks();
  });
});

it('knows all reasons from the vectors', () => {
  expect(new Set(vectors.bad.map(({ reason }) => reason)).size).toBe(13);
});

// What Go says of each bit that is changed and each byte that is left out, this reader says too: no code is one thing here and another there.
it.each(vectors.flips.map((one) => [one.of, one] as const))('says the same as Go of each change: %s', async (of, { bits, cuts }) => {
  const { hex } = vectors.good.find(({ name }) => name === of) as Vectors['good'][0];
  const bytes = Uint8Array.from(hex.match(/../g) as string[], (two) => parseInt(two, 16));
  expect([bits.length, cuts.length]).toEqual([bytes.length * 8, bytes.length]);
  const own = keys.slice(0, 4);
  const letter = async (changed: Uint8Array) => {
    const cause: unknown = await verifyCode(`BNY1:${encode(changed)}`, own).catch((cause: unknown) => cause);
    return cause instanceof CodeError ? String.fromCharCode(97 + vectors.reasons.indexOf(cause.reason)) : `taken, or ${String(cause)}`;
  };
  for (let i = 0; i < bytes.length; i++) {
    let all = '';
    for (let bit = 0; bit < 8; bit++) {
      const changed = bytes.slice();
      changed[i] = (changed[i] as number) ^ (1 << bit);
      all += await letter(changed);
    }
    expect(all, `byte ${i}`).toBe(bits.slice(i * 8, i * 8 + 8));
    expect(await letter(Uint8Array.from([...Array.from(bytes.subarray(0, i)), ...Array.from(bytes.subarray(i + 1))])), `without byte ${i}`).toBe(cuts[i]);
  }
}, 60_000);
