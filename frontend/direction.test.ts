// Right to left: the style sheets name sides by the direction of the text (start, end), never left and right. Each rule of
// the search is broken once below, and wanted found.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

// What may name a side after all: the beginning of a selector, and why.
const allowed: Record<string, string> = {
  '.data': "a program's table runs left to right in every language, while each cell takes the direction of its own text",
  '.editor-text': 'code stands at the left, also a line whose comment is Arabic (unicode-bidi: plaintext)',
  '.editor-numbers': 'as .editor-text; inset-inline-start is Chrome 87',
  '.run::before': 'the sign of "play" points to the right everywhere',
  '.hero svg': 'inset-inline-end is Chrome 87; its twin for [dir="rtl"] stands beside it',
  '[dir="rtl"]': 'the twin of a rule that names a side',
  '.tick::before': 'a drawn tick; it is the same in both directions',
  '.item.done .item-mark::before': 'see .tick',
  'summary::before': 'drawn as a corner and turned to point down',
  '.move::before': 'drawn as a corner and turned to point up',
};

interface Found {
  selector: string;
  declaration: string;
  cure: string;
}

/** The declarations of a style sheet that name a side by left and right. Sides that are treated alike are none. */
function physical(css: string): Found[] {
  const found: Found[] = [];
  for (const [, head = '', body = ''] of css.replace(/\/\*[\s\S]*?\*\//g, '').matchAll(/([^{};]+)\{([^{}]*)\}/g)) {
    const selector = head.trim();
    const all = body.split(';').flatMap((one) => {
      const at = one.indexOf(':');
      return at < 0 ? [] : [[one.slice(0, at).trim().toLowerCase(), one.slice(at + 1).replace(/!important/, '').trim()] as const];
    });
    const value = (name: string) => all.find(([property]) => property === name)?.[1];
    for (const [property, set] of all) {
      const cure = cureOf(property, set, value);
      if (cure) found.push({ selector, declaration: `${property}: ${set}`, cure });
    }
  }
  return found;
}

const drawn = /^(-webkit-)?(mask|background|object|transform|perspective)(-image|-position(-x)?|-origin)?$/;

function cureOf(property: string, value: string, other: (property: string) => string | undefined): string | null {
  const opposite = property.replace(/left|right/, (side) => (side === 'left' ? 'right' : 'left'));
  if (opposite !== property) return other(opposite) === value ? null : 'Write -inline-start or -inline-end, -start-start for corners.';
  if (/^(text-align|text-align-last|float|clear|caption-side)$/.test(property) && /\b(left|right)\b/.test(value)) return 'Write start or end; do not float.';
  if (drawn.test(property) && /\b(left|right)\b/.test(value)) return 'Draw it the same for both directions, or give [dir="rtl"] a twin.';
  if (/^(transform|translate)$/.test(property) && /translate(X|3d)?\((?!\s*0[,)])|^-?\d*[1-9]/.test(value)) return 'Moved to a side: give [dir="rtl"] a twin.';
  const layers = value.replace(/\([^)]*\)/g, '()').split(/,\s*/);
  if (/^(box|text)-shadow$/.test(property) && layers.some((layer) => /^(inset )?-?[.\d]*[1-9]/.test(layer))) return 'A shadow to a side: use border-inline-start.';
  const parts = value.replace(/\([^)]*\)/g, '()').split(/\s+/);
  if (/^(margin|padding|inset|border-(width|color|style)|scroll-(margin|padding))$/.test(property) && parts.length === 4 && parts[1] !== parts[3]) {
    return 'The second and fourth length differ: write -inline-start or -inline-end.';
  }
  if (property === 'border-radius' && parts.length > 1 && !value.includes('/')) {
    const [a, b = a, c = a, d = b] = parts;
    if (a !== b || c !== d) return 'Corners differ: write border-start-start-radius and its like.';
  }
  return null;
}

function sheets(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sheets(path);
    return name.endsWith('.css') ? [path] : [];
  });
}

describe('directions', () => {
  it.each([
    'margin-left: 1rem',
    'padding-right: 1px',
    'left: 0',
    'right: 2px',
    'left: 0; right: 1px',
    'border-left: 1px solid',
    'border-right-color: red',
    'border-top-left-radius: 3px',
    'scroll-margin-left: 1px',
    'text-align: left',
    'text-align: right !important',
    'float: left',
    'clear: right',
    'margin: 0 1px 0 2px',
    'padding: 0 calc(1px + 2px) 0 0',
    'border-width: 0 3px 3px 0',
    'border-radius: 4px 0 0 4px',
    'background-position: left top',
    'background-image: linear-gradient(to right, red, blue)',
    'transform-origin: left',
    'transform: translateX(3px)',
    'transform: translate(-50%, 0)',
    'box-shadow: inset 3px 0 red',
  ])('finds %s', (planted) => {
    expect(physical(`/* a{left:0} */ .x { color: red; ${planted} }`).map(({ selector }) => selector)).toContain('.x');
    expect(physical(`@media (min-width: 40rem) { .a { color: red } .y { ${planted}; top: 0; } }`).map(({ selector }) => selector)).toContain('.y');
  });

  it.each([
    'margin-inline-start: 1rem',
    'left: 0; right: 0',
    'text-align: start',
    'text-align: center',
    'margin: 0 1px 2px 1px',
    'border-radius: 4px 4px 0 0',
    'transform: translateY(-2px) rotate(45deg)',
    'box-shadow: 0 1px 2px rgba(0, 0, 0, 0.3), 0 4px 14px red',
    'box-shadow: inset 0 0 0 2px red',
    'transition: transform 1s',
  ])('lets %s pass', (fine) => {
    expect(physical(`.x { ${fine} }`)).toEqual([]);
  });

  const findings = sheets(join(process.cwd(), 'src')).flatMap((path) => physical(readFileSync(path, 'utf8')).map((one) => ({ path, ...one })));
  const why = (selector: string) => Object.keys(allowed).find((start) => selector.startsWith(start));

  it('are of the text in every style sheet', () => {
    expect(sheets(join(process.cwd(), 'src')).length).toBeGreaterThan(6);
    expect(findings.filter(({ selector }) => !why(selector))).toEqual([]);
  });

  it('are allowed a side only where one is still named', () => {
    const used = new Set(findings.map(({ selector }) => why(selector)));
    expect(Object.keys(allowed).filter((start) => !used.has(start))).toEqual([]);
  });
});
