// Goal: a cycle is told from its absence (ruling C1: true means that there is one). Method: rows of
// A.2; then random graphs against a search in depth, which shares nothing with Kahn's algorithm.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { type DependencyEdge, dependencyOrder, detectCycle } from './dependency-order.ts';

test('a graph has a cycle or has none', () => {
  const rows: readonly (readonly [string, readonly DependencyEdge[], number, boolean])[] = [
    ['no node', [], 0, false],
    ['no node, but edges', [[0, 0]], 0, false],
    ['no edge', [], 3, false],
    [
      'a path',
      [
        [0, 1],
        [1, 2],
      ],
      3,
      false,
    ],
    [
      'a circle',
      [
        [0, 1],
        [1, 2],
        [2, 0],
      ],
      3,
      true,
    ],
    [
      'two in a circle beside a path',
      [
        [0, 1],
        [2, 3],
        [3, 2],
      ],
      4,
      true,
    ],
    ['an edge to itself', [[1, 1]], 2, true],
    [
      'a diamond',
      [
        [0, 1],
        [0, 2],
        [1, 3],
        [2, 3],
      ],
      4,
      false,
    ],
    [
      'an edge twice',
      [
        [0, 1],
        [0, 1],
      ],
      2,
      false,
    ],
    [
      'a circle through a node outside',
      [
        [0, 5],
        [5, 0],
      ],
      3,
      false,
    ],
    [
      'a circle through a negative node',
      [
        [0, -1],
        [-1, 0],
      ],
      3,
      false,
    ],
    [
      'a circle through a fraction',
      [
        [0, 0.5],
        [0.5, 0],
      ],
      3,
      false,
    ],
  ];
  for (const [name, edges, nodeCount, has] of rows) {
    assert.equal(detectCycle(edges, nodeCount), has, name);
  }
});

test('among the nodes that are ready the smallest comes first, and cycles are left out', () => {
  assert.deepEqual(dependencyOrder([], 3), [0, 1, 2]);
  assert.deepEqual(
    dependencyOrder(
      [
        [3, 0],
        [2, 1],
      ],
      4,
    ),
    [2, 1, 3, 0],
  );
  assert.deepEqual(
    dependencyOrder(
      [
        [0, 1],
        [1, 2],
        [2, 1],
        [2, 3],
      ],
      5,
    ),
    [0, 4],
  );
});

/** Is a node reached again while its own search is still open? */
function cycleInDepth(edges: readonly DependencyEdge[], nodeCount: number): boolean {
  const state = new Map<number, 'open' | 'done'>();
  const leadsBack = (node: number): boolean => {
    const known = state.get(node);
    if (known !== undefined) return known === 'open';
    state.set(node, 'open');
    const found = edges.some(([from, to]) => from === node && to < nodeCount && leadsBack(to));
    state.set(node, 'done');
    return found;
  };
  return Array.from({ length: nodeCount }, (_, node) => node).some(leadsBack);
}

const graph = fc
  .nat(8)
  .chain((nodeCount) =>
    fc.tuple(fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 10 }), fc.constant(nodeCount)),
  );

holds(
  'the answer is that of a search in depth',
  fc.property(graph, ([edges, nodeCount]) => {
    assert.equal(detectCycle(edges, nodeCount), cycleInDepth(edges, nodeCount));
  }),
);

holds(
  'every node of the order comes after all that it needs, whatever the order of the edges',
  fc.property(graph, ([edges, nodeCount]) => {
    const order = dependencyOrder(edges, nodeCount);
    assert.deepEqual(dependencyOrder(edges.toReversed(), nodeCount), order);
    for (const [before, after] of edges) {
      const at = order.indexOf(after);
      if (at < 0 || before >= nodeCount) continue;
      const needed = order.indexOf(before);
      assert.ok(needed >= 0 && needed < at, `${before} before ${after} in ${order}`);
    }
  }),
);
