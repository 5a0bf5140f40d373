// What a run sees of chance and time, the same on every machine and in the grader (internal/lab/sandbox).

/** The bytes of splitmix64, each output eight bytes, little end first, in one sequence. */
export function splitmix64(seed: number): (into: Uint8Array) => void {
  const mask = (BigInt(1) << BigInt(64)) - BigInt(1);
  let state = BigInt(seed) & mask;
  const word = new DataView(new ArrayBuffer(8));
  let at = 8;
  const next = () => {
    state = (state + BigInt('0x9e3779b97f4a7c15')) & mask;
    let z = state;
    z = ((z ^ (z >> BigInt(30))) * BigInt('0xbf58476d1ce4e5b9')) & mask;
    z = ((z ^ (z >> BigInt(27))) * BigInt('0x94d049bb133111eb')) & mask;
    word.setBigUint64(0, z ^ (z >> BigInt(31)), true);
    at = 0;
  };
  return (into) => {
    for (let i = 0; i < into.length; i++) {
      if (at === 8) next();
      into[i] = word.getUint8(at++);
    }
  };
}

/** A clock that starts at a time, in milliseconds, and moves one at each look. */
export function clock(start: number): () => number {
  let looks = 0;
  return () => start + looks++;
}
