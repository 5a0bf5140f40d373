// @vitest-environment node
import { describe, expect, it } from 'vitest';
import { frames, type Frame } from './frames';
import { bytesOf, gzip, rawPack, stream } from './testing/maker';

async function all(source: ReadableStream<Uint8Array>): Promise<Frame[]> {
  const got: Frame[] = [];
  for await (const frame of frames(source)) got.push(frame);
  return got;
}
const hexes = (frames: { bytes: Uint8Array }[]) => frames.map(({ bytes }) => Buffer.from(bytes).toString('hex'));

// Bytes that do not shrink, so that a cut or a flip falls in every part of the stream.
const noise = Uint8Array.from({ length: 3000 }, (_, i) => (i * 2654435761) >>> 13);
const some = [
  { kind: 'P', bytes: bytesOf('publisher') },
  { kind: 'R', bytes: bytesOf('root') },
  { kind: 'B', bytes: noise },
  { kind: 'B', bytes: new Uint8Array(0) },
  { kind: 'B', bytes: bytesOf('blob') },
];
const pack = rawPack(some);

describe('a pack', () => {
  it.each([1, 7, 1000, 1e9])('is read in pieces of %i', async (piece) => {
    const got = await all(stream(pack, piece));
    expect(got.map(({ kind }) => kind).join('')).toBe('PRBBB');
    expect(hexes(got)).toEqual(hexes(some));
  });

  it('is truncated wherever it is cut', async () => {
    for (let cut = 0; cut < pack.length; cut++) {
      await expect(all(stream(pack.slice(0, cut), 512)), `cut at ${cut}`).rejects.toMatchObject({ key: 'bundle.truncated' });
    }
  });

  it('with a bit flipped anywhere is refused, or says the same', async () => {
    let same = 0;
    for (let at = 0; at < pack.length; at++) {
      const wrong = pack.slice();
      wrong[at] = (wrong[at] as number) ^ (1 << at % 8);
      const fate = await all(stream(wrong, 512)).then(hexes, (cause: { key: string }) => cause.key);
      if (typeof fate === 'string') {
        expect(fate, `flip at ${at}`).toMatch(at < 10 ? /^bundle\.not_a_bundle$/ : /^bundle\.(damaged|truncated|not_a_bundle)$/);
      } else {
        // A bit that fills up the last byte of the deflate stream means nothing.
        expect(fate).toEqual(hexes(some));
        same++;
      }
    }
    expect(same).toBeLessThan(2);
  });

  it.each([
    ['a page of a captive portal', bytesOf('<!doctype html><title>Sign in</title>'), 'not_a_bundle'],
    ['nothing', new Uint8Array(0), 'truncated'],
    ['gzip of something else', gzip(bytesOf('BANYAN2\n and so on')), 'not_a_bundle'],
    ['gzip of too little', gzip(bytesOf('BANY')), 'damaged'],
    ['another number of frames at the end', rawPack(some, 4), 'damaged'],
    ['a frame after the end', rawPack(some, 5, bytesOf('B')), 'damaged'],
    ['a kind that is none', rawPack([{ kind: 'X', bytes: noise }]), 'damaged'],
    ['a root that is too large', rawPack([{ kind: 'R', bytes: new Uint8Array(64 * 1024 + 1) }]), 'damaged'],
    ['bytes after the pack', Uint8Array.from([...pack, 1]), '(damaged|truncated)'],
    ['a second pack after the pack', Uint8Array.from([...pack, ...pack]), 'damaged'],
  ])('is not %s', async (_, bytes, key) => {
    await expect(all(stream(bytes))).rejects.toMatchObject({ key: expect.stringMatching(new RegExp(`^bundle.${key}$`)) as string });
  });

  it('promises no more than it brings', async () => {
    const huge = Buffer.from('BANYAN1\nB\0\0\0\0');
    huge.writeUInt32BE(16 * 1024 * 1024 + 1, 9);
    await expect(all(stream(gzip(huge)))).rejects.toMatchObject({ key: 'bundle.damaged' });
    huge.writeUInt32BE(16 * 1024 * 1024, 9);
    await expect(all(stream(gzip(huge)))).rejects.toMatchObject({ key: 'bundle.damaged' });
  });

  it('passes on what the network says', async () => {
    let n = 0;
    const source = new ReadableStream<Uint8Array>({ pull: (c) => (n++ ? c.error(new TypeError('network')) : c.enqueue(pack.slice(0, 900))) });
    await expect(all(source)).rejects.toThrow('network');
  });

  it('lets go of its source when the reader stops', async () => {
    let cancelled = false;
    const source = new ReadableStream<Uint8Array>({ pull: (c) => c.enqueue(pack.slice(0, 1500)), cancel: () => void (cancelled = true) });
    for await (const { kind } of frames(source)) if (kind === 'R') break;
    expect(cancelled).toBe(true);
  });
});
