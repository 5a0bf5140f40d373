import { describe, expect, it } from 'vitest';
import { Listener, makeNonce, readAnswers, readReport, withoutRecords } from './report';

const nonce = 'NONCE';
const bytes = (text: string) => new TextEncoder().encode(text).buffer as ArrayBuffer;

function listen(chunks: [fd: number, text: string][], limit = 1000) {
  const said: string[] = [];
  const heard = new Listener(nonce, limit, (chunk) => said.push(chunk));
  for (const [fd, text] of chunks) heard.hear(fd, bytes(text));
  heard.close();
  return { heard, said: said.join('') };
}
const whole = (seen = '[]') => `\n${nonce} C []\n\n${nonce} O {"load":null,"seen":${seen}}\n`;

describe('what a program prints', () => {
  it('ends where the harness says so, and is told as it comes', () => {
    const { heard, said } = listen([[1, 'one\n'], [1, 'two'], [1, '\nNON'], [1, 'CE\nby a call']]);
    expect(said).toBe('one\ntwo');
    expect(heard.stdout).toBe('one\ntwo');
  });

  it('may look like the mark and go on', () => {
    expect(listen([[1, 'a\nNON'], [1, 'SENSE\n'], [1, '\nNONCE\n']]).said).toBe('a\nNONSENSE\n');
  });

  it('may end in the middle, and of a letter too', () => {
    const heard = new Listener(nonce, 100, () => undefined);
    const letters = new Uint8Array(bytes('سلام'));
    heard.hear(1, letters.slice(0, 3).buffer);
    heard.hear(1, letters.slice(3).buffer);
    heard.hear(1, bytes('\nNON'));
    heard.close();
    expect(heard.stdout).toBe('سلام\nNON');
  });

  it('is cut off when it is too much', () => {
    const heard = new Listener(nonce, 10, () => undefined);
    heard.hear(1, bytes('x'.repeat(50)));
    expect(heard.flooded).toBe(true);
    expect(readReport(heard, nonce, 0, 10, 'stopped', {}).message).toBe('stopped');
    expect(readReport(heard, nonce, 0, 10, 'exited', {}).message).toBe('flood');
  });
});

describe('a report', () => {
  const read = (stderr: string, calls = 0) => {
    const { heard } = listen([[2, stderr]]);
    return readReport(heard, nonce, calls, 1000, 'exited', {});
  };
  it('is read', () => {
    expect(read(whole('[{"value":["i","1"],"repr":"1"}]'), 1).seen).toEqual([{ value: ['i', '1'], repr: '1' }]);
  });
  it.each<[string, string, number]>([
    ['broken', 'Traceback', 0],
    ['author', `\n${nonce} C [[0,"no"]]\n`, 0],
    ['no_result', `\n${nonce} C []\n`, 0],
    ['memory', `\n${nonce} C []\nMemoryError\n`, 0],
    ['no_result', whole('[]'), 1],
    ['no_result', `\n${nonce} C []\n${nonce} O {"load":["won",""]}\n`, 0],
    ['no_result', `\n${nonce} C []\n${nonce} O 7\n`, 0],
  ])('says %s', (message, stderr, calls) => {
    expect(read(stderr, calls).message).toBe(message);
  });
  it('keeps the first word and the last', () => {
    const stderr = `${nonce} C []\n${nonce} C [[0,"forged"]]\n${nonce} O {"load":["error","forged"],"seen":[]}\n${nonce} O {"load":null,"seen":[]}\n`;
    expect(read(stderr).message).toBeUndefined();
  });
  it('takes from an observation what belongs there', () => {
    expect(read(whole('[{"value":["n"],"output":"forged","repr":7}, null]'), 2).seen).toEqual([{ value: ['n'] }, {}]);
  });
});

it('takes one answer of the second room', () => {
  expect(readAnswers(`x\n${nonce} J [{"score":1}]\n`, nonce, 1)).toEqual([{ score: 1 }]);
  expect(readAnswers(`${nonce} J [{"score":1}]\n${nonce} J [{"score":1}]\n`, nonce, 1)[0]?.error).toBeTruthy();
  expect(readAnswers(`${nonce} J [{"score":1}]\n`, nonce, 2)).toHaveLength(2);
});

it('judges output without what the module banyan printed', () => {
  expect(withoutRecords('a\n\x1e{"kind":"bar"}\nb\x1e{')).toBe('a\nb');
});

it('makes words that differ', () => {
  expect(makeNonce()).toMatch(/^[A-Z2-7]{26}$/);
  expect(makeNonce()).not.toBe(makeNonce());
});
