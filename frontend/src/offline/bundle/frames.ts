// Packs (docs/bundle-format.md): frames in one gzip stream, read one by one. One frame at most is in memory, and it grows as bytes come,
// not as its length promises.
import { frameLimit, signedLimit } from './documents';
import { BundleError } from './fault';

export type FrameKind = 'P' | 'T' | 'R' | 'B';
export interface Frame {
  kind: FrameKind;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Every pack begins so: deflate, no name, no time, best compression, no system. */
const header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff];
const magic = 'BANYAN1\n';

/**
 * Reads a pack to its end. It is over without an error only when all was there and nothing more; throws BundleError not_a_bundle, truncated
 * or damaged, and what the source throws as it is.
 */
export async function* frames(source: ReadableStream<Uint8Array>): AsyncGenerator<Frame, void, void> {
  const inflated = inflate(source);
  try {
    const { take, over } = taker(inflated.read);
    if (String.fromCharCode(...(await take(magic.length))) !== magic) throw new BundleError('not_a_bundle');
    for (let count = 0; ; count++) {
      const head = new DataView((await take(5)).buffer);
      const kind = String.fromCharCode(head.getUint8(0));
      const length = head.getUint32(1);
      if (kind === 'E') {
        if (length !== 4 || new DataView((await take(4)).buffer).getUint32(0) !== count) throw new BundleError('damaged');
        if (!(await over())) throw new BundleError('damaged');
        return;
      }
      if (kind !== 'B' && kind !== 'P' && kind !== 'T' && kind !== 'R') throw new BundleError('damaged');
      if (length > (kind === 'B' ? frameLimit : signedLimit)) throw new BundleError('damaged');
      yield { kind, bytes: await take(length) };
    }
  } finally {
    inflated.close();
  }
}

/** Gathers exactly so many bytes from pieces of any size. */
function taker(read: () => Promise<Uint8Array | undefined>): { take: (n: number) => Promise<Uint8Array<ArrayBuffer>>; over: () => Promise<boolean> } {
  let left: Uint8Array = new Uint8Array(0);
  const take = async (n: number) => {
    const parts: Uint8Array[] = [];
    let missing = n;
    while (missing > left.length) {
      parts.push(left);
      missing -= left.length;
      const next = await read();
      // The gzip stream is whole: so this is no cut, it was made wrong.
      if (!next) throw new BundleError('damaged');
      left = next;
    }
    parts.push(left.subarray(0, missing));
    left = left.subarray(missing);
    const whole = new Uint8Array(n);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  };
  return { take, over: async () => !left.length && !(await read()) };
}

interface Inflated {
  /** The next bytes, undefined at an end that was meant. */
  read: () => Promise<Uint8Array | undefined>;
  close: () => void;
}

function inflate(source: ReadableStream<Uint8Array>): Inflated {
  const gunzip = new DecompressionStream('gzip');
  const out = gunzip.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const writer = gunzip.writable.getWriter() as WritableStreamDefaultWriter<Uint8Array>;
  writer.closed.catch(() => undefined);
  const from = source.getReader();
  let failed: { cause: unknown } | undefined;
  let closing = false;

  // By hand and not by pipeThrough: what fails at a write is wrong, what fails at the end is cut short.
  const feed = async () => {
    let seen = 0;
    for (;;) {
      const { done, value } = await from.read();
      if (done) break;
      for (let i = 0; seen < header.length && i < value.length; i++, seen++) {
        if (value[i] !== header[seen]) throw new BundleError('not_a_bundle');
      }
      await writer.write(value).catch(() => {
        throw new BundleError('damaged');
      });
    }
    if (seen < header.length) throw new BundleError('truncated');
    closing = true;
    await writer.close().catch(() => {
      throw new BundleError('truncated');
    });
  };
  feed().catch((cause: unknown) => {
    failed = failed ?? { cause };
    writer.abort(cause).catch(() => undefined);
    from.cancel(cause).catch(() => undefined);
  });
  return {
    read: async () => {
      try {
        const { done, value } = await out.read();
        if (!done) return value;
      } catch {
        // Who feeds may know why. Not waited for: where a stream broke, a write into it need not ever end.
        failed = failed ?? { cause: new BundleError(closing ? 'truncated' : 'damaged') };
      }
      if (failed) throw failed.cause;
      return undefined;
    },
    close: () => {
      out.cancel().catch(() => undefined);
      from.cancel().catch(() => undefined);
    },
  };
}
