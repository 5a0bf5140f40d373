import { readFileSync } from 'node:fs';
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
const { vectors } = JSON.parse(readFileSync(join(pages, 'vectors.json'), 'utf8')) as { vectors: Vector[] };

describe('fill', () => {
  // The server puts in the words.
  const ours = vectors.filter(({ template, error }) => error || !template.includes('{{t:'));
  it.each(ours.map((vector) => [vector.name, vector] as const))('%s', (_, { template, values, want, error }) => {
    if (error) expect(() => fill(template, values)).toThrow();
    else expect(fill(template, values)).toBe(want);
  });
});
