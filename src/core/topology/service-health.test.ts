// Goal: rows 5 to 7 of the rulings: three words, one figure, and the gateway's worse of two.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  backendsStatus,
  canServe,
  gatewayHealth,
  serviceHealth,
  statusOfLevel,
} from './service-health.ts';

const quiet = { requests: 0, errors: 0, performance: 1 };

test('five levels become three statuses', () => {
  const levels = ['healthy', 'minor', 'warning', 'degraded', 'critical'] as const;
  assert.deepEqual(levels.map(statusOfLevel), [
    'healthy',
    'healthy',
    'degraded',
    'degraded',
    'unhealthy',
  ]);
});

test('a service without requests is healthy and scores 1', () => {
  assert.deepEqual(serviceHealth('active', quiet), {
    status: 'healthy',
    level: 'healthy',
    state: 'active',
    healthScore: 1,
  });
});

test('errors lower level, status and score together', () => {
  const health = serviceHealth('active', { requests: 100, errors: 40, performance: 0.5 });
  assert.equal(health.level, 'warning');
  assert.equal(health.status, 'degraded');
  assert.ok(Math.abs(health.healthScore - 0.56) < 1e-9);
  const worst = serviceHealth('active', { requests: 1, errors: 9, performance: -3 });
  assert.deepEqual([worst.status, worst.healthScore], ['unhealthy', 0]);
});

test('a stopped service cannot serve, a draining one still does', () => {
  assert.equal(serviceHealth('stopped', quiet).status, 'unhealthy');
  assert.equal(canServe(serviceHealth('stopped', quiet)), false);
  assert.equal(canServe(serviceHealth('starting', quiet)), false);
  assert.equal(canServe(serviceHealth('draining', quiet)), true);
  assert.equal(canServe(serviceHealth('active', { requests: 1, errors: 1, performance: 0 })), true);
});

test('all backends, some, none', () => {
  assert.equal(backendsStatus(3, 3), 'healthy');
  assert.equal(backendsStatus(3, 1), 'degraded');
  assert.equal(backendsStatus(3, 0), 'unhealthy');
  assert.equal(backendsStatus(0, 0), 'unhealthy');
});

test('the gateway takes the worse of its own level and its backends', () => {
  const own = serviceHealth('active', { requests: 10, errors: 4, performance: 1 });
  assert.equal(gatewayHealth(own, { total: 2, healthy: 2 }).status, 'degraded');
  assert.equal(gatewayHealth(own, { total: 2, healthy: 0 }).status, 'unhealthy');
  const calm = serviceHealth('active', quiet);
  const gateway = gatewayHealth(calm, { total: 2, healthy: 1 });
  assert.deepEqual([gateway.status, gateway.level], ['degraded', 'healthy']);
});
