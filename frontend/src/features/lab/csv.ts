// Reads a data file as a table (RFC 4180), for people to look at.

/** The rows, at most `most`, and how many there are in all; null when it is no table. */
export function parseCSV(text: string, most: number): { rows: string[][]; total: number } | null {
  const rows: string[][] = [];
  let total = 0;
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  const endRow = () => {
    row.push(cell);
    cell = '';
    if (row.length > 1 || row[0]) {
      if (total++ < most + 1) rows.push(row);
    }
    row = [];
  };
  for (let i = text.charCodeAt(0) === 0xfeff ? 1 : 0; i < text.length; i++) {
    const char = text[i];
    if (quoted) {
      if (char !== '"') cell += char;
      else if (text[i + 1] === '"') cell += text[++i];
      else quoted = false;
    } else if (char === '"' && !cell) quoted = true;
    else if (char === ',') {
      row.push(cell);
      cell = '';
    } else if (char === '\n') endRow();
    else if (char !== '\r') cell += char;
  }
  if (cell || row.length) endRow();
  const wide = rows[0]?.length ?? 0;
  if (quoted || wide < 2 || rows.some((one) => one.length > wide)) return null;
  return { rows, total: total - 1 };
}
