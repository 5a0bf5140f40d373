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

it('takes no code of which a byte was changed', async () => {
  const [{ hex }] = vectors.good as [Vectors['good'][0]];
  const bytes = Uint8Array.from(hex.match(/../g) as string[], (two) => parseInt(two, 16));
  for (let i = 0; i < bytes.length; i++) {
    for (const flip of [1, 0x80]) {
      const changed = bytes.slice();
      changed[i] = (changed[i] as number) ^ flip;
      await expect(verifyCode(`BNY1:${encode(changed)}`, keys), `byte ${i}`).rejects.toThrow(CodeError);
    }
  }
});
