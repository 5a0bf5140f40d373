// @vitest-environment node
// A browser that knows no Ed25519, on a device to which the part that does was never fetched: that says nothing against a certificate.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { Missing } from '../missing';
import { check } from './check';
import { verifyCode } from './code';
import { readDocument } from './document';

vi.mock('@noble/ed25519', () => {
  throw new TypeError('Failed to fetch dynamically imported module');
});
vi.spyOn(crypto.subtle, 'importKey').mockRejectedValue(new DOMException('no', 'NotSupportedError'));

const read = (name: string): unknown => JSON.parse(readFileSync(join(import.meta.dirname, '../../../../internal/credential/code/testdata', name), 'utf8'));

it('does not say of a document that it was changed', async () => {
  const text = (read('airplane.json') as { name: string; text: string }[]).find(({ name }) => name === 'a document')?.text ?? '';
  const { issuer, multikey } = readDocument(text);
  const known = { keys: [{ issuer, multikey, from: 0 }], issuers: new Map(), recognitions: [], open: () => Promise.resolve(undefined) };
  await expect(check(text, Date.now(), known)).rejects.toBeInstanceOf(Missing);
});

it('does not say of a code that its key is unknown', async () => {
  const { keys, good } = read('vectors.json') as { keys: { issuer: string; multikey: string }[]; good: { text: string }[] };
  await expect(verifyCode(good[0]?.text ?? '', keys.map(({ issuer, multikey }) => ({ issuer, multikey, from: 0 })))).rejects.toBeInstanceOf(Missing);
});
