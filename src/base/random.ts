// Seeded pseudo-random numbers: xoshiro128** (Blackman and Vigna 2018), seeded by splitmix32.
// The same seed gives the same numbers on any machine, so chance can be recorded and replayed.

export interface Random {
  /** An integer in [0, 2^32). */
  nextUint32(): number;
  /** A double in [0, 1) with 32 random bits. */
  nextUnit(): number;
  /** An integer in [0, bound); `bound` from 1 to 2^32. Unbiased (rejection). */
  nextBelow(bound: number): number;
}

function splitmix32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
}

function rotateLeft(x: number, k: number): number {
  return ((x << k) | (x >>> (32 - k))) >>> 0;
}

/** A generator started from `seed`, of which the low 32 bits count. */
export function seededRandom(seed: number): Random {
  const expand = splitmix32(seed);
  let a = expand();
  let b = expand();
  let c = expand();
  let d = expand();
  const nextUint32 = (): number => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5) >>> 0, 7), 9) >>> 0;
    const t = (b << 9) >>> 0;
    c = (c ^ a) >>> 0;
    d = (d ^ b) >>> 0;
    b = (b ^ c) >>> 0;
    a = (a ^ d) >>> 0;
    c = (c ^ t) >>> 0;
    d = rotateLeft(d, 11);
    return result;
  };
  return {
    nextUint32,
    nextUnit: () => nextUint32() / 4294967296,
    nextBelow(bound) {
      const limit = 4294967296 - (4294967296 % bound);
      for (;;) {
        const draw = nextUint32();
        if (draw < limit) return draw % bound;
      }
    },
  };
}
