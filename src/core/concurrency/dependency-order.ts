// An order in which everything comes after what it needs, by Kahn's algorithm ("Topological sorting
// of large networks", 1962), and from it the question whether there is such an order at all.
//
// A node is *ready* when all that it needs is placed. Whatever lies on a cycle, or needs something
// on one, never gets ready; so what is left out at the end tells of a cycle.

/** `after` needs `before`; both are node numbers. */
export type DependencyEdge = readonly [before: number, after: number];

/** Puts `node` into `ready`, which descends, so that the smallest is at the end. */
function insert(ready: number[], node: number): void {
  let low = 0;
  let high = ready.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((ready[middle] ?? 0) > node) low = middle + 1;
    else high = middle;
  }
  ready.splice(low, 0, node);
}

/**
 * The nodes 0..nodeCount-1, each after all that it needs; among those that are ready always the
 * smallest number, so the order is the same everywhere. Nodes on or behind a cycle are left out.
 * Edges that name another node are ignored.
 */
export function dependencyOrder(
  edges: readonly DependencyEdge[],
  nodeCount: number,
): readonly number[] {
  const needs = new Array<number>(nodeCount).fill(0);
  const followers = new Map<number, number[]>();
  for (const [before, after] of edges) {
    if (!Object.hasOwn(needs, before) || !Object.hasOwn(needs, after)) continue;
    needs[after] = (needs[after] ?? 0) + 1;
    const known = followers.get(before);
    if (known === undefined) followers.set(before, [after]);
    else known.push(after);
  }
  const ready: number[] = [];
  for (let node = nodeCount - 1; node >= 0; node -= 1) if (needs[node] === 0) ready.push(node);
  const order: number[] = [];
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    order.push(node);
    for (const follower of followers.get(node) ?? []) {
      const left = (needs[follower] ?? 0) - 1;
      needs[follower] = left;
      if (left === 0) insert(ready, follower);
    }
  }
  return order;
}

/**
 * Does the directed graph on 0..nodeCount-1 have a cycle? An edge from a node to itself is one;
 * edges that name another node are ignored; no node, no cycle.
 */
export function detectCycle(edges: readonly DependencyEdge[], nodeCount: number): boolean {
  return dependencyOrder(edges, nodeCount).length !== nodeCount;
}
