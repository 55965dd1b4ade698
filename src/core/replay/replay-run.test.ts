// Goal: the fold counts each decision once, tells the earliest divergence whatever the order, and
// says what is missing. Method: records by hand.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdmissionRecord } from '../decisions/decision-record.ts';
import { type RecordPlace, ReplayRun } from './replay-run.ts';
import { grouped, verdictWords } from './replay-words.ts';

function record(at: number): AdmissionRecord {
  return {
    kind: 'admitted',
    requestId: `request-${at}`,
    at,
    keyId: 'k',
    groupName: 'g',
    path: '/',
    priorityClass: 3,
    reading: { mode: 'normal', inFlight: 1, inFlightMax: 1, keyInFlight: 1, keyInFlightMax: 0 },
    code: undefined,
  };
}

function place(stream: string, sequence: number): RecordPlace {
  return { stream, segment: `${stream}/00000001.tfd`, offset: 92, sequence };
}

const difference = { kind: 'differs', member: 'verdict', recorded: 'a', again: 'b' } as const;

test('decisions are the sum of their kinds, and what could not be decided is in neither', () => {
  const run = new ReplayRun();
  run.add(record(5), place('t0', 1), { kind: 'same' });
  run.add(record(6), place('t0', 2), { kind: 'undecidable', reason: 'snapshot_missing' });
  run.decided('routed', 3);
  run.decided('routed', 0);
  assert.equal(run.decisions, 4);
  assert.deepEqual(run.byKind(), { admitted: 1, routed: 3 });
  assert.deepEqual(run.skipped(), { snapshot_missing: 1 });
  assert.deepEqual([run.fromMs, run.toMs], [5, 6]);
});

test('the first divergence is the earliest, then by stream and sequence, in any order of reading', () => {
  const met = [
    [record(9), place('t0', 4)],
    [record(7), place('t1', 3)],
    [record(7), place('t0', 9)],
    [record(7), place('t0', 8)],
  ] as const;
  for (const order of [met, met.toReversed(), [met[2], met[0], met[3], met[1]]]) {
    const run = new ReplayRun();
    for (const [each, at] of order) run.add(each, at, difference);
    assert.equal(run.divergences, 4);
    const first = run.firstDivergence;
    assert.deepEqual([first?.stream, first?.sequence, first?.decisionId], ['t0', 8, 'request-7.0']);
  }
});

test('dropped records are a gap with its interval and are counted', () => {
  const run = new ReplayRun();
  run.dropped('t0', 0, 1, 2);
  run.dropped('t0', 12, 1000, 4000);
  assert.deepEqual(run.skipped(), { dropped: 12 });
  assert.deepEqual(run.gaps[0]?.fromMs, 1000);
  assert.match(run.gaps[0]?.words ?? '', /12 records dropped/);
});

test('a pause of three evaluations is a gap, two are not; the pace is that of the log', () => {
  const gapsOf = (times: readonly number[]): number => {
    const run = new ReplayRun();
    for (const at of times) run.evaluated('control', at);
    return run.gaps.length;
  };
  assert.equal(gapsOf([0, 10_000, 20_000, 50_000]), 0);
  assert.equal(gapsOf([0, 10_000, 20_000, 50_001]), 1);
  assert.equal(gapsOf([0, 300_000, 600_000, 1_500_000]), 0);
  assert.equal(gapsOf([0, 900_001]), 1);
  assert.equal(gapsOf([0, 10_000, 13_000, 23_000, 33_000]), 0);
});

test('gaps beyond a hundred are counted, not kept', () => {
  const run = new ReplayRun();
  for (let i = 0; i < 130; i++) run.dropped('t0', 1, i, i);
  assert.equal(run.gaps.length, 100);
  assert.deepEqual(run.skipped(), { dropped: 130, 'further gaps': 30 });
});

test('the verdict puts damage and doubt before what a candidate would do', () => {
  const whole = { decisions: 412_880, divergences: 0, skipped: 0, faults: 0, gaps: 0 };
  assert.equal(
    verdictWords({ ...whole, changed: 12_799 }),
    '412 880 decisions replayed, 0 differ from what ran. The candidate would change 12 799 (3.1 %).',
  );
  const bad = verdictWords({ ...whole, divergences: 1, faults: 2, changed: 5 });
  assert.equal(
    bad,
    '412 880 decisions replayed, 1 differs from what ran. The log is damaged in 2 places: this is no proof.',
  );
  assert.match(
    verdictWords({ ...whole, skipped: 3, gaps: 1, changed: undefined }),
    /3 could not .* 1 gap /,
  );
  assert.deepEqual([0, 999, 1000, 1_234_567].map(grouped), ['0', '999', '1 000', '1 234 567']);
});
