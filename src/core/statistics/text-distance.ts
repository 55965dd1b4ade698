// How far two texts are apart, without keeping either: each is broken into runs of four characters
// (shingles), and what the two multisets do not share is told against what there is.
//
//   distance = 1 - 2 * |A and B| / (|A| + |B|)          (Dice 1945, Sørensen 1948, over multisets)
//
// 0 for texts with the same runs, 1 for texts that share none. It costs time in proportion to the
// lengths, where an edit distance costs their product; a text moved to another place stays near.

import { textHash } from '../../base/text-hash.ts';

const shingleLength = 4;
/** Characters of a text that are looked at: beyond them two answers differ or not long since. */
export const comparedCharactersMax = 65_536;

/** Case and runs of blanks do not count. */
function plain(text: string): string {
  return text.slice(0, comparedCharactersMax).toLowerCase().replace(/\s+/g, ' ').trim();
}

/** Hash of a run -> how often it occurs; a text shorter than a run is one. */
function shinglesOf(text: string): Map<number, number> {
  const runs = new Map<number, number>();
  const last = Math.max(text.length - shingleLength, 0);
  for (let at = 0; at <= last; at++) {
    const hash = textHash(text.slice(at, at + shingleLength));
    runs.set(hash, 1 + (runs.get(hash) ?? 0));
  }
  return runs;
}

/** Whole basis points, 0 to 10 000. */
export function textDistance(a: string, b: string): number {
  const [left, right] = [plain(a), plain(b)];
  if (left === right) return 0;
  if (left === '' || right === '') return 10_000;
  const [runsOfLeft, runsOfRight] = [shinglesOf(left), shinglesOf(right)];
  let shared = 0;
  for (const [hash, count] of runsOfLeft) shared += Math.min(count, runsOfRight.get(hash) ?? 0);
  const all = runCount(left) + runCount(right);
  return Math.round(10_000 * (1 - (2 * shared) / all));
}

function runCount(text: string): number {
  return Math.max(text.length - shingleLength, 0) + 1;
}
