// "Did you mean": the known word that a mistyped one most likely stands for. Distance is optimal
// string alignment (insert, delete, replace, swap neighbours), because swapped letters are the most
// common slip. A word further away than a third of its length is no help and is not offered.

import { compareText } from '../base/compare.ts';

/** Edits that turn `a` into `b`; a swap of two neighbours counts as one. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replace = (last[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      let best = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, replace);
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2];
      if (isSwap && a[row - 2] === b[column - 1]) {
        best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}

/** The known word nearest to `word`, ties by code unit; undefined when none is near enough. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  // A prefix is the other common slip: the right word, not typed to its end.
  const furthest = Math.max(1, Math.ceil(wanted.length / 3));
  let best: string | undefined;
  let bestDistance = Number.MAX_SAFE_INTEGER;
  for (const candidate of [...known].sort(compareText)) {
    const isPrefix = wanted.length >= 3 && candidate.toLowerCase().startsWith(wanted);
    const distance = isPrefix ? 1 : editDistance(wanted, candidate.toLowerCase());
    if (distance <= furthest && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
