// Goal: the gate before the body answers in the order key, mode, load, at each edge, and never gives
// back in a stricter mode what a milder one refuses (RP2). Method: a table, then random readings.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import type { PriorityClass } from '../jobs/priority-class.ts';
import { type AdmissionReading, judgeAdmission, mayAttemptAgain } from './admission.ts';
import { modes } from './serving-mode.ts';

const calm: AdmissionReading = {
  mode: 'normal',
  inFlight: 1,
  inFlightMax: 10,
  keyInFlight: 1,
  keyInFlightMax: 4,
};

describe('admission', () => {
  it('asks the limit of the key first, then the mode, then the load', () => {
    const full = { ...calm, mode: 'halted', inFlight: 11, keyInFlight: 5 } as const;
    assert.equal(judgeAdmission(3, full), 'key_limit');
    assert.equal(judgeAdmission(3, { ...full, keyInFlight: 4 }), 'mode');
    assert.equal(judgeAdmission(5, { ...full, keyInFlight: 4 }), 'shed');
    assert.equal(judgeAdmission(5, { ...full, keyInFlight: 4, inFlight: 7 }), 'admitted');
  });

  it('a key without a limit is never at it', () => {
    const busy = { ...calm, keyInFlight: 1000, keyInFlightMax: 0 };
    assert.equal(judgeAdmission(1, busy), 'admitted');
  });

  it('sheds beyond the limit, and from 80 per cent on where the mode is an emergency', () => {
    const at = (inFlight: number, mode: AdmissionReading['mode']) =>
      judgeAdmission(5, { ...calm, inFlight, mode });
    assert.equal(at(10, 'normal'), 'admitted');
    assert.equal(at(11, 'normal'), 'shed');
    assert.equal(at(10, 'watch'), 'admitted');
    assert.equal(at(7, 'restricted'), 'admitted');
    assert.equal(at(8, 'restricted'), 'shed');
    assert.equal(at(7, 'halted'), 'admitted');
    assert.equal(at(8, 'halted'), 'shed');
  });

  it('halted admits the most urgent class only', () => {
    const halted = { ...calm, mode: 'halted' } as const;
    const admitted = ([1, 2, 3, 4, 5] as const).filter(
      (one) => judgeAdmission(one, halted) === 'admitted',
    );
    assert.deepEqual(admitted, [5]);
  });

  it('the smaller of the configured retries and those of the mode counts', () => {
    const attempts = (retries: number, mode: AdmissionReading['mode']) =>
      [1, 2, 3, 4, 5].filter((n) => mayAttemptAgain(n, retries, mode)).length;
    assert.deepEqual(
      modes().map((mode) => attempts(2, mode)),
      [2, 2, 1, 0],
    );
    assert.deepEqual(
      modes().map((mode) => attempts(5, mode)),
      [3, 2, 1, 0],
    );
    assert.equal(attempts(0, 'normal'), 0);
  });

  holds(
    'what a mode refuses, every stricter mode refuses as well (RP2)',
    fc.property(
      fc.constantFrom<PriorityClass>(1, 2, 3, 4, 5),
      fc.record({
        inFlight: fc.nat(12),
        inFlightMax: fc.nat(10),
        keyInFlight: fc.nat(6),
        keyInFlightMax: fc.nat(5),
      }),
      fc.nat(5),
      (priorityClass, load, attempts) => {
        const admits = modes().map(
          (mode) => judgeAdmission(priorityClass, { ...load, mode }) === 'admitted',
        );
        const retries = modes().map((mode) => mayAttemptAgain(attempts, 3, mode));
        for (const row of [admits, retries]) {
          const first = row.indexOf(false);
          if (first >= 0) assert.ok(!row.slice(first).includes(true), `${row}`);
        }
      },
    ),
  );
});
