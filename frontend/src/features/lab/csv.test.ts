import { describe, expect, it } from 'vitest';
import { parseCSV } from './csv';

describe('a data file as a table', () => {
  it('reads cells, quotes and both ends of lines', () => {
    expect(parseCSV('a,b\r\n1,"x, ""y""\nz"\n,\n', 10)).toEqual({ rows: [['a', 'b'], ['1', 'x, "y"\nz'], ['', '']], total: 2 });
    expect(parseCSV('\ufeffa,b\n1,2', 10)?.rows[0]).toEqual(['a', 'b']);
  });

  it('shows a part and counts all', () => {
    const found = parseCSV(`a,b\n${'1,2\n'.repeat(1000)}`, 200);
    expect(found?.rows).toHaveLength(201);
    expect(found?.total).toBe(1000);
  });

  it('leaves as text what is no table', () => {
    expect(parseCSV('one line\nanother', 10)).toBeNull();
    expect(parseCSV('a,b\n1,2,3', 10)).toBeNull();
    expect(parseCSV('a,b\n"open', 10)).toBeNull();
    expect(parseCSV('', 10)).toBeNull();
  });
});
