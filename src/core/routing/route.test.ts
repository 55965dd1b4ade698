// Goal: the fastest open route wins, in whatever order routes are listed. Method: the rows of A.11,
// the rows of incident 001 (E.1), then random route sets.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { meetsSlo } from '../policy/risk.ts';
import {
  bestRoute,
  compareRoutes,
  failover,
  isAvailable,
  type Route,
  selectRoute,
} from './route.ts';

function route(endpoint: string, latencyMs: number): Route {
  return { endpoint, latencyMs };
}

const none: ReadonlySet<string> = new Set();
const east = route('inference-us-east-1', 12);
const west = route('inference-us-west-2', 847);
const central = route('inference-eu-central-1', 203);
const incident = [east, west, central];

test('E.1 row 1: with nothing blocked the fastest is selected', () => {
  assert.deepEqual(selectRoute(incident, none), east);
});

test('E.1 row 2: with the fastest blocked the next one is', () => {
  assert.deepEqual(selectRoute(incident, new Set([east.endpoint])), central);
});

test('E.1 row 3: with all blocked none is selected, never a blocked one', () => {
  const blocked = new Set(incident.map(({ endpoint }) => endpoint));
  assert.equal(selectRoute(incident, blocked), undefined);
});

test('E.1 row 4: what is selected keeps the objective of 500 ms, the slowest does not', () => {
  const sloMs = 500;
  const selected = selectRoute(incident, none);
  assert.ok(selected !== undefined && meetsSlo(selected.latencyMs, sloMs));
  assert.ok(!meetsSlo(west.latencyMs, sloMs));
});

test('E.1 row 5: all six permutations select the same', () => {
  for (const [a, b, c] of [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ] as const) {
    const listed = [incident[a], incident[b], incident[c]].filter((one) => one !== undefined);
    assert.equal(listed.length, 3);
    assert.deepEqual(selectRoute(listed, none), east, `${a} ${b} ${c}`);
  }
});

test('a selection drops blocked and negative latencies, admits 0 and breaks ties by endpoint', () => {
  assert.deepEqual(selectRoute([route('a', -1), route('b', 5)], none), route('b', 5));
  assert.deepEqual(selectRoute([route('a', 3), route('b', 0)], none), route('b', 0));
  assert.deepEqual(selectRoute([route('b', 5), route('B', 5), route('a', 5)], none), route('B', 5));
  assert.equal(selectRoute([route('a', -1)], none), undefined);
  assert.equal(selectRoute([route('a', Number.NaN)], none), undefined);
  assert.equal(selectRoute([], none), undefined);
});

test('the best route has the lowest latency, then the first endpoint; of none there is none', () => {
  assert.deepEqual(bestRoute([route('b', 2), route('a', 2), route('c', 3)]), route('a', 2));
  assert.deepEqual(bestRoute([route('a', Number.NaN), route('b', 9)]), route('b', 9));
  assert.equal(bestRoute([]), undefined);
});

test('routes compare by latency, then by endpoint', () => {
  assert.ok(compareRoutes(route('b', 1), route('a', 2)) < 0);
  assert.ok(compareRoutes(route('a', 2), route('b', 2)) < 0);
  assert.ok(compareRoutes(route('a', 10), route('a', 9)) > 0);
  assert.equal(compareRoutes(route('a', 2), route('a', 2)), 0);
});

test('a failover takes the first route listed that is not the primary, however slow', () => {
  assert.deepEqual(failover([east, west, central], east.endpoint), west);
  assert.deepEqual(failover([west, east], east.endpoint), west);
  assert.equal(failover([east], east.endpoint), undefined);
  assert.equal(failover([], east.endpoint), undefined);
});

test('C7: a latency of 0 is no measurement and so not available, although a selection admits it', () => {
  const rows = [
    [1, none, true],
    [0, none, false],
    [-1, none, false],
    [Number.NaN, none, false],
    [1, new Set(['a']), false],
    [1, new Set(['b']), true],
  ] as const;
  for (const [latencyMs, blocked, available] of rows) {
    assert.equal(isAvailable(route('a', latencyMs), blocked), available, String(latencyMs));
  }
});

const routeSet = fc.uniqueArray(
  fc.record(
    {
      endpoint: fc.constantFrom('a', 'b', 'c', 'B', 'é', 'z9', 'z10'),
      latencyMs: fc.integer({ min: 1, max: 5 }),
    },
    { noNullPrototype: true },
  ),
  { selector: ({ endpoint }) => endpoint, minLength: 1 },
);

holds(
  'E.1 row 6: selection, best route and comparator agree',
  fc.property(routeSet, (routes) => {
    const first = [...routes].sort(compareRoutes)[0];
    assert.deepEqual(selectRoute(routes, none), first);
    assert.deepEqual(bestRoute(routes), first);
    assert.deepEqual(bestRoute(routes.toReversed()), first);
  }),
);

const anyRoute: fc.Arbitrary<Route> = fc.record(
  { endpoint: fc.constantFrom('a', 'b', 'c', 'd'), latencyMs: fc.integer({ min: -1, max: 4 }) },
  { noNullPrototype: true },
);

holds(
  'a selected route is open, and no open one is faster',
  fc.property(fc.array(anyRoute), fc.subarray(['a', 'b', 'c', 'd']), (routes, names) => {
    const blocked = new Set(names);
    const open = routes.filter((one) => one.latencyMs >= 0 && !blocked.has(one.endpoint));
    const chosen = selectRoute(routes, blocked);
    assert.equal(chosen === undefined, open.length === 0);
    if (chosen === undefined) return;
    assert.ok(open.includes(chosen));
    assert.ok(open.every((one) => one.latencyMs >= chosen.latencyMs));
  }),
);
