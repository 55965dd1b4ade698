// Goal: a simulated decision reads the figures that the arena would show. Method: the same sampled
// calls on both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { Arena } from '../../io/shared-memory/arena.ts';
import { BackendCounters } from './backend-counters.ts';

const call = fc.oneof(
  fc.record({ kind: fc.constant('lease' as const), slot: fc.integer({ min: 0, max: 1 }) }),
  fc.record({ kind: fc.constant('release' as const), slot: fc.integer({ min: 0, max: 1 }) }),
  fc.record({
    kind: fc.constant('first' as const),
    slot: fc.integer({ min: 0, max: 1 }),
    us: fc.integer({ min: 0, max: 5_000_000 }),
  }),
);

holds(
  'pending, capacity and the first-byte average are those of the arena',
  fc.property(fc.array(call, { maxLength: 30 }), (calls) => {
    const arena = Arena.create({ capacity: 2, threads: 1 });
    const handles = [arena.open(0, 7), arena.open(1, 0)];
    for (const handle of handles) arena.setStatus(handle, 'healthy');
    const counters = new BackendCounters([7, 0]);
    for (const one of calls) {
      const handle = handles[one.slot];
      assert.ok(handle);
      if (one.kind === 'first') {
        arena.recordFirstByte(handle, one.us / 1000);
        counters.recordFirstByte(one.slot, one.us);
      } else if (one.kind === 'lease') {
        arena.increment(handle, 0);
        counters.lease(one.slot);
      } else if (counters.pending(one.slot) > 0) {
        arena.decrement(handle, 0);
        counters.release(one.slot);
      }
      for (const slot of [0, 1]) {
        assert.equal(counters.pending(slot), arena.pending(slot));
        assert.equal(counters.capacityOf(slot), arena.capacityOf(slot));
        assert.equal(counters.latencyMs(slot), arena.latencyMs(slot));
        assert.equal(counters.statusCode(), arena.statusCode(slot));
        assert.equal(counters.generationOf(), arena.generationOf(slot));
      }
    }
  }),
  { runs: 300 },
);

test('what was not leased cannot be given back', () => {
  assert.throws(() => new BackendCounters([0]).release(0), /B1/);
});
