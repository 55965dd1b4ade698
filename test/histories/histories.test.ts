// Goal: what was decided once is decided the same for ever (RD9, RD11): no later change of a decision
// function, of the codec or of the snapshot document may alter an old log without a behaviour number.
// Method: kept blocks, written by the program of their day, are decided again in full.
//
// A history here is never recorded again. Where one fails, the program has changed what it decides:
// src/core/decisions/behaviour.ts says how to give the change a number, record.ts how to keep one.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { currentBehaviour } from '../../src/core/decisions/behaviour.ts';
import { codecVersions } from '../../src/core/decisions/record-decoder.ts';
import { Redecider } from '../../src/core/decisions/redecide.ts';
import {
  controlAgain,
  historyNames,
  readHistory,
  readSnapshot,
  readSnapshotText,
  sha256,
  snapshotDigests,
} from './history.ts';

type History = {
  readonly name: string;
  readonly codec: number;
  readonly behaviour: number;
  /** Of the block: a history is never changed. */
  readonly sha256: string;
  readonly records: number;
  readonly byKind: Readonly<Record<string, number>>;
};

const histories: readonly History[] = [
  {
    name: 'first-routes',
    codec: 1,
    behaviour: 1,
    sha256: '08691cdc64b77cfc02706de5180d848dd8ad54fe63a7666d9ab582ed1acb0104',
    records: 611,
    byKind: {
      admitted: 175,
      routed: 175,
      shed: 7,
      failed_over: 61,
      refused: 18,
    },
  },
  {
    // Models that are loaded and unloaded, operations besides chat, snapshots in pages.
    name: 'closed-models',
    codec: 1,
    behaviour: 1,
    sha256: '20adf0a749cf7b3b1985ceca3d659778701be0c34cd1543095c108d54dabea46',
    records: 616,
    byKind: {
      admitted: 183,
      routed: 183,
      failed_over: 50,
      refused: 13,
      shed: 4,
    },
  },
  {
    // All thirteen strategies with their figures, hints, rules, budgets and breakers.
    name: 'every-policy',
    codec: 2,
    behaviour: 1,
    sha256: '059216fa128ce38c0e9cb9c319caf1cfedf14b7e8cbaf075c3f6314cc25bb625',
    records: 807,
    byKind: {
      admitted: 240,
      routed: 240,
      failed_over: 67,
      refused: 17,
      shed: 3,
    },
  },
  {
    // Limits, stays in the queue, arms of a split, and kinds that decide nothing.
    name: 'later-kinds',
    codec: 3,
    behaviour: 1,
    sha256: 'e129e0d5f3f4223daadbe2df03cbdac5dbb487494b3e48e5b9d15788967b9579',
    records: 220,
    byKind: {
      refused: 12,
      admitted: 47,
      routed: 47,
      failed_over: 15,
      queued: 8,
      shed: 1,
    },
  },
  {
    // Prefix affinity with two homes for each beginning.
    name: 'two-homes',
    codec: 3,
    behaviour: 2,
    sha256: 'dca97d10d0bd6a62e14596bcaac0cc662359364b51fd3d125d2e4d544e09a2e6',
    records: 762,
    byKind: {
      admitted: 228,
      routed: 228,
      failed_over: 46,
      shed: 8,
      refused: 24,
    },
  },
  {
    name: 'first-modes',
    codec: 1,
    behaviour: 1,
    sha256: 'c9002489863533e8700e3c83231b611a7d446c1cd268eabe2ecfe54a5434bca2',
    records: 22,
    byKind: {
      mode_evaluated: 22,
    },
  },
];

describe('a kept history', () => {
  for (const history of histories) {
    const payload = readHistory(history.name);

    it(`${history.name} is the one that was recorded`, () => {
      assert.equal(sha256(payload), history.sha256);
    });

    it(`${history.name} is decided as it was`, () => {
      const { codec, behaviour } = history;
      const redecider = new Redecider({
        snapshotOf: readSnapshot,
        behaviour,
        control: controlAgain,
      });
      const again = redecider.redecideBlock({ codec, payload });
      assert.ok(again.ok, again.ok ? '' : again.error.message);
      const { records, byKind, differing, undecidable } = again.value;
      assert.deepEqual(differing[0]?.difference, undefined);
      assert.equal(differing.length, 0);
      assert.deepEqual([...undecidable], []);
      assert.equal(records, history.records);
      assert.deepEqual(Object.fromEntries(byKind), history.byKind);
    });
  }
});

describe('the kept histories', () => {
  it('are those of the folder', () => {
    assert.deepEqual(histories.map(({ name }) => name).sort(), historyNames());
  });

  it('have one of each codec and of each behaviour that this program knows', () => {
    const codecs = new Set(histories.map(({ codec }) => codec));
    for (const codec of codecVersions.keys())
      assert.ok(codecs.has(codec), `none of codec ${codec}`);
    for (let number = 1; number <= currentBehaviour; number++) {
      assert.ok(
        histories.some(({ behaviour, byKind }) => behaviour === number && 'routed' in byKind),
        `none of behaviour ${number}`,
      );
    }
  });

  it('have their snapshots under their digests', () => {
    const digests = snapshotDigests();
    assert.ok(digests.length > 0);
    for (const digest of digests) assert.equal(sha256(readSnapshotText(digest)), digest);
  });
});
