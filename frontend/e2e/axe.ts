import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from '@playwright/test';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds against WCAG 2.2 AA, one line a finding. */
export async function violations(page: Page): Promise<string[]> {
  // evaluate runs outside the page's policy for scripts.
  await page.evaluate(source);
  return page.evaluate(async () => {
    const axe = (globalThis as unknown as { axe: { run(context: Document, options: object): Promise<AxeResults> } }).axe;
    interface AxeResults {
      violations: { id: string; nodes: { target: unknown[]; failureSummary?: string; any: { id: string; relatedNodes?: { target: unknown[] }[] }[] }[] }[];
    }
    const { violations: found } = await axe.run(document, {
      runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] },
    });
    // A bar that sticks to an edge lies over whatever is there before one scrolls: what it alone covers is no smaller for that.
    const sticks = (e: Element | null): boolean => e !== null && (getComputedStyle(e).position === 'sticky' || sticks(e.parentElement));
    for (const one of found) {
      if (one.id !== 'target-size') continue;
      one.nodes = one.nodes.filter(({ any }) => {
        const over = any.filter(({ id }) => id === 'target-size').flatMap(({ relatedNodes }) => relatedNodes ?? []);
        return over.length === 0 || !over.every(({ target }) => sticks(document.querySelector(String(target[0]))));
      });
    }
    return found.filter(({ nodes }) => nodes.length > 0).map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target.join(' ')} (${failureSummary ?? ''})`).join(' | ')}`);
  });
}
