import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fill } from './fill';

const pages = join(process.cwd(), 'pages');

interface Vector {
  name: string;
  template: string;
  values: Record<string, string>;
  want?: string;
  error?: boolean;
}
const { words, vectors } = JSON.parse(readFileSync(join(pages, 'vectors.json'), 'utf8')) as { words: Record<string, string>; vectors: Vector[] };

describe('fill', () => {
  it.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_, { template, values, want, error }) => {
    if (error) expect(() => fill(template, values, words)).toThrow();
    else expect(fill(template, values, words)).toBe(want);
  });

  it('finds a word for every key of the skeletons', () => {
    const catalogue = JSON.parse(readFileSync(join(pages, '../../internal/i18n/locales/ar.json'), 'utf8')) as Record<string, string>;
    for (const name of readdirSync(pages).filter((file) => file.endsWith('.html'))) {
      const template = readFileSync(join(pages, name), 'utf8');
      const slots = Array.from(template.matchAll(/\{\{\{?([a-z][a-z0-9_]*)\}/g), (found) => [found[1] as string, ''] as const);
      expect(() => fill(template, Object.fromEntries(slots), catalogue), name).not.toThrow();
    }
  });
});
