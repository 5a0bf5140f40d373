import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { labWorkers } from './vite/runner.ts';
import { words } from './vite/words.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [words(here('../internal/i18n/locales')), labWorkers(here('src/features/lab/run/worker'))],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: { environment: 'happy-dom', testTimeout: 30_000, include: ['src/**/*.test.{ts,tsx}', '*.test.ts'] },
});
