// A browser with a profile on the disk, which can lose its power.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext } from '@playwright/test';
import { browser } from './program.ts';

export class Profile {
  private readonly folder = mkdtempSync(join(tmpdir(), 'banyan-profile-'));
  private context: BrowserContext | undefined;

  /** Starts the browser; what it kept when it was last killed is there. */
  async open(baseURL: string): Promise<BrowserContext> {
    this.context = await chromium.launchPersistentContext(this.folder, { ...browser?.launchOptions, baseURL, viewport: { width: 360, height: 740 } });
    return this.context;
  }

  /** As when the battery is taken out: SIGKILL to every process of this browser. */
  async kill(): Promise<void> {
    const gone = new Promise((resolve) => this.context?.once('close', resolve));
    for (const line of execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n')) {
      if (!line.includes(`--user-data-dir=${this.folder}`)) continue;
      try {
        process.kill(Number(line.trim().split(/\s+/)[0]), 'SIGKILL');
      } catch {
        // It went with its parent.
      }
    }
    await gone;
  }

  async close(): Promise<void> {
    await this.context?.close().catch(() => undefined);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
