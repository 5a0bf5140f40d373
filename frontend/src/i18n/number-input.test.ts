import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseNumber } from './number-input';

// Shared with the server, which reads the same.
const pairs = JSON.parse(readFileSync(join(process.cwd(), '../internal/curriculum/quiz/testdata/numbers.json'), 'utf8')) as { in: string; want: number | null }[];

describe('parseNumber', () => {
  it.each(pairs.map((pair) => [pair.in, pair.want]))('%j', (text, want) => expect(parseNumber(text as string)).toBe(want));

  // What the page writes into a field it reads again, in every script's digits.
  it.each(['arab', 'arabext', 'deva', 'beng', 'latn', 'fullwide', 'thai', 'adlm'])('what is written in %s', (digits) => {
    for (const number of [0, 7, -3, 0.5, 80.25, 1234567.125, -0.000125]) {
      for (const locale of ['ar', 'fa', 'de', 'en', 'hi']) {
        const text = new Intl.NumberFormat(`${locale}-u-nu-${digits}`, { useGrouping: false, maximumFractionDigits: 15 }).format(number);
        expect([text, parseNumber(text)]).toEqual([text, number]);
      }
    }
  });
});
