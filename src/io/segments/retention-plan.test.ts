// Goal: the oldest goes first, nothing else goes, and what is not archived stays until it cannot.
// Method: lists of segments with chosen times, and random ones against the rules.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { closedSegments, planRetention, type Removal } from './retention-plan.ts';
import type { SegmentInfo } from './segment-list.ts';

function segment(stream: string, number: number, changes: Partial<SegmentInfo> = {}): SegmentInfo {
  return {
    stream,
    number,
    name: `${stream}/${number}`,
    isOpen: false,
    bytes: 100,
    records: 5,
    firstAtMs: number * 1_000,
    lastAtMs: number * 1_000 + 900,
    hash: 'ab'.repeat(32),
    nextSequence: number * 5 + 1,
    ...changes,
  };
}

const endless = { budgetBytes: 1e9, retentionMs: 1e9 };
const always = (): boolean => true;
const never = (): boolean => false;

function told(removals: readonly Removal[]): readonly string[] {
  return removals.map(({ segment: { name }, reason, isLost }) => {
    return `${name} ${reason}${isLost ? ' lost' : ''}`;
  });
}

const six = [
  segment('t0', 1),
  segment('t0', 2),
  segment('t0', 3, { isOpen: true, lastAtMs: null }),
  segment('t1', 1, { lastAtMs: 1_500 }),
  segment('t1', 2, { lastAtMs: 2_500 }),
  segment('t1', 3, { isOpen: true, lastAtMs: null }),
];

describe('decision log: retention', () => {
  test('nothing goes within age and budget', () => {
    assert.deepEqual(planRetention(six, endless, 10_000, always), []);
  });

  test('what is older than the retention goes, the newest of a stream never', () => {
    const plan = planRetention(six, { ...endless, retentionMs: 100 }, 2_600, always);
    assert.deepEqual(told(plan), ['t1/1 age', 't0/1 age']);
    const all = planRetention(six, { ...endless, retentionMs: 100 }, 1e8, always);
    assert.deepEqual(told(all), ['t1/1 age', 't0/1 age', 't1/2 age', 't0/2 age']);
  });

  test('beyond the budget the oldest of all streams go first, until the rest fits', () => {
    const plan = planRetention(six, { ...endless, budgetBytes: 350 }, 10_000, always);
    assert.deepEqual(told(plan), ['t1/1 budget', 't0/1 budget', 't1/2 budget']);
  });

  test('what is not archived stays, up to twice the budget; beyond that it is lost', () => {
    const limits = { budgetBytes: 400, retentionMs: 1 };
    assert.deepEqual(planRetention(six, limits, 1e8, never), []);
    const only1 = (info: SegmentInfo): boolean => info.number === 1 && info.stream === 't0';
    assert.deepEqual(told(planRetention(six, limits, 1e8, only1)), ['t0/1 age']);
    const tight = planRetention(six, { ...endless, budgetBytes: 240 }, 10_000, never);
    assert.deepEqual(told(tight), ['t1/1 budget lost', 't0/1 budget lost']);
  });

  test('a segment whose seal is damaged counts as old as what is known of it', () => {
    const unknown = { lastAtMs: null, hash: null };
    const list = [segment('t0', 1, unknown), segment('t0', 2, { ...unknown, firstAtMs: null })];
    const all = [...list, segment('t0', 3), segment('t0', 4)];
    const at = (nowMs: number): readonly string[] =>
      told(planRetention(all, { ...endless, retentionMs: 100 }, nowMs, always));
    assert.deepEqual(at(1_100), []);
    assert.deepEqual(at(1_101), ['t0/1 age']);
    assert.deepEqual(at(4_001), ['t0/1 age', 't0/2 age', 't0/3 age']);
  });

  test('the newest of each stream is not closed, an old one is by whatever name', () => {
    const odd = [segment('t0', 1, { isOpen: true }), segment('t0', 2)];
    assert.deepEqual(
      closedSegments(odd).map((info) => info.name),
      ['t0/1'],
    );
  });

  const anySegments = fc
    .array(fc.record({ stream: fc.constantFrom('a', 'b', 'c'), bytes: fc.nat({ max: 500 }) }), {
      maxLength: 20,
    })
    .map((list) => list.map((one, index) => segment(one.stream, index + 1, { bytes: one.bytes })));

  holds(
    'streams lose their front, the rest fits or nothing more may go, and losses are told',
    fc.property(
      anySegments,
      fc.nat({ max: 3_000 }),
      fc.nat({ max: 20_000 }),
      fc.func(fc.boolean()),
      (segments, budgetBytes, retentionMs, archived) => {
        const isArchived = (info: SegmentInfo): boolean => archived(info.number);
        const plan = planRetention(segments, { budgetBytes, retentionMs }, 20_000, isArchived);
        const gone = new Set(plan.map((removal) => removal.segment));
        const left = segments.filter((info) => !gone.has(info));
        const bytes = left.reduce((sum, info) => sum + info.bytes, 0);
        for (const stream of ['a', 'b', 'c']) {
          const own = segments.filter((info) => info.stream === stream);
          const kept = left.filter((info) => info.stream === stream);
          assert.deepEqual(kept, own.slice(own.length - kept.length));
          assert.equal(kept.length > 0, own.length > 0);
          const [next, another] = kept;
          if (next === undefined || another === undefined) continue;
          assert.ok(bytes <= budgetBytes * 2);
          if (isArchived(next)) assert.ok(bytes <= budgetBytes);
        }
        for (const { segment: info, isLost } of plan) assert.equal(isLost, !isArchived(info));
      },
    ),
  );
});
