import { defineConfig } from '@playwright/test';
import { browser, program, patience } from './program.ts';

export default defineConfig({
  testDir: '.',
  testMatch: ['shots.spec.ts'],
  outputDir: '../test-results/shots',
  workers: 1,
  reporter: [['list']],
  ...patience,
  use: { ...browser, baseURL: program.url },
  webServer: program.webServer,
});
