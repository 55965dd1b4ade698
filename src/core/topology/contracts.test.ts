// Goal: every row of CP A.6, with its edges, and the orders of B.2.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  contractSummary,
  hasPortCollision,
  isCriticalPath,
  orphanServices,
  topologicalOrder,
  transitiveDependencyCount,
  validateContract,
  versionMatches,
} from './contracts.ts';
import {
  networkedServices,
  proxiedHealthPath,
  type ServiceDefinition,
  serviceCatalog,
  serviceUrl,
} from './service-catalog.ts';

function service(
  id: string,
  dependencies: readonly string[] = [],
  port?: number,
): ServiceDefinition {
  return { id, port, healthPath: '/health', version: '1.0.0', dependencies };
}

const eight = networkedServices();
const thirteen = serviceCatalog();

test('networkedServices: the eight documented ones, gateway first', () => {
  assert.deepEqual(
    eight.map(({ id, port }) => [id, port]),
    [
      ['gateway', 8120],
      ['routing', 8121],
      ['policy', 8122],
      ['resilience', 8123],
      ['analytics', 8124],
      ['audit', 8125],
      ['notifications', 8126],
      ['security', 8127],
    ],
  );
  for (const one of eight) {
    assert.equal(one.version, '1.0.0');
    assert.equal(one.healthPath, '/health');
  }
});

test('serviceCatalog: thirteen, the last five without a port behind the gateway', () => {
  assert.equal(thirteen.length, 13);
  assert.deepEqual(
    thirteen.slice(8).map(({ id, port, dependencies }) => [id, port, [...dependencies]]),
    ['intake', 'identity', 'fulfillment', 'reporting', 'allocator'].map((id) => [
      id,
      undefined,
      ['gateway'],
    ]),
  );
  assert.ok(
    Object.isFrozen(thirteen) && thirteen.every((one) => Object.isFrozen(one.dependencies)),
  );
});

test('serviceUrl: id, port and health path; absent for unknown and port-less services', () => {
  assert.equal(serviceUrl('routing'), 'http://routing:8121/health');
  assert.equal(serviceUrl('allocator'), undefined);
  assert.equal(serviceUrl('nobody'), undefined);
});

test('proxiedHealthPath: through the gateway', () => {
  assert.equal(proxiedHealthPath('routing'), '/api/routing/health');
});

test('validateContract: unknown dependencies name both services, twins are refused', () => {
  assert.ok(validateContract(eight).ok);
  assert.ok(validateContract([]).ok);
  const unknown = validateContract([service('a', ['ghost'])]);
  assert.ok(!unknown.ok);
  assert.equal(unknown.error.code, 'unknown_dependency');
  assert.match(unknown.error.message, /a depends on ghost/);
  const twins = validateContract([service('a'), service('b'), service('a')]);
  assert.ok(!twins.ok);
  assert.equal(twins.error.code, 'duplicate_service');
});

test('topologicalOrder: the documented start orders', () => {
  const order = (definitions: readonly ServiceDefinition[]): string => {
    const result = topologicalOrder(definitions);
    assert.ok(result.ok);
    return result.value.join(', ');
  };
  assert.equal(
    order(eight),
    'gateway, audit, notifications, policy, resilience, routing, analytics, security',
  );
  assert.equal(
    order(thirteen),
    'gateway, allocator, audit, fulfillment, identity, intake, notifications, policy, reporting, resilience, routing, analytics, security',
  );
  assert.equal(order([...thirteen].reverse()), order(thirteen), 'input order does not matter');
  assert.equal(order([]), '');
});

test('topologicalOrder: a circle is named as a path, an unknown dependency too', () => {
  const circle = topologicalOrder([
    service('d'),
    service('a', ['b', 'd']),
    service('b', ['c']),
    service('c', ['a']),
  ]);
  assert.ok(!circle.ok);
  assert.equal(circle.error.code, 'dependency_cycle');
  assert.deepEqual(circle.error.services, ['a', 'b', 'c', 'a']);
  const self = topologicalOrder([service('a', ['a'])]);
  assert.ok(!self.ok);
  assert.deepEqual(self.error.services, ['a', 'a']);
  const behind = topologicalOrder([service('a', ['x']), service('x', ['y']), service('y', ['x'])]);
  assert.ok(!behind.ok);
  assert.deepEqual(behind.error.services, ['x', 'y', 'x']);
  assert.ok(!topologicalOrder([service('a', ['ghost'])]).ok);
});

test('topologicalOrder: dependencies come first in any graph without circles', () => {
  const graph = fc.array(fc.uniqueArray(fc.nat(30), { maxLength: 5 }), { maxLength: 12 });
  fc.assert(
    fc.property(graph, (edges) => {
      // Edges lead to smaller numbers only, so there is no circle.
      const definitions = edges.map((needs, index) =>
        service(
          `s${index}`,
          needs.filter((n) => n < index).map((n) => `s${n}`),
        ),
      );
      const result = topologicalOrder(definitions);
      assert.ok(result.ok);
      assert.equal(result.value.length, definitions.length);
      for (const { id, dependencies } of definitions) {
        for (const dependency of dependencies) {
          assert.ok(result.value.indexOf(dependency) < result.value.indexOf(id));
        }
      }
    }),
    { seed: 3 },
  );
});

test('transitiveDependencyCount: distinct, direct or not', () => {
  const counts = ['analytics', 'notifications', 'gateway', 'routing', 'nobody'];
  assert.deepEqual(
    counts.map((id) => transitiveDependencyCount(eight, id)),
    [2, 2, 0, 1, 0],
  );
  const diamond = [
    service('a', ['b', 'c']),
    service('b', ['d']),
    service('c', ['d']),
    service('d'),
  ];
  assert.equal(transitiveDependencyCount(diamond, 'a'), 3);
  assert.equal(transitiveDependencyCount([service('a', ['b']), service('b', ['a'])], 'a'), 1);
});

test('isCriticalPath: someone else depends on it', () => {
  const critical = eight.filter(({ id }) => isCriticalPath(eight, id)).map(({ id }) => id);
  assert.deepEqual(critical, ['gateway', 'routing', 'audit']);
  assert.equal(isCriticalPath([service('a', ['a'])], 'a'), false);
  assert.equal(isCriticalPath(eight, 'nobody'), false);
});

test('versionMatches: exact text', () => {
  assert.equal(versionMatches(eight, 'gateway', '1.0.0'), true);
  assert.equal(versionMatches(eight, 'gateway', '1.0'), false);
  assert.equal(versionMatches(eight, 'nobody', '1.0.0'), false);
});

test('orphanServices: neither needing nor needed', () => {
  assert.deepEqual(orphanServices(eight), []);
  assert.deepEqual(orphanServices([...eight, service('alone')]), ['alone']);
});

test('hasPortCollision: services without a port do not collide', () => {
  assert.equal(hasPortCollision(thirteen), false);
  assert.equal(hasPortCollision([service('a', [], 1), service('b', [], 1)]), true);
});

test('contractSummary: one line per service in input order', () => {
  assert.equal(contractSummary([service('b', [], 8121), service('a')]), 'b:8121\na:-');
  assert.equal(contractSummary([]), '');
});
