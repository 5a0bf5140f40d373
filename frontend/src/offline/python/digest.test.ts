import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { sha256 } from './digest';

it.each([0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1000, 70_000])('hashes %i bytes as everybody does', (size) => {
  const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 3)) & 255);
  expect(Buffer.from(sha256(bytes)).toString('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
});
