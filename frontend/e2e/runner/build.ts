// Bundles probe.ts as the pages' own build would.
import { join } from 'node:path';
import { build, type Rollup } from 'vite';
import { labWorkers } from '../../vite/runner.ts';
import { words } from '../../vite/words.ts';

const frontend = join(import.meta.dirname, '../..');

export async function bundleProbe(): Promise<string> {
  const [output] = (await build({
    configFile: false,
    logLevel: 'error',
    root: frontend,
    plugins: [words(join(frontend, '../internal/i18n/locales')), labWorkers(join(frontend, 'src/features/lab/run/worker'))],
    build: { target: 'chrome80', write: false, minify: false, lib: { entry: join(import.meta.dirname, 'probe.ts'), formats: ['iife'], name: 'probeOf' }, rolldownOptions: { output: { codeSplitting: false } } },
  })) as Rollup.RollupOutput[];
  return output?.output.find((one) => one.type === 'chunk')?.code ?? '';
}
