import { defineConfig } from '@playwright/test';
import { browser, patience } from './program.ts';
import { shapes } from './shapes.ts';

const apart = ['shots.spec.ts', 'pseudo.spec.ts'];
// These start a program of their own, or try the page: what they show is the same in both shapes.
const once = ['awards.spec.ts', 'bundles.spec.ts', 'check.spec.ts', 'circle.spec.ts', 'console.spec.ts', 'download.spec.ts', 'offline.spec.ts', 'recognition.spec.ts', 'regrade.spec.ts', 'sync.spec.ts', 'unlock.spec.ts', 'verify.spec.ts', 'wallet.spec.ts'];

// Journeys against the real program, in each of its shapes. `npm run shots` has a configuration of its own.
export default defineConfig({
  testDir: '.',
  outputDir: '../test-results',
  workers: 1,
  reporter: [['list']],
  ...patience,
  use: { ...browser, trace: 'retain-on-failure', viewport: { width: 360, height: 740 } },
  projects: shapes.map(({ name, url }) => ({ name, testIgnore: name === 'production' ? [...apart, ...once] : apart, use: { baseURL: url } })),
  webServer: shapes.map(({ url, command, env }) => ({
    command,
    env,
    url: `${url}/api/health`,
    timeout: 120_000,
    gracefulShutdown: { signal: 'SIGTERM' as const, timeout: 15_000 },
  })),
});
