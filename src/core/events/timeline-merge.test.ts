// Goal: of an id that comes twice the right record stays (rule RD7). Method: the rows of A.3; then
// random histories against the plain statement of each rule.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { event, history, shuffledHistory } from './events.test-support.ts';
import type { TimedEvent } from './timed-event.ts';
import { sortByTime } from './timeline.ts';
import { dedupeKeepEarliest, mergeDedupe, mergeStreams } from './timeline-merge.ts';

const payloads = (events: readonly TimedEvent[]) => events.map(({ payload }) => payload);

test('E.5 row 3: the earliest version stays, whichever arrives first', () => {
  const pending = event(1000, 'evt-12345', { payload: 'pending' });
  const completed = event(2000, 'evt-12345', { payload: 'completed' });
  assert.deepEqual(dedupeKeepEarliest([pending, completed]), [pending]);
  assert.deepEqual(dedupeKeepEarliest([completed, pending]), [pending]);
});

test('of equally old versions the first of the input stays, and the result ascends by time, then id', () => {
  const given = [
    event(7, 'b', { payload: 'first' }),
    event(9, 'c', { payload: 'late' }),
    event(7, 'b', { payload: 'second' }),
    event(7, 'a', { payload: 'beside' }),
    event(2, 'c', { payload: 'early' }),
  ];
  assert.deepEqual(payloads(dedupeKeepEarliest(given)), ['early', 'beside', 'first']);
  assert.deepEqual(dedupeKeepEarliest([]), []);
});

test('merged streams ascend by time, and at one time those of the first stream come first', () => {
  const a = [
    event(5, 'z', { payload: 'a1' }),
    event(5, 'y', { payload: 'a2' }),
    event(9, 'x', { payload: 'a3' }),
  ];
  const b = [event(5, 'a', { payload: 'b1' }), event(1, 'z', { payload: 'b2' })];
  assert.deepEqual(payloads(mergeStreams(a, b)), ['b2', 'a1', 'a2', 'b1', 'a3']);
  assert.deepEqual(payloads(mergeStreams(b, a)), ['b2', 'b1', 'a1', 'a2', 'a3']);
  assert.deepEqual(payloads(a), ['a1', 'a2', 'a3'], 'the input stays');
});

test('a merge without doubles keeps the first occurrence, also a later one in time', () => {
  const a = [event(8, 'x', { payload: 'a1' }), event(3, 'x', { payload: 'a2' })];
  const b = [event(1, 'x', { payload: 'b1' }), event(8, 'w', { payload: 'b2' })];
  assert.deepEqual(payloads(mergeDedupe(a, b)), ['b2', 'a1']);
  assert.deepEqual(payloads(mergeDedupe(b, a)), ['b1', 'b2']);
});

holds(
  'RD7, audit timeline: each id stays once, with its smallest timestamp, in any order of arrival',
  fc.property(shuffledHistory, ([events, shuffled]) => {
    const kept = dedupeKeepEarliest(events);
    assert.deepEqual(sortByTime(kept), kept);
    assert.equal(kept.length, new Set(events.map(({ id }) => id)).size);
    for (const { id, timestamp } of kept) {
      const own = events.filter((one) => one.id === id).map((one) => one.timestamp);
      assert.equal(timestamp, Math.min(...own));
    }
    const keys = (list: readonly TimedEvent[]) => list.map(({ id, timestamp }) => [timestamp, id]);
    assert.deepEqual(keys(dedupeKeepEarliest(shuffled)), keys(kept));
    assert.deepEqual(dedupeKeepEarliest(kept), kept, 'twice is once');
  }),
);

holds(
  'RD7, stream merge: what the first stream has of an id is what stays',
  fc.property(history, history, (a, b) => {
    const kept = mergeDedupe(a, b);
    assert.deepEqual(sortByTime(kept), kept);
    assert.equal(kept.length, new Set([...a, ...b].map(({ id }) => id)).size);
    for (const one of kept) {
      const first = [...a, ...b].find(({ id }) => id === one.id);
      assert.strictEqual(one, first);
    }
  }),
);

holds(
  'a merge of streams is a permutation of both that ascends and keeps the order of each',
  fc.property(history, history, (a, b) => {
    const [first, second] = [sortByTime(a), sortByTime(b)];
    const merged = mergeStreams(first, second);
    assert.deepEqual(
      merged.filter((one) => first.includes(one)),
      first,
    );
    assert.deepEqual(
      merged.filter((one) => second.includes(one)),
      second,
    );
    assert.equal(merged.length, a.length + b.length);
    assert.ok(
      merged.every((one, i) => i === 0 || (merged[i - 1]?.timestamp ?? 0) <= one.timestamp),
    );
  }),
);
