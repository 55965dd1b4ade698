// Goal: a simulated decision reads the figures that the arena would show. Method: the same sampled
// calls on both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { Arena } from '../../io/shared-memory/arena.ts';
import { unread } from '../routing/decision-input.ts';
import { fleetOf, target } from '../routing/fleet.test-support.ts';
import { figures } from '../routing/policies/routing-policy.ts';
import { BackendCounters, type FleetCounters } from './backend-counters.ts';

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
  'pending, tokens, capacity and the first-byte average are those of the arena',
  fc.property(fc.array(call, { maxLength: 30 }), (calls) => {
    const arena = Arena.create({ capacity: 2, threads: 1 });
    const handles = [arena.open(0, 7), arena.open(1, 0)];
    for (const handle of handles) arena.setStatus(handle, 'healthy');
    const counters: FleetCounters = new BackendCounters([7, 0]);
    const { snapshot } = fleetOf([target('a'), target('b')]);
    const offers = snapshot.byModel.get('m') ?? [];
    assert.equal(offers.length, 2);
    for (const one of calls) {
      const handle = handles[one.slot];
      assert.ok(handle);
      if (one.kind === 'first') {
        arena.recordFirstByte(handle, one.us / 1000);
        counters.recordFirstByte(one.slot, one.us, 0);
      } else if (one.kind === 'lease') {
        arena.increment(handle, 0);
        arena.addTokens(handle, 100, 0);
        counters.lease(one.slot, 100);
      } else if (counters.pending(one.slot) > 0) {
        arena.decrement(handle, 0);
        arena.addTokens(handle, -100, 0);
        counters.release(one.slot, 100);
      }
      for (const offer of offers) {
        const { pending, capacity, latencyMs, statusCode, generation } = arena.glance(
          offer.target.slot,
        );
        const isCurrent = generation === offer.target.generation;
        const read = counters.read(offer, figures.tokens);
        const tokens = arena.tokens(offer.target.slot);
        const usual = { pending, capacity, latencyMs, statusCode, isCurrent };
        const seen = { ...usual, tokens, peakMs: latencyMs };
        assert.deepEqual(read, { ...unread, ...seen });
      }
    }
  }),
  { runs: 300 },
);

test('what was not leased cannot be given back', () => {
  assert.throws(() => new BackendCounters([0]).release(0, 1), /B1/);
});
