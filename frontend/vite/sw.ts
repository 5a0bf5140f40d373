// Builds the service worker: one classic script without imports, at an address that never changes, for browsers look for a newer one only there.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin, type Rollup } from 'vite';

export function serviceWorker(folder: string): Plugin {
  return {
    name: 'banyan-service-worker',
    apply: 'build',
    buildStart() {
      for (const name of readdirSync(folder)) this.addWatchFile(join(folder, name));
    },
    async generateBundle() {
      const result = (await build({
        configFile: false,
        logLevel: 'error',
        root: folder,
        publicDir: false,
        build: {
          // Chrome 80 has all of it; the target chrome80 writes it the old way for the sake of a fault that this code does not meet.
          target: 'es2020',
          write: false,
          minify: true,
          modulePreload: false,
          // A script without imports and exports is a classic one too.
          rolldownOptions: { input: join(folder, 'sw.ts'), output: { format: 'es' } },
        },
      })) as Rollup.RollupOutput;
      const [script, ...more] = result.output;
      if (more.length || /\b(import|export)\b/.test(script.code)) this.error('The service worker is one classic script.');
      this.emitFile({ type: 'asset', fileName: 'sw.js', source: script.code });
    },
  };
}
