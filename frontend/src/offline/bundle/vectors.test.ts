// @vitest-environment node
// The vectors that Go made: both readers take the same and refuse the same, by the same name.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { inspect, readHead } from './carrier';
import { parse, parseSigned } from './documents';
import { fit, fitted, type Fit } from './fit';
import { frames } from './frames';
import type { Rule } from './library';
import { compare, type Difference } from './plan';
import { choose, Intake, load, type Tree } from './read';
import { stream } from './testing/maker';
import { digestOf, type Known } from './verify';

const folder = join(import.meta.dirname, '../../../../internal/bundle/testdata');
const raw = (name: string) => Uint8Array.from(readFileSync(join(folder, name)));
const json = <T>(name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as T;

interface Vector {
  name: string;
  file: string;
  cut?: number;
  append?: string;
  flip?: [number, number];
  trusted?: string[];
  installed?: string;
  newest?: string;
  course?: string;
  want: string;
  ignored?: number;
  rule?: Rule;
}

function bytesOf({ file, cut, append, flip }: Vector): Uint8Array {
  let bytes = raw(file);
  if (cut !== undefined) bytes = bytes.slice(0, cut);
  if (append) bytes = Uint8Array.from([...bytes, ...new TextEncoder().encode(append)]);
  if (flip) bytes[flip[0]] = (bytes[flip[0]] as number) ^ flip[1];
  return bytes;
}

function known({ trusted = [], installed, newest, course }: Vector): (publisher: string) => Promise<Known> {
  const documents = trusted.map((name) => readFileSync(join(folder, name), 'utf8'));
  return () =>
    Promise.resolve({
      documents,
      newest: newest ?? '',
      ...(course && { course }),
      ...(installed && { current: readFileSync(join(folder, installed), 'utf8') }),
    });
}

const vectors = json<Vector[]>('vectors.json');

describe.each([
  ['natively', false],
  ['with noble', true],
])('the vectors of Go, signatures checked %s', (_, noble) => {
  it.each(vectors.map((vector, i) => [`${i + 1} ${vector.name}`, vector] as const))('%s', async (_, vector) => {
    const without = noble && vi.spyOn(crypto.subtle, 'importKey').mockRejectedValue(new DOMException('no', 'NotSupportedError'));
    try {
      const reading = inspect(frames(stream(bytesOf(vector), 512)), known(vector));
      if (vector.want === 'ok') {
        const report = await reading;
        expect(report.rule).toEqual(vector.rule);
        expect(report.counted.ignored).toBe(vector.ignored ?? 0);
      } else {
        // Node says of a wrong trailer only at the end that something was wrong; browsers say at once what (scripts/bundles.mjs).
        const trailer = vector.append ?? (vector.flip && vector.flip[0] >= raw(vector.file).length - 8);
        const key = trailer ? (expect.stringMatching(/^bundle\.(damaged|truncated)$/) as string) : vector.want;
        await expect(reading).rejects.toMatchObject({ key });
      }
    } finally {
      if (without) {
        expect(without.mock.calls.length).toBeLessThan(2);
        without.mockRestore();
      }
    }
  });
});

async function tree(file: string): Promise<Tree> {
  const stored = new Map<string, Uint8Array<ArrayBuffer>>();
  const carrier = frames(stream(raw(file)));
  const { head, first } = await readHead(carrier, known({ name: '', file, trusted: ['publisher-1.json'], want: '' }));
  if (first) stored.set(await digestOf(first.bytes), first.bytes);
  for await (const { bytes } of carrier) stored.set(await digestOf(bytes), bytes);
  const open = (digests: readonly string[]) => Promise.resolve(digests.map((digest) => stored.get(digest)));
  const loaded = await load(head.root, new TextEncoder().encode(head.rootText).length, Object.keys(head.root.editions), open);
  // A choice made of a fit names exactly what the fit counts, but for what two items share.
  const intake = await Intake.begin(head.root, undefined, { has: new Set(stored.keys()), open });
  expect(intake.missing(choose(head.root, { locales: Object.keys(head.root.editions), tier: 'all' }))).toEqual([]);
  for (const tier of ['text', 'images', 'all'] as const) {
    const most = fit(loaded, { locales: ['en'], tier }, 1e9);
    const whole = new Set(intake.all(choose(head.root, { locales: ['en'], tier })).map(({ digest }) => digest));
    expect(new Set(intake.all(fitted(most)).map(({ digest }) => digest))).toEqual(whole);
  }
  return loaded;
}

describe('fit', () => {
  it.each(json<{ file: string; rule: Rule; budget: number; want: Fit }[]>('fit.json').map((one) => [`${one.file} ${one.rule.locales.join(' ')} ${one.rule.tier} in ${one.budget}`, one] as const))(
    '%s',
    async (_, { file, rule, budget, want }) => {
      expect(fit(await tree(file), rule, budget)).toEqual(want);
    },
  );
});

describe('diff', () => {
  it.each(json<{ old: string; new: string; rule: Rule; want: Difference }[]>('diff.json'))('$old to $new', async ({ old, new: now, rule, want }) => {
    expect(compare(await tree(old), await tree(now), rule)).toEqual(want);
  });
});

it('reads every signed document that stands alone', () => {
  const roots = readdirSync(folder).filter((name) => name.endsWith('.root'));
  expect(roots.length).toBeGreaterThan(2);
  for (const name of roots) expect(parse('root', parseSigned(readFileSync(join(folder, name), 'utf8')).line).type).toBe('root');
  expect(existsSync(join(folder, 'folder'))).toBe(true);
});
