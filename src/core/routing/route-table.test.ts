// Goal: one route for each endpoint, listed by name. Method: the row of A.11; then random writing
// against a plain map.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { RouteTable } from './route-table.ts';

test('a route is written over, got, listed by endpoint and removed', () => {
  const table = new RouteTable();
  for (const endpoint of ['b', 'a', 'B']) table.upsert({ endpoint, latencyMs: 5 });
  table.upsert({ endpoint: 'b', latencyMs: 7 });
  assert.equal(table.count, 3);
  assert.deepEqual(table.get('b'), { endpoint: 'b', latencyMs: 7 });
  assert.equal(table.get('c'), undefined);
  assert.deepEqual(
    table.all().map(({ endpoint }) => endpoint),
    ['B', 'a', 'b'],
  );
  assert.deepEqual(table.remove('b'), { endpoint: 'b', latencyMs: 7 });
  assert.equal(table.remove('b'), undefined);
  assert.equal(table.count, 2);
  assert.deepEqual(new RouteTable().all(), []);
});

test('whoever gave or got a route cannot change the table', () => {
  const table = new RouteTable();
  const given = { endpoint: 'a', latencyMs: 5 };
  table.upsert(given);
  given.latencyMs = 0;
  assert.deepEqual(table.get('a'), { endpoint: 'a', latencyMs: 5 });
  const got = table.all();
  assert.ok(got.every(Object.isFrozen));
  Reflect.apply(Array.prototype.pop, got, []);
  assert.equal(table.count, 1);
});

const operation = fc.tuple(
  fc.constantFrom('a', 'b', 'B'),
  fc.option(fc.nat(9), { nil: undefined }),
);

holds(
  'the table answers as a plain map does',
  fc.property(fc.array(operation), (operations) => {
    const table = new RouteTable();
    const model = new Map<string, number>();
    for (const [endpoint, latencyMs] of operations) {
      if (latencyMs === undefined) {
        assert.equal(table.remove(endpoint)?.latencyMs, model.get(endpoint));
        model.delete(endpoint);
      } else {
        table.upsert({ endpoint, latencyMs });
        model.set(endpoint, latencyMs);
      }
      assert.equal(table.count, model.size);
      const listed = table.all().map((route) => [route.endpoint, route.latencyMs]);
      assert.deepEqual(
        listed,
        [...model].sort(([a], [b]) => (a < b ? -1 : 1)),
      );
    }
  }),
);
