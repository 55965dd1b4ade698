// Goal: the table of F.2, cell by cell, and that no stricter mode gives back what a milder refuses
// (RP2). Method: each gate as a question with an answer, asked in every pair of modes.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import type { PriorityClass } from '../jobs/priority-class.ts';
import { admits, admitsBatch, admitsRetry, gatesOf, type ModeGates } from './mode-gates.ts';
import { modes, modeWeight, type ServingMode } from './serving-mode.ts';

const classes: readonly PriorityClass[] = [1, 2, 3, 4, 5];

/** Something asked of the installation; a field that a gate does not look at is ignored by it. */
type Demand = {
  readonly priorityClass: PriorityClass;
  readonly retriesDone: number;
  /** Share of the shadow traffic, or of the batch wait, that is wanted. */
  readonly share: number;
  readonly isPriorityGroup: boolean;
};

const grants: Readonly<Record<string, (mode: ServingMode, demand: Demand) => boolean>> = {
  admission: (mode, { priorityClass }) => admits(mode, priorityClass),
  retry: (mode, { retriesDone }) => admitsRetry(mode, retriesDone),
  'a batch': (mode, { isPriorityGroup }) => admitsBatch(mode, isPriorityGroup),
  'ordinary shedding': (mode) => !gatesOf(mode).emergencyShedding,
  experiments: (mode) => gatesOf(mode).experiments,
  'shadow traffic': (mode, { share }) => share <= gatesOf(mode).shadowShare,
  'canary promotion': (mode) => gatesOf(mode).canaryPromotion,
  deployment: (mode) => gatesOf(mode).deployments,
  'batch wait': (mode, { share }) => share <= gatesOf(mode).batchWaitShare,
  'OpenAI batches': (mode) => gatesOf(mode).openAiBatches,
  'suite runs': (mode) => gatesOf(mode).suiteRuns,
};

describe('policy', () => {
  test('each mode grants what its row of the table says', () => {
    const column = <T>(read: (mode: ServingMode) => T): readonly T[] => modes().map(read);
    const granted = (gate: keyof ModeGates) => column((mode) => gatesOf(mode)[gate]);
    assert.deepEqual(granted('emergencyShedding'), [false, false, true, true]);
    assert.deepEqual(granted('experiments'), [true, true, false, false]);
    assert.deepEqual(granted('shadowShare'), [1, 0.5, 0, 0]);
    assert.deepEqual(granted('canaryPromotion'), [true, true, false, false]);
    assert.deepEqual(granted('deployments'), [true, true, true, false]);
    assert.deepEqual(granted('batchWaitShare'), [1, 0.5, 0, 0]);
    assert.deepEqual(granted('openAiBatches'), [true, true, false, false]);
    assert.deepEqual(granted('suiteRuns'), [true, true, true, false]);
    assert.deepEqual(
      column((mode) => admitsBatch(mode, false)),
      [true, true, false, false],
    );
    assert.deepEqual(
      column((mode) => admitsBatch(mode, true)),
      [true, true, true, false],
    );
  });

  test('every class is admitted until everything is halted, then class 5 alone', () => {
    for (const mode of modes()) {
      const admitted = classes.filter((one) => admits(mode, one));
      assert.deepEqual(admitted, mode === 'halted' ? [5] : classes, mode);
    }
  });

  test('a request is tried again 3, 2, 1 or 0 times', () => {
    for (const [index, mode] of modes().entries()) {
      const tries = [0, 1, 2, 3, 4].filter((done) => admitsRetry(mode, done));
      assert.equal(tries.length, 3 - index, mode);
    }
  });

  holds(
    'what a mode refuses, every stricter mode refuses as well (RP2)',
    fc.property(
      fc.constantFrom(...modes()),
      fc.constantFrom(...modes()),
      fc.constantFrom(...Object.keys(grants)),
      fc.record({
        priorityClass: fc.constantFrom(...classes),
        retriesDone: fc.nat(5),
        share: fc.double({ min: 0.01, max: 1, noNaN: true }),
        isPriorityGroup: fc.boolean(),
      }),
      (one, other, gate, demand) => {
        const [mild, strict] = modeWeight(one) <= modeWeight(other) ? [one, other] : [other, one];
        const grant = grants[gate];
        assert.ok(grant !== undefined);
        if (!grant(mild, demand)) assert.ok(!grant(strict, demand), `${gate}: ${mild}, ${strict}`);
      },
    ),
  );
});
