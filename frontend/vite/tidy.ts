// Empties the output folder before a build, but for the placeholder that lets `go build` work without Node.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Plugin } from 'vite';

export function tidy(keep: string): Plugin {
  let dist = '';
  return {
    name: 'banyan-tidy',
    apply: 'build',
    configResolved(config) {
      dist = resolve(config.root, config.build.outDir);
    },
    buildStart() {
      if (!existsSync(dist)) return;
      for (const name of readdirSync(dist)) {
        if (name !== keep) rmSync(join(dist, name), { recursive: true });
      }
    },
  };
}
