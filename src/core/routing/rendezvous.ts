// The draw of rendezvous hashing: of a key and a name, the same on every machine and in every year.

import { textHash } from '../../base/text-hash.ts';

/** A well-mixed word of 31 bits of a key and a name (FNV-1a, then murmur's finaliser). */
export function drawOf(key: number, name: string): number {
  let hash = textHash(name, key);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 1;
}
