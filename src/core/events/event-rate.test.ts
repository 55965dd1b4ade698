// Goal: the figures of A.3 and A.15 about how often events come.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { bucketByTime, eventRate } from './event-rate.ts';
import { eventsAt, history } from './events.test-support.ts';

test('the rate is the count over the span from the oldest to the newest', () => {
  assert.ok(Math.abs(eventRate(eventsAt(5, 10, 25)) - 0.15) < 1e-12);
  assert.equal(eventRate(eventsAt(25, 5, 10)), eventRate(eventsAt(5, 10, 25)), 'in any order');
  for (const none of [eventsAt(), eventsAt(5), eventsAt(5, 5, 5)]) assert.equal(eventRate(none), 0);
});

test('buckets are numbered by the time divided by their size, from zero', () => {
  const buckets = bucketByTime(eventsAt(61, 29, 30, 0), 30);
  assert.deepEqual(
    [...buckets].map(([place, events]) => [place, events.map(({ timestamp }) => timestamp)]),
    [
      [0, [29, 0]],
      [1, [30]],
      [2, [61]],
    ],
  );
  for (const size of [0, -1, Number.NaN]) assert.equal(bucketByTime(eventsAt(1), size).size, 0);
  assert.equal(bucketByTime([], 30).size, 0);
});

holds(
  'every event lies in exactly one bucket, the one that covers its time',
  fc.property(history, fc.integer({ min: 1, max: 5 }), (events, size) => {
    const buckets = bucketByTime(events, size);
    assert.deepEqual(new Set([...buckets.values()].flat()), new Set(events));
    let count = 0;
    for (const [place, bucket] of buckets) {
      count += bucket.length;
      for (const { timestamp } of bucket) {
        assert.ok(timestamp >= place * size && timestamp < (place + 1) * size);
      }
    }
    assert.equal(count, events.length);
  }),
);
