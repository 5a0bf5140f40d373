import { describe, expect, it } from 'vitest';
import { lastLine, splitTraceback } from './trace';

const text = 'Traceback (most recent call last):\n  File "main.py", line 7\n    f()\n  File "main.py", line 3, in f\n    1 / 0\nZeroDivisionError: division by zero';

describe('a traceback', () => {
  it('finds the lines of the learner, and loses nothing', () => {
    const parts = splitTraceback(text, 'main.py');
    expect(parts.filter((part) => typeof part !== 'string')).toEqual([{ text: 'line 7', line: 7 }, { text: 'line 3', line: 3 }]);
    expect(parts.map((part) => (typeof part === 'string' ? part : part.text)).join('')).toBe(text);
    expect(lastLine(text, 'main.py')).toBe(3);
  });

  it('leaves other files and words alone', () => {
    expect(lastLine('  File "other.py", line 3\nError: File "main.py" line 9', 'main.py')).toBe(0);
    expect(splitTraceback('nothing', 'main.py')).toEqual(['nothing']);
    expect(lastLine('  File "/main.py", line 4', 'main.py')).toBe(4);
  });
});
