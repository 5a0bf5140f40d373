// The two shapes in which Banyan runs, each started with a fresh data folder.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Shape {
  name: 'embedded' | 'production';
  url: string;
  dataDir: string;
  command: string;
  env: Record<string, string>;
}

// Playwright reads its configuration in each of its processes; the folders must be the same in all.
function folder(name: string): string {
  return (process.env[`BANYAN_E2E_${name.toUpperCase()}`] ??= mkdtempSync(join(tmpdir(), `banyan-e2e-${name}-`)));
}

function shape(name: Shape['name'], port: number, command: string, more: Record<string, string>): Shape {
  const dataDir = folder(name);
  const url = `http://localhost:${port}`;
  const env = { BANYAN_LISTEN: `127.0.0.1:${port}`, BANYAN_DATA_DIR: dataDir, BANYAN_RUNTIME_DIR: '../../build/runtime', BANYAN_LOG_LEVEL: 'warn', ...more };
  return { name, url, dataDir, command, env };
}

const database = process.env['TEST_DATABASE_URL'];
const redis = process.env['TEST_REDIS_URL'];
if (!database || !redis) throw new Error('start the journeys with `make test-e2e`: it starts Postgres and Redis for them');

/** SQLite, and the jobs in the same process. */
export const embedded = shape('embedded', 18091, 'exec ../../bin/banyan-api serve --demo --examples', {});

/** Postgres, Redis, the api and the worker as processes of their own. */
export const production = shape(
  'production',
  18092,
  '../../bin/banyan-api migrate && { ../../bin/banyan-worker & exec ../../bin/banyan-api serve --demo --examples; }',
  { BANYAN_DATABASE_URL: database, BANYAN_REDIS_URL: redis },
);

export const shapes = [embedded, production];
