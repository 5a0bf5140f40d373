// The program under test: started here with a fresh data folder, or the one that BANYAN_URL names.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlaywrightTestConfig } from '@playwright/test';

const port = process.env['BANYAN_E2E_PORT'] ?? '18081';
// Playwright reads its configuration in each process; the folder must be the same in all.
const dataDir = (process.env['BANYAN_DATA_DIR'] ??= mkdtempSync(join(tmpdir(), 'banyan-e2e-')));

export const program = {
  url: process.env['BANYAN_URL'] ?? `http://localhost:${port}`,
  dataDir,
  webServer: process.env['BANYAN_URL']
    ? undefined
    : {
        command: '../../bin/banyan-api serve --demo --examples',
        url: `http://localhost:${port}/api/health`,
        timeout: 120_000,
        env: { BANYAN_LISTEN: `127.0.0.1:${port}`, BANYAN_DATA_DIR: dataDir, BANYAN_RUNTIME_DIR: '../../build/runtime', BANYAN_LOG_LEVEL: 'warn' },
        gracefulShutdown: { signal: 'SIGTERM' as const, timeout: 15_000 },
      },
};

export const browser: PlaywrightTestConfig['use'] = {
  browserName: 'chromium',
  launchOptions: { executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] },
};

/**
 * How long a test may take, and how often it is tried. At the desk what fails by chance fails, and is mended. A change is not refused for it: it is
 * tried once more, and named as flaky at the end.
 */
export const patience = { timeout: 120_000, expect: { timeout: 20_000 }, retries: process.env['CI'] ? 1 : 0 };

interface DemoAccount {
  username: string;
  password: string;
}

/** A demo account with the password made at the program's first start. */
export function demo(username: string, folder = dataDir): DemoAccount {
  const all = JSON.parse(readFileSync(join(folder, 'demo-accounts.json'), 'utf8')) as DemoAccount[];
  const found = all.find((account) => account.username === username);
  if (!found) throw new Error(`no demo account ${username}`);
  return found;
}
