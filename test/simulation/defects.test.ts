// Goal: every checker can fail, and fails for its own reason. Method: a table of planted defects; each
// is found within its number of seeds by the checker that names it, and every rule of specification F
// has at least one defect that it finds.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkerNames } from './checkers/violation.ts';
import { type Defect, defects } from './defects.ts';
import { runSeed } from './run-seed.ts';

/** Who finds the defect first, and the words of it. */
function findingOf({ seeds, from, plant }: Defect) {
  for (let seed = from; seed < from + seeds; seed++) {
    const { failure } = runSeed(seed, plant());
    if (failure !== undefined) return failure;
  }
  return undefined;
}

describe('planted defects', () => {
  for (const defect of defects) {
    test(`${defect.name}: found by ${defect.finder}`, () => {
      const finding = findingOf(defect);
      assert.equal(finding?.checker, defect.finder, finding?.words ?? 'nobody found it');
    });
  }
});

test('at least 25 defects, and one for every rule', () => {
  assert.ok(defects.length >= 25);
  const found = new Set(defects.map(({ finder }) => finder));
  const without = checkerNames.filter((name) => !found.has(name));
  assert.deepEqual(without, ['no-error', 'hardness']);
});
