// Reads a number as people write it, by the rules of internal/curriculum/quiz/answer.go.

const digitOrOther = /\p{Nd}/u;

/** The decimal digits of every script as 0 to 9. Unicode keeps the ten of a script together, from zero up. */
export function latinDigits(text: string): string {
  return Array.from(text, (char) => {
    const code = char.codePointAt(0) as number;
    if (code < 0x80 || !digitOrOther.test(char)) return char;
    let start = code;
    while (digitOrOther.test(String.fromCodePoint(start - 1))) start--;
    return String((code - start) % 10);
  }).join('');
}

/** The number, or null when the text is none. `0,5` is a half; a comma that can part thousands does. */
export function parseNumber(text: string): number | null {
  let plain = latinDigits(text)
    .replace(/[\s\u0085\p{Cf}%٪％٬'’]/gu, '')
    .replace(/[−–﹣－]/g, '-')
    .replace(/＋/g, '+')
    .replace(/[٫．]/g, '.')
    .replace(/[،，]/g, ',');
  if (/^[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?$/.test(plain)) plain = plain.replace(/,/g, '');
  else if (plain.split(',').length === 2 && !plain.includes('.')) plain = plain.replace(',', '.');
  if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$/.test(plain)) return null;
  const number = Number(plain);
  return Number.isFinite(number) ? number : null;
}
