// Goal: a client keeps its arm, arms get their shares, and raising one takes from the base alone.
// Method: properties over random experiments, buckets enumerated; shares over 100 000 keys.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { armAgain, armOf, armOfBucket, splitFor, splitPoints, type TrafficSplit } from './split.ts';

function splitOf(points: readonly number[], salt = 'tone'): TrafficSplit {
  const arms = points.map((basisPoints, i) => ({ name: `arm-${i}`, model: `m-${i}`, basisPoints }));
  return { name: 'tone', model: 'chat*', salt, arms };
}

/** Shares of two to six arms that sum to 10 000. */
const shares = fc
  .array(fc.integer({ min: 0, max: 1000 }), { minLength: 2, maxLength: 6 })
  .filter((weights) => weights.some((weight) => weight > 0))
  .map((weights) => {
    const sum = weights.reduce((a, b) => a + b, 0);
    const points = weights.map((weight) => Math.floor((weight * splitPoints) / sum));
    const rest = splitPoints - points.reduce((a, b) => a + b, 0);
    return [(points[0] ?? 0) + rest, ...points.slice(1)];
  });

function owners(split: TrafficSplit): string[] {
  return Array.from({ length: splitPoints }, (_, bucket) => armOfBucket(split, bucket)?.name ?? '');
}

describe('a traffic split', () => {
  holds(
    'gives every arm exactly its basis points of the buckets',
    fc.property(shares, (points) => {
      const counts = new Map<string, number>();
      for (const name of owners(splitOf(points))) counts.set(name, 1 + (counts.get(name) ?? 0));
      for (const [i, share] of points.entries()) assert.equal(counts.get(`arm-${i}`) ?? 0, share);
    }),
    { runs: 100 },
  );

  holds(
    'moves keys only into the arm that is raised at the cost of the base',
    fc.property(
      fc.integer({ min: 2, max: 6 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 }),
      fc.nat(),
      (arms, parts, which) => {
        const region = Math.floor(splitPoints / (arms - 1));
        const others = parts.slice(0, arms - 1).map((part) => Math.floor(part * region));
        const raised = which % (arms - 1);
        const lower = others.map((share, i) => (i === raised ? Math.floor(share / 2) : share));
        const withBase = (list: readonly number[]): number[] => [
          splitPoints - list.reduce((a, b) => a + b, 0),
          ...list,
        ];
        const before = owners(splitOf(withBase(lower)));
        const after = owners(splitOf(withBase(others)));
        before.forEach((name, bucket) => {
          if (after[bucket] !== name) assert.equal(after[bucket], `arm-${raised + 1}`);
        });
      },
    ),
    { runs: 60 },
  );

  it('keeps each arm within half a percentage point over 100 000 keys', () => {
    for (const points of [
      [9000, 1000],
      [5000, 3000, 2000],
      [9999, 1],
      [2500, 2500, 2500, 2500],
    ]) {
      for (const salt of ['tone', 'tone 2']) {
        const split = splitOf(points, salt);
        const counts = new Map<string, number>();
        for (let i = 0; i < 100_000; i++) {
          // Keys as they come: neighbours, not well-mixed ones.
          const name = armOf(split, i)?.name ?? '';
          counts.set(name, 1 + (counts.get(name) ?? 0));
        }
        points.forEach((share, i) => {
          const got = (counts.get(`arm-${i}`) ?? 0) / 1000;
          assert.ok(Math.abs(got - share / 100) < 0.5, `${points} arm ${i}: ${got} %`);
        });
      }
    }
  });

  it('draws two experiments independently of each other', () => {
    const [a, b] = [splitOf([5000, 5000], 'a'), splitOf([5000, 5000], 'b')];
    let both = 0;
    for (let i = 0; i < 40_000; i++) {
      if (armOf(a, i)?.name === 'arm-1' && armOf(b, i)?.name === 'arm-1') both++;
    }
    assert.ok(Math.abs(both / 40_000 - 0.25) < 0.01, `${both} of 40 000 in both`);
  });

  it('draws the recorded arm again, and none of an experiment that is gone', () => {
    const split = splitOf([6000, 4000]);
    for (let stickyHash = 0; stickyHash < 100; stickyHash++) {
      const arm = armOf(split, stickyHash)?.name ?? '';
      const assignment = { experiment: 'tone', arm, stickyHash };
      assert.equal(armAgain([splitOf([1, 1], 'x'), split].slice(1), assignment), arm);
      assert.equal(armAgain([], assignment), undefined);
    }
  });

  it('is the first whose pattern matches the model', () => {
    const [first, second] = [splitOf([1, 1]), { ...splitOf([1, 1]), name: 'late', model: '*' }];
    assert.equal(splitFor([first, second], 'chat-8b')?.name, 'tone');
    assert.equal(splitFor([first, second], 'other')?.name, 'late');
    assert.equal(splitFor([first], 'other'), undefined);
  });
});
