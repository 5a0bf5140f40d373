// Makes bundles for tests, as Go does (internal/bundle): small courses, packs, and bytes in streams of any pieces.
import { gzipSync } from 'node:zlib';
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

export type Bytes = Uint8Array<ArrayBuffer>;

export const bytesOf = (text: string): Bytes => new TextEncoder().encode(text);
export const digestNow = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** A publisher's key. */
export interface Key {
  multikey: string;
  sign: (message: Uint8Array) => Buffer;
}

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

export function multikey(raw: Uint8Array): string {
  let n = BigInt(`0xed01${Buffer.from(raw).toString('hex')}`);
  let text = '';
  for (; n > 0n; n /= 58n) text = alphabet.charAt(Number(n % 58n)) + text;
  return `z${text}`;
}

export function newKey(): Key {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url');
  return { multikey: multikey(raw), sign: (message) => sign(null, message, privateKey as KeyObject) };
}

export function signed(type: string, document: object, ...keys: Key[]): string {
  const line = JSON.stringify(document);
  const message = bytesOf(`banyan/${type}/1\n${line}`);
  return `${line}\n${JSON.stringify(keys.map((key) => ({ key: key.multikey, signature: key.sign(message).toString('base64url') })))}\n`;
}

export interface RawFrame {
  kind: string;
  bytes: Uint8Array;
}

export function rawPack(frames: RawFrame[], count = frames.length, after = new Uint8Array(0)): Bytes {
  const parts: Uint8Array[] = [bytesOf('BANYAN1\n')];
  const end = Buffer.alloc(4);
  end.writeUInt32BE(count);
  for (const { kind, bytes } of [...frames, { kind: 'E', bytes: end }]) {
    const head = Buffer.alloc(5);
    head.write(kind, 'latin1');
    head.writeUInt32BE(bytes.length, 1);
    parts.push(head, bytes);
  }
  return gzip(Buffer.concat([...parts, after]));
}

export function gzip(bytes: Uint8Array): Bytes {
  const zipped = gzipSync(bytes, { level: 9 });
  zipped[8] = 2;
  zipped[9] = 0xff;
  return Uint8Array.from(zipped);
}

/** Bytes as a stream of pieces of so many. */
export function stream(bytes: Uint8Array, piece = 1000): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, (at += piece)));
    },
  });
}
