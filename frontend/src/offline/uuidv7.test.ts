import { describe, expect, it } from 'vitest';
import { uuidv7 } from './uuidv7';

describe('uuidv7', () => {
  it('has the form of RFC 9562', () => {
    const id = uuidv7(0x0192_3456_789a + 2 ** 41);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('begins with the time', () => {
    const now = Date.UTC(2100, 0, 1);
    expect(uuidv7(now).replace(/-/g, '').slice(0, 12)).toBe(now.toString(16).padStart(12, '0'));
  });

  it('sorts in the order of making, also within a millisecond and when the clock goes back', () => {
    const now = Date.UTC(2101, 0, 1);
    const ids = Array.from({ length: 6000 }, (_, i) => uuidv7(i === 10 ? now - 5000 : now));
    expect(ids.slice().sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
