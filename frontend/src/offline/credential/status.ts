// Status lists (W3C Bitstring Status List 1.0), as blobs that a word on issuers names by their digest: so the publisher's signature covers them.
const smallest = 131_072 / 8;
const largest = 4 * 1024 * 1024;

export interface Status {
  set: boolean;
  /** When the issuer signed the list. */
  signedAt: string;
}

/** Reads a place of a list. Undefined where the list is not that of this issuer, address and purpose, or is not in order. */
export async function readStatus(list: ArrayBuffer, issuer: string, address: string, purpose: string, index: number): Promise<Status | undefined> {
  try {
    const { id, issuer: by, type, validFrom, credentialSubject: subject } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(list)) as Record<string, unknown>;
    const { type: kind, statusPurpose, encodedList } = subject as Record<string, unknown>;
    const right =
      by === issuer &&
      id === address &&
      (type as unknown[]).indexOf('BitstringStatusListCredential') >= 0 &&
      kind === 'BitstringStatusList' &&
      statusPurpose === purpose &&
      typeof encodedList === 'string' &&
      typeof validFrom === 'string';
    if (!right) return undefined;
    const bits = await unpack(encodedList as string);
    if (index >= bits.length * 8) return undefined;
    // Place 0 is the leftmost bit.
    return { set: (((bits[index >> 3] as number) >> (7 - (index & 7))) & 1) === 1, signedAt: validFrom as string };
  } catch {
    return undefined;
  }
}

/** Multibase u, base64url, gzip. What would become larger than any list is given up before it has. */
async function unpack(encoded: string): Promise<Uint8Array> {
  if (!/^u[A-Za-z0-9_-]+$/.test(encoded)) throw new RangeError('status');
  const packed = Uint8Array.from(atob(encoded.slice(1).replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const reader = (new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip')) as ReadableStream<Uint8Array>).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    if ((size += value.length) > largest) {
      await reader.cancel();
      throw new RangeError('status');
    }
  }
  if (size < smallest) throw new RangeError('status');
  const bits = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bits.set(part, at);
    at += part.length;
  }
  return bits;
}
