// What an editor of Python does for a beginner's fingers. Each gives the text to put in place of the selection.

export interface Edit {
  from: number;
  to: number;
  text: string;
  /** What is chosen afterwards; without it the cursor stands behind the text. */
  chosen?: [from: number, to: number];
}

const step = '    ';

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

/** Enter keeps the indentation; after a colon or an open bracket it goes one step in, after return and its like one step out. */
export function enter(text: string, from: number, to: number): Edit {
  const before = text.slice(lineStart(text, from), from);
  let indent = /^[ \t]*/.exec(before)?.[0] ?? '';
  const code = before.replace(/#.*$/, '').trim();
  if (/[:([{]$/.test(code)) indent += step;
  else if (/^(return|break|continue|pass|raise)\b/.test(code)) indent = indent.slice(0, -step.length);
  return { from, to, text: `\n${indent}` };
}

/** Tab goes to the next stop, or moves every chosen line one step in. */
export function tab(text: string, from: number, to: number): Edit {
  if (!text.slice(from, to).includes('\n')) {
    const column = from - lineStart(text, from);
    return { from, to, text: ' '.repeat(step.length - (column % step.length)) };
  }
  return lines(text, from, to, (line) => (line.trim() ? step + line : line));
}

/** Shift and Tab move the line, or every chosen line, one step out. */
export function untab(text: string, from: number, to: number): Edit {
  return lines(text, from, to, (line) => line.replace(/^( {1,4}|\t)/, ''));
}

function lines(text: string, from: number, to: number, change: (line: string) => string): Edit {
  const start = lineStart(text, from);
  const found = text.indexOf('\n', Math.max(start, text[to - 1] === '\n' && to > from ? to - 1 : to));
  const end = found < 0 ? text.length : found;
  const changed = text.slice(start, end).split('\n').map(change).join('\n');
  // Chosen lines stay chosen, to be moved again; a lone cursor stays where it was in its line.
  const at = Math.max(start, from + changed.length - (end - start));
  return { from: start, to: end, text: changed, chosen: from === to ? [at, at] : [start, start + changed.length] };
}

/** Backspace inside an indentation takes a whole step; elsewhere null: the browser's own will do. */
export function backspace(text: string, from: number, to: number): Edit | null {
  if (from !== to) return null;
  const before = text.slice(lineStart(text, from), from);
  if (!before || before.trim() || before.includes('\t')) return null;
  return { from: from - (((before.length - 1) % step.length) + 1), to, text: '' };
}

/** Where a line is now that stood at `line` and said `text`: the nearest that says the same, or 0. */
export function nearestLine(source: string, line: number, text: string): number {
  let best = 0;
  source.split('\n').forEach((one, at) => {
    if (one === text && (!best || Math.abs(at + 1 - line) < Math.abs(best - line))) best = at + 1;
  });
  return best;
}
