// FNV-1a over the UTF-16 code units of a text: a quick hash for tables and draws, not for secrets.

const offsetBasis = 0x811c9dc5;
const prime = 0x01000193;

/** 32 bits, unsigned; `seed` makes another hash of the same text. */
export function textHash(text: string, seed = 0): number {
  let hash = (offsetBasis ^ seed) >>> 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), prime);
  return hash >>> 0;
}
