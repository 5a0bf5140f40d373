// Base45 (RFC 9285): bytes in the letters that QR codes hold best.
const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';

export function encode(bytes: Uint8Array): string {
  let out = '';
  for (let at = 0; at < bytes.length; at += 2) {
    const two = at + 1 < bytes.length;
    let value = two ? (bytes[at] as number) * 256 + (bytes[at + 1] as number) : (bytes[at] as number);
    for (let i = 0; i < (two ? 3 : 2); i++) {
      out += letters[value % 45];
      value = Math.floor(value / 45);
    }
  }
  return out;
}

/** The bytes again; undefined for what is not Base45. */
export function decode(text: string): Uint8Array | undefined {
  if (text.length % 3 === 1) return undefined;
  const out: number[] = [];
  for (let at = 0; at < text.length; at += 3) {
    const part = text.slice(at, at + 3);
    let value = 0;
    for (let i = part.length - 1; i >= 0; i--) {
      const digit = letters.indexOf(part[i] as string);
      if (digit < 0) return undefined;
      value = value * 45 + digit;
    }
    if (value > (part.length === 3 ? 0xffff : 0xff)) return undefined;
    if (part.length === 3) out.push(value >> 8);
    out.push(value & 0xff);
  }
  return Uint8Array.from(out);
}
