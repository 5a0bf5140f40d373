// Empties dist before a build, but for the placeholder that lets `go build` work without Node.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

export function tidy(dist: string, keep: string): Plugin {
  return {
    name: 'banyan-tidy',
    apply: 'build',
    buildStart() {
      if (!existsSync(dist)) return;
      for (const name of readdirSync(dist)) {
        if (name !== keep) rmSync(join(dist, name), { recursive: true });
      }
    },
  };
}
