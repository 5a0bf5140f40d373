// What changed between two sources, line by line.

export interface Change {
  kind: 'same' | 'gone' | 'new';
  line: string;
}

/** The lines of both in order: longest common subsequence, after what is equal at both ends. */
export function diffLines(before: string, after: string): Change[] {
  const a = before.replace(/\n$/, '').split('\n');
  const b = after.replace(/\n$/, '').split('\n');
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const same = (lines: string[]): Change[] => lines.map((line) => ({ kind: 'same', line }));
  return [
    ...same(a.slice(0, head)),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...same(a.slice(a.length - tail)),
  ];
}

function middle(a: string[], b: string[]): Change[] {
  const out: Change[] = [];
  const gone = (line: string) => out.push({ kind: 'gone', line });
  const fresh = (line: string) => out.push({ kind: 'new', line });
  // A table of millions would stop a phone; so much change is easier read as all old, all new.
  if (a.length * b.length > 400_000) {
    a.forEach(gone);
    b.forEach(fresh);
    return out;
  }
  const wide = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * wide);
  const at = (i: number, j: number) => longest[i * wide + j] as number;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) longest[i * wide + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push({ kind: 'same', line: a[i++] as string });
      j++;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) gone(a[i++] as string);
    else fresh(b[j++] as string);
  }
  return out;
}

/** The changes with a few lines around each; null stands where lines are left out. */
export function hunks(changes: readonly Change[], around = 2): (Change | null)[] {
  const near = changes.map(() => false);
  changes.forEach(({ kind }, at) => {
    if (kind !== 'same') near.fill(true, Math.max(0, at - around), at + around + 1);
  });
  const out: (Change | null)[] = [];
  changes.forEach((change, at) => {
    if (near[at]) out.push(change);
    else if (out[out.length - 1] !== null) out.push(null);
  });
  return out;
}
