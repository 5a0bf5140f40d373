import { describe, expect, it } from 'vitest';
import { parseNumber } from './number-input';

describe('parseNumber', () => {
  it.each([
    ['80', 80],
    [' 0,5 ', 0.5],
    ['1,000', 1000],
    ['1,234,567.5', 1234567.5],
    ['0,123', 0.123],
    ['12,5', 12.5],
    ['12,50', 12.5],
    ['٨٠', 80],
    ['٠٫٥', 0.5],
    ['١٬٠٠٠', 1000],
    ['۴۵', 45],
    ['७५%', 75],
    ['٧٥٪', 75],
    ['−3', -3],
    ['1 000', 1000],
    ['\u200f٧', 7],
    ['1e3', 1000],
    ['.5', 0.5],
    ['𝟙𝟚', 12],
    ['', null],
    ['ten', null],
    ['1,2,3', null],
    ['1.2.3', null],
    ['3 apples', null],
    ['--3', null],
    ['1e999', null],
  ])('%s', (text, want) => expect(parseNumber(text)).toBe(want));
});
