import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { formatDate, formatList, formatNumber, learn } from './words';

// Go reads the same file: internal/i18n/number_test.go.
const file = join(__dirname, '../../../internal/i18n/testdata/numbers.json');
const { numbers, texts } = JSON.parse(readFileSync(file, 'utf8')) as { numbers: number[]; texts: Record<string, string[]> };

afterAll(() => learn({}, 'en'));

it.each(Object.keys(texts))('numbers in %s are written as on the pages of the server', (locale) => {
  learn({}, locale);
  expect(numbers.map((number) => formatNumber(number))).toEqual(texts[locale]);
});

it('takes the digits of the locale, whatever the device', () => {
  learn({}, 'ar');
  expect(formatNumber(3)).toBe('3');
  expect(formatDate('2026-11-23T12:00:00Z')).toBe('23 نوفمبر 2026');
  learn({}, 'fa');
  expect(formatNumber(3)).toBe('۳');
  expect(formatDate('2026-11-23T12:00:00Z')).toMatch(/^۲۳ .* ۲۰۲۶/);
});

it('puts names one after the other', () => {
  learn({}, 'ar');
  expect(formatList(['أ', 'ب'])).toBe('أ وب');
  learn({}, 'zh');
  expect(formatList(['甲', '乙', '丙'])).toBe('甲、乙和丙');
});
