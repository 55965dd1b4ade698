// Goal: the parts of a request always add up to its total, whatever the clocks said.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { timeParts } from './time-parts.ts';

test('a normal request has three parts', () => {
  const parts = timeParts({ total_ms: 3100, first_byte_ms: 213, overhead_ms: 1 });
  assert.deepEqual(
    parts.map(({ ms }) => ms),
    [1, 212, 2887],
  );
});

test('a request without a first byte says so', () => {
  const parts = timeParts({ total_ms: 50, first_byte_ms: null, overhead_ms: 1 });
  assert.equal(parts.length, 2);
  assert.match(parts[1]?.name ?? '', /no byte came/);
});

test('parts join without a gap, are never negative and sum to the total (seed 11)', () => {
  const time = fc.integer({ min: -5, max: 10_000 });
  fc.assert(
    fc.property(time, fc.option(time), time, (total_ms, first_byte_ms, overhead_ms) => {
      const parts = timeParts({ total_ms, first_byte_ms, overhead_ms });
      let end = 0;
      for (const part of parts) {
        assert.equal(part.startMs, end);
        assert.ok(part.ms >= 0);
        end += part.ms;
      }
      assert.equal(end, Math.max(0, total_ms));
    }),
    { seed: 11, numRuns: 500 },
  );
});
