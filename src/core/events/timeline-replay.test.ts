// Goal: E.5 row 8, a history with a silence is never told as complete. Method: the incident's own
// times, at the threshold and beside it, and random histories against the widest step between two.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import type { TimedEvent } from './timed-event.ts';
import { replayTimeline } from './timeline-replay.ts';

function at(...timestamps: readonly number[]): readonly TimedEvent[] {
  return timestamps.map((timestamp, i) => ({
    id: `e${i}`,
    timestamp,
    kind: 'inference',
    payload: null,
  }));
}

test('a silence longer than the threshold is told with its interval, oldest first', () => {
  const history = at(1711354381, 1711353600, 1711353720, 1711353660, 1711354321);
  const replayed = replayTimeline(history, 600);
  assert.equal(replayed.kind, 'incomplete');
  assert.deepEqual(replayed.kind === 'incomplete' && replayed.gaps, [
    { from: 1711353720, to: 1711354321 },
  ]);
  const times = replayed.events.map(({ timestamp }) => timestamp);
  assert.deepEqual(times, times.toSorted());
});

test('a silence of exactly the threshold, one event and none are complete', () => {
  assert.equal(replayTimeline(at(0, 600, 1200), 600).kind, 'complete');
  assert.equal(replayTimeline(at(7), 0).kind, 'complete');
  assert.deepEqual(replayTimeline([], 0), { kind: 'complete', events: [] });
});

holds(
  'complete means that no step is wider than the threshold, and no event is ever lost',
  fc.property(fc.array(fc.nat({ max: 100 })), fc.nat({ max: 60 }), (times, silence) => {
    const replayed = replayTimeline(at(...times), silence);
    const ascending = times.toSorted((a, b) => a - b);
    const steps = ascending.slice(1).map((time, i) => time - (ascending[i] ?? 0));
    assert.equal(
      replayed.kind === 'complete',
      steps.every((step) => step <= silence),
    );
    assert.deepEqual(
      replayed.events.map(({ timestamp }) => timestamp),
      ascending,
    );
  }),
);
