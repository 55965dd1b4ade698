// Goal: a silence is told when it is longer than the threshold, not when it is as long (ruling C2).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { event, eventsAt, shuffledHistory } from './events.test-support.ts';
import { detectGaps } from './gaps.ts';
import type { TimedEvent } from './timed-event.ts';
import { sortByTime } from './timeline.ts';

function gapTimes(events: readonly TimedEvent[], threshold: number) {
  return detectGaps(events, threshold).map(([from, to]) => [from.timestamp, to.timestamp]);
}

test('a gap is strictly longer than the threshold, in events of any order', () => {
  assert.deepEqual(gapTimes(eventsAt(10, 40, 70, 101), 30), [[70, 101]]);
  assert.deepEqual(gapTimes(eventsAt(500, 100, 200), 200), [[200, 500]]);
  assert.deepEqual(gapTimes(eventsAt(500, 100, 200), 300), []);
  assert.deepEqual(gapTimes(eventsAt(500, 100, 200), 99), [
    [100, 200],
    [200, 500],
  ]);
});

test('fewer than two events have no gap, nor has one instant', () => {
  assert.deepEqual(gapTimes([], 0), []);
  assert.deepEqual(gapTimes(eventsAt(7), 0), []);
  assert.deepEqual(gapTimes(eventsAt(7, 7), 0), []);
});

test('E.5 row 8: a gap names the events around it', () => {
  const [before, after] = [event(10, 'before'), event(500, 'after')];
  assert.deepEqual(detectGaps([after, before], 60), [[before, after]]);
});

holds(
  'gaps are exactly the long steps of the sorted timeline, whatever the order of arrival',
  fc.property(shuffledHistory, fc.nat(6), ([events, shuffled], threshold) => {
    const sorted = sortByTime(events).map(({ timestamp }) => timestamp);
    const expected = sorted
      .slice(1)
      .map((next, i) => [sorted[i] ?? next, next] as const)
      .filter(([from, to]) => to - from > threshold);
    assert.deepEqual(gapTimes(events, threshold), expected);
    assert.deepEqual(gapTimes(shuffled, threshold), expected);
  }),
);
