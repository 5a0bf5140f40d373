import { defineConfig } from '@playwright/test';
import { browser, program, timeouts } from './program.ts';

// Journeys against the real program. `npm run shots` has a configuration of its own.
export default defineConfig({
  testDir: '.',
  testIgnore: ['shots.spec.ts'],
  outputDir: '../test-results',
  workers: 1,
  reporter: [['list']],
  ...timeouts,
  use: { ...browser, baseURL: program.url, trace: 'retain-on-failure' },
  webServer: program.webServer,
});
