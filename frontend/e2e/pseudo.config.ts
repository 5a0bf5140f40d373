import { defineConfig } from '@playwright/test';
import { browser, program, patience } from './program.ts';

// The program of scripts/pseudo.mjs, which speaks two languages more.
export default defineConfig({
  testDir: '.',
  testMatch: ['pseudo.spec.ts'],
  outputDir: '../test-results/pseudo-languages',
  workers: 1,
  reporter: [['list']],
  ...patience,
  use: { ...browser, baseURL: program.url },
  webServer: program.webServer && { ...program.webServer, command: program.webServer.command.replace('bin/', 'build/pseudo/') },
});
