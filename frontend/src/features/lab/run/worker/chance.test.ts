import { expect, it } from 'vitest';
import { clock, splitmix64 } from './chance';

// The numbers of https://prng.di.unimi.it/splitmix64.c for the seed 1234567.
it('draws as splitmix64 does, in one sequence whatever is asked for', () => {
  const fill = splitmix64(1234567);
  const all = new Uint8Array(16);
  fill(all.subarray(0, 3));
  fill(all.subarray(3, 11));
  fill(all.subarray(11));
  const words = new DataView(all.buffer);
  expect([words.getBigUint64(0, true), words.getBigUint64(8, true)]).toEqual([BigInt('6457827717110365317'), BigInt('3203168211198807973')]);
});

it('tells the time by looks', () => {
  const now = clock(1000);
  expect([now(), now(), now()]).toEqual([1000, 1001, 1002]);
});
