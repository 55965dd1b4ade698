// Goal: bursts, repeats and late messages leave exactly the newest truth, in a stable order.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DecisionWire, OverviewWire } from '../api/wire.ts';
import { decision } from './live.test-support.ts';
import {
  addPatch,
  countUnseen,
  decisionsMax,
  joinSnapshot,
  mergeDecisions,
  noPatches,
} from './patches.ts';

function overview(second: number): OverviewWire {
  return {
    at: new Date(second * 1000).toISOString(),
    verdict: `second ${second}`,
    verdict_level: 'ok',
    attention: [],
    uptime_seconds: second,
    requests: { total: 0, succeeded: 0, failed: 0 },
    in_flight: 0,
    series: [],
    backends: { total: 0, routable: 0 },
    simulated: false,
  };
}

test('between two frames the last overview to arrive wins, even after the clock was set back', () => {
  let patches = addPatch(noPatches, { update_type: 'Overview', data: overview(7) });
  patches = addPatch(patches, { update_type: 'Overview', data: overview(6) });
  assert.equal(patches.overview?.verdict, 'second 6');
});

test('a fetched list keeps the rows that came live meanwhile and leaves no silent gap', () => {
  const held = [decision(9), decision(8), decision(2)];
  const fetched = [decision(8), decision(7), decision(5)];
  const ids = joinSnapshot({ before: [], held, fetched }).map((row) => row.request_id);
  assert.deepEqual(ids, ['req_9', 'req_8', 'req_7', 'req_5']);
});

test('beside an empty list only the rows stay that came while it was on its way', () => {
  const before = [decision(2), decision(1)];
  const held = mergeDecisions(before, [decision(3)]);
  assert.deepEqual(joinSnapshot({ before, held, fetched: [] }), [held[0]]);
  assert.deepEqual(joinSnapshot({ before, held: before, fetched: [] }), []);
});

test('finished requests of several messages add up, newest first', () => {
  let patches = addPatch(noPatches, {
    update_type: 'RequestComplete',
    data: { decisions: [decision(1), decision(3)] },
  });
  patches = addPatch(patches, {
    update_type: 'RequestComplete',
    data: { decisions: [decision(2)] },
  });
  assert.deepEqual(
    patches.decisions.map((row) => row.request_id),
    ['req_3', 'req_2', 'req_1'],
  );
});

test('a resync is remembered until the frame', () => {
  let patches = addPatch(noPatches, { update_type: 'Resync', data: {} });
  patches = addPatch(patches, { update_type: 'Overview', data: overview(1) });
  assert.equal(patches.resync, true);
});

test('merging keeps order, holds each decision once and stays under the cap (seed 7)', () => {
  const rows = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 300 });
  fc.assert(
    fc.property(rows, rows, (left, right) => {
      const held = mergeDecisions(
        [],
        left.map((n) => decision(n)),
      );
      const merged = mergeDecisions(
        held,
        right.map((n) => decision(n)),
      );
      const ids = merged.map((row) => row.decision_id);
      assert.equal(new Set(ids).size, ids.length);
      assert.equal(ids.length, Math.min(decisionsMax, new Set([...left, ...right]).size));
      for (let i = 1; i < merged.length; i += 1) assert.ok(merged[i - 1]!.at >= merged[i]!.at);
      assert.deepEqual(
        mergeDecisions(
          merged,
          right.map((n) => decision(n)),
        ),
        merged,
      );
    }),
    { seed: 7, numRuns: 100 },
  );
});

test('rows that are all newer come in front, whatever their own order', () => {
  const held = mergeDecisions([], [decision(1), decision(2)]);
  const ids = mergeDecisions(held, [decision(4), decision(3), decision(4)]).map(
    (row) => row.request_id,
  );
  assert.deepEqual(ids, ['req_4', 'req_3', 'req_2', 'req_1']);
});

test('the list never grows past its cap and drops the oldest', () => {
  const many = Array.from({ length: decisionsMax + 50 }, (_, n) => decision(n));
  const merged = mergeDecisions([], many);
  assert.equal(merged.length, decisionsMax);
  assert.equal(merged.at(-1)?.request_id, 'req_50');
});

const unseen = (shown: readonly DecisionWire[], latest: readonly DecisionWire[]) =>
  countUnseen(shown, latest, (row) => row.decision_id);

test('unseen rows are those in front of the newest one on show', () => {
  const shown = [decision(2), decision(1)];
  assert.equal(unseen(shown, [decision(4), decision(3), decision(2), decision(1)]), 2);
  assert.equal(unseen(shown, shown), 0);
  assert.equal(unseen(shown, [decision(9), decision(8)]), 2);
  assert.equal(unseen([], [decision(1)]), 1);
});
