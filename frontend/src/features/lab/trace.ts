// Reads Python's tracebacks as far as the learner's own file goes.

const place = /File "([^"\n]*)", (line (\d{1,6}))/g;

/** The text in pieces: strings, and the words "line 12" where they are of the learner's file. */
export function splitTraceback(text: string, entry: string): (string | { text: string; line: number })[] {
  const parts: (string | { text: string; line: number })[] = [];
  let last = 0;
  for (const found of text.matchAll(place)) {
    const [all, file, words, line] = found as unknown as [string, string, string, string];
    if (file !== entry && file !== `/${entry}`) continue;
    const at = (found.index as number) + all.length - words.length;
    parts.push(text.slice(last, at), { text: words, line: Number(line) });
    last = at + words.length;
  }
  parts.push(text.slice(last));
  return parts.filter((part) => part !== '');
}

/** The line where the error is: the last one of the learner's file; 0 when there is none. */
export function lastLine(text: string, entry: string): number {
  return splitTraceback(text, entry).reduce((line, part) => (typeof part === 'string' ? line : part.line), 0);
}
