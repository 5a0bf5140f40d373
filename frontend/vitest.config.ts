import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { words } from './vite/words.ts';

export default defineConfig({
  plugins: [words(fileURLToPath(new URL('../internal/i18n/locales', import.meta.url)))],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: { environment: 'happy-dom', testTimeout: 30_000, include: ['src/**/*.test.{ts,tsx}', '*.test.ts'] },
});
