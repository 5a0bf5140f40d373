// One item of deterministic CBOR (RFC 8949, section 4.2.1), as docs/qr-format.md allows it: integers that JavaScript can count, strings,
// arrays, and maps whose keys are integers. Everything else is refused, and nothing is made larger than what came.
export type Item = number | string | Uint8Array | Item[] | Map<number, Item>;

const deepest = 4;
const most = 16;

/** Reads one item. Undefined: it is not one, or is written in another way than the shortest, or something follows. */
export function readItem(bytes: Uint8Array): Item | undefined {
  let at = 0;
  const fail = (): never => {
    throw new RangeError('cbor');
  };
  const byte = (): number => (at < bytes.length ? (bytes[at++] as number) : fail());
  const head = (): [number, number] => {
    const first = byte();
    const info = first & 31;
    if (info < 24) return [first >> 5, info];
    const size = info > 27 ? fail() : 1 << (info - 24);
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + byte();
    // What fits into fewer bytes must stand in fewer.
    const least = size === 1 ? 24 : 2 ** (size * 4);
    if (value < least || value > Number.MAX_SAFE_INTEGER) fail();
    return [first >> 5, value];
  };
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) fail();
    return bytes.slice(at, (at += length));
  };
  const integer = (major: number, value: number): number => {
    if (major > 1 || (major === 1 && value === Number.MAX_SAFE_INTEGER)) fail();
    return major ? -1 - value : value;
  };
  const read = (depth: number): Item => {
    const [major, value] = head();
    switch (major) {
      case 0:
      case 1:
        return integer(major, value);
      case 2:
        return take(value);
      case 3:
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(take(value));
      case 4: {
        if (value > most || depth >= deepest) fail();
        const list: Item[] = [];
        for (let i = 0; i < value; i++) list.push(read(depth + 1));
        return list;
      }
      case 5: {
        if (value > most || depth >= deepest) fail();
        const map = new Map<number, Item>();
        let before = -1;
        for (let i = 0; i < value; i++) {
          const [kind, number] = head();
          const key = integer(kind, number);
          // In the order of their bytes: 0, 1, 2, … and then -1, -2, ….
          const place = kind ? 2 ** 53 + number : number;
          if (place <= before) fail();
          before = place;
          map.set(key, read(depth + 1));
        }
        return map;
      }
      default:
        return fail();
    }
  };
  try {
    const item = read(0);
    return at === bytes.length ? item : undefined;
  } catch {
    return undefined;
  }
}
