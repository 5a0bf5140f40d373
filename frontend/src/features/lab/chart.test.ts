import { describe, expect, it } from 'vitest';
import { cut, every, largest, path, place, plain, scaleOf } from './chart';

describe('scales', () => {
  it.each([
    [[0, 10], [0, 2, 4, 6, 8, 10]],
    [[3, 97], [0, 20, 40, 60, 80, 100]],
    [[0.001, 0.0042], [0.001, 0.002, 0.003, 0.004, 0.005]],
    [[-5, 5], [-6, -4, -2, 0, 2, 4, 6]],
    [[7], [2, 4, 6, 8, 10, 12]],
    [[null], [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [[], [0, 0.2, 0.4, 0.6, 0.8, 1]],
  ])('%j', (values, steps) => expect(scaleOf(values, 5).steps).toEqual(steps));

  it('reaches down to zero for bars', () => {
    expect(scaleOf([61, 64], 4, true).low).toBe(0);
    expect(scaleOf([-3, -1], 4, true)).toMatchObject({ low: -3, high: 0 });
    expect(scaleOf([0, 0], 4, true)).toMatchObject({ low: 0, high: 1 });
  });

  it('holds what it was made for, however odd', () => {
    for (const values of [[largest, -largest], [5e-324, 0], [1e15, 1e15 + 1], [1e17, 1e17 + 16], [0.1, 0.1], [-0.5, -0.5]]) {
      const scale = scaleOf(values, 5);
      expect(scale.low).toBeLessThan(scale.high);
      for (const value of values) {
        expect(value).toBeGreaterThanOrEqual(scale.low);
        expect(value).toBeLessThanOrEqual(scale.high);
        expect(Number.isFinite(place(scale, value, 200, 0)), `${value}`).toBe(true);
      }
      expect(scale.steps.length).toBeLessThan(60);
    }
  });

  it('puts values between two places', () => {
    const scale = scaleOf([0, 10], 5);
    expect([0, 5, 10].map((value) => place(scale, value, 200, 20))).toEqual([200, 110, 20]);
  });
});

describe('what is written and drawn', () => {
  it('writes numbers short', () => {
    expect([0.1 + 0.2, 1234567, -3, 1e21, 2 / 3].map(plain)).toEqual(['0.3', '1234570', '\u22123', '1e+21', '0.666667']);
  });

  it('breaks a line where there is nothing', () => {
    expect(path([[0, 1], [2, 3], null, [4, 5]])).toBe('M0 1L2 3M4 5');
    expect(path([null, null])).toBe('');
  });

  it('leaves out labels that would touch', () => {
    expect(every(10, 100, 10)).toBe(1);
    expect(every(100, 100, 10)).toBe(10);
    expect(cut('maize and beans', 70)).toBe('maize and…');
  });
});
