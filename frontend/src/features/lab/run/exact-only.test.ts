import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { lightLibrary } from '../../../../vite/runner';
import { exactOnly } from './exact-only';

const top = (name: string) => name.split('.')[0] as string;

it('names what the exact pack has and the light one has not', () => {
  const shelf = readFileSync(join(process.cwd(), '../internal/lab/runtime/python/shelf.py'), 'utf8');
  const lists = Array.from(shelf.matchAll(/^(?:CORE|SHELF) = """([\s\S]*?)"""/gm), (found) => (found[1] as string).trim().split(/\s+/));
  expect(lists).toHaveLength(2);
  const brython = dirname(createRequire(import.meta.url).resolve('brython/package.json'));
  const light = new Set(Object.keys(lightLibrary(readFileSync(join(brython, 'brython_stdlib.js'), 'utf8'))).map(top));
  const missing = new Set(lists.flat().map(top).filter((name) => !name.startsWith('_') && !light.has(name)));
  expect([...exactOnly].sort()).toEqual([...missing].sort());
});
