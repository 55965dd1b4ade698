// The same answers by other means: each oracle is slower and plainer than the product, takes nothing
// from it, and follows the definition of the operation, not a known way to compute it.

import type { Series } from './series.ts';

type Edge = readonly [from: number, to: number];

/** A small directed graph; some edges name nodes that do not exist, some are loops. */
export function smallGraph(next: Series): { readonly nodes: number; readonly edges: Edge[] } {
  const nodes = 1 + next(6);
  const count = next(nodes + 3);
  const edges = Array.from({ length: count }, (): Edge => [next(nodes + 1), next(nodes + 1)]);
  return { nodes, edges };
}

/** Does some walk along the edges come back to where it began? Depth first, from every node. */
export function hasCycle(edges: readonly Edge[], nodes: number): boolean {
  const exists = (node: number): boolean => node >= 0 && node < nodes;
  const real = edges.filter(([from, to]) => exists(from) && exists(to));
  const comesBack = (start: number, node: number, seen: ReadonlySet<number>): boolean =>
    real.some(
      ([from, to]) =>
        from === node &&
        (to === start || (!seen.has(to) && comesBack(start, to, new Set([...seen, to])))),
    );
  for (let node = 0; node < nodes; node += 1) {
    if (comesBack(node, node, new Set([node]))) return true;
  }
  return false;
}

/**
 * The first `count` items of a ranking, without sorting: an item's place is the number of others
 * that beat it. `beats` is a total order.
 */
export function bestByCounting<T>(
  items: readonly T[],
  count: number,
  beats: (a: T, b: T) => boolean,
): T[] {
  const places: T[] = [];
  for (const item of items) {
    const place = items.filter((other) => beats(other, item)).length;
    if (place < count) places[place] = item;
  }
  return places;
}

/** Nearest rank: the smallest value that at least `pct` per cent of all values do not exceed. */
export function nearestRank(values: readonly number[], pct: number): number {
  const covering = values.filter(
    (value) => values.filter((other) => other <= value).length * 100 >= pct * values.length,
  );
  return Math.min(...covering);
}

/** The sample variance in two passes: first the mean, then the squared deviations from it. */
export function twoPassVariance(values: readonly number[]): number {
  if (values.length < 2) return 0;
  let total = 0;
  for (const value of values) total += value;
  const mean = total / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) * (value - mean);
  return squares / (values.length - 1);
}

type Versioned = { readonly id: string; readonly sequence: number };

/** Of each id the item that no other item of that id exceeds in sequence, by sequence, then id. */
export function newestOfEach<T extends Versioned>(events: readonly T[]): T[] {
  const newest = events.filter(
    (event, at) =>
      !events.some(
        (other, place) =>
          other.id === event.id &&
          (other.sequence > event.sequence || (other.sequence === event.sequence && place < at)),
      ),
  );
  return bestByCounting(
    newest,
    newest.length,
    (a, b) => a.sequence < b.sequence || (a.sequence === b.sequence && a.id < b.id),
  );
}

/** Every node that one or more steps along the pairs lead to, in ascending order. */
export function closure(
  pairs: readonly (readonly [string, string])[],
  start: string,
): readonly string[] {
  const found = new Set<string>();
  for (let grew = true; grew; ) {
    grew = false;
    for (const [from, to] of pairs) {
      if ((from === start || found.has(from)) && !found.has(to)) {
        found.add(to);
        grew = true;
      }
    }
  }
  return [...found].sort();
}
