// A file as a sequence of QR codes: BW1/<i>/<n>/<crc32>/<base45>, where i counts from 1 and the sum is that of the whole file, in eight
// hexadecimal digits. Codes are shown round and round, and may be read in any order, some of them twice.
import { decode, encode } from './base45';

/** Bytes of one code: large enough to be few, small enough for a cheap camera. */
const piece = 360;
const most = 2000;

let table: Uint32Array | undefined;

export function crc32(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    return c >>> 0;
  });
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (sum >>> 8) ^ (table[(sum ^ byte) & 0xff] as number);
  return (sum ^ 0xffffffff) >>> 0;
}

const hex = (sum: number) => sum.toString(16).toUpperCase().padStart(8, '0');

/** The texts of the codes of a file. */
export function frames(file: Uint8Array): string[] {
  const sum = hex(crc32(file));
  const n = Math.max(1, Math.ceil(file.length / piece));
  return Array.from({ length: n }, (_, i) => `BW1/${i + 1}/${n}/${sum}/${encode(file.subarray(i * piece, (i + 1) * piece))}`);
}

/** Puts codes together as they are read. */
export class Collector {
  /** How many codes the file has; 0 while none was read. */
  total = 0;
  private sum = '';
  private readonly parts = new Map<number, Uint8Array>();

  get read(): number {
    return this.parts.size;
  }

  /** Takes a code. Says whether it was news: false for one that is known, or is none of ours. A code of another file begins anew. */
  add(text: string): boolean {
    const found = /^BW1\/(\d{1,4})\/(\d{1,4})\/([0-9A-Fa-f]{8})\/([\s\S]*)$/.exec(text);
    if (!found) return false;
    const [i, n] = [Number(found[1]), Number(found[2])];
    const sum = (found[3] as string).toUpperCase();
    const bytes = decode(found[4] as string);
    if (!bytes || i < 1 || i > n || n > most) return false;
    if (sum !== this.sum || n !== this.total) {
      this.parts.clear();
      this.sum = sum;
      this.total = n;
    }
    if (this.parts.has(i)) return false;
    this.parts.set(i, bytes);
    return true;
  }

  /** The file, once all of it was read; undefined before that. What was misread is forgotten, and is to be read again. */
  file(): Uint8Array | undefined {
    if (!this.total || this.parts.size < this.total) return undefined;
    const all = Array.from({ length: this.total }, (_, i) => this.parts.get(i + 1) as Uint8Array);
    const out = new Uint8Array(all.reduce((sum, one) => sum + one.length, 0));
    let at = 0;
    for (const one of all) {
      out.set(one, at);
      at += one.length;
    }
    if (hex(crc32(out)) === this.sum) return out;
    this.parts.clear();
    return undefined;
  }
}
