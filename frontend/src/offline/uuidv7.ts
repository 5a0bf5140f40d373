// UUIDv7 (RFC 9562): whoever makes a thing names it, so that a repeat is harmless.
// crypto.randomUUID is newer than the oldest phones that we serve, and gives version 4.

let lastTime = 0;
let counter = 0;

/** A new id. Ids made one after another on a device sort in that order, even within a millisecond. */
export function uuidv7(now: number = Date.now(), random: (bytes: Uint8Array) => Uint8Array = fromCrypto): string {
  const bytes = random(new Uint8Array(16));
  if (now > lastTime) {
    lastTime = now;
    // Start low in the 12 bits, to leave room to count up.
    counter = (((bytes[6] as number) & 0x07) << 8) | (bytes[7] as number);
  } else if (++counter > 0xfff) {
    lastTime++;
    counter = 0;
  }
  let time = lastTime;
  for (let i = 5; i >= 0; i--) {
    bytes[i] = time % 256;
    time = Math.floor(time / 256);
  }
  bytes[6] = 0x70 | (counter >> 8);
  bytes[7] = counter & 0xff;
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function fromCrypto(bytes: Uint8Array): Uint8Array {
  return crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);
}
