// Goal: the product passes the whole scenario matrix and all examples in both modes, and says so in
// the same bytes every time. Method: both modes run twice in this process; the size, the split over
// the groups and the words of a failure are compared with the specification (G).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documents } from '../support/documents.ts';
import { examples } from './examples/examples.ts';
import type { Mode } from './groups/group.ts';
import { groups, indexCount, runMatrix } from './matrix.ts';
import { exitCodeOf, jsonOf, textOf } from './report.ts';

/** 12 500 cases of the matrix and the 185 examples of the first revision. */
const leastTotal = 12_685;

/** How many indices run the checks of each group, in the order of the groups. */
const sizes: Readonly<Record<Mode, readonly number[]>> = {
  grouped: [...new Array(12).fill(893), 892, 892],
  monolithic: new Array(14).fill(indexCount),
};

for (const mode of ['grouped', 'monolithic'] as const) {
  test(`every case passes in ${mode} mode, twice in a row with identical bytes`, () => {
    const [first, second] = [1, 2].map(() => runMatrix(documents, mode, examples));
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(first.failed, 0, textOf(first));
    assert.ok(first.total >= leastTotal, `${first.total} cases`);
    assert.equal(first.passed, indexCount + examples.length);
    const passed = groups.map(({ name }) => first.groups[name]?.passed);
    assert.deepEqual(passed, sizes[mode]);
    assert.equal(textOf(second), textOf(first));
    assert.equal(jsonOf([second]), jsonOf([first]));
    assert.equal(exitCodeOf([first, second]), 0);
  });
}

test('at least the 255 examples of the later revision are run', () => {
  assert.ok(examples.length >= 255, `${examples.length} examples`);
});

test('a group or an index alone can be chosen, and an index means the same in every run', () => {
  const ran = (selection: Parameters<typeof runMatrix>[3], mode: Mode) => {
    const summary = runMatrix(documents, mode, examples, selection);
    return [summary.total, Object.keys(summary.groups)] as const;
  };
  assert.deepEqual(ran({ index: 20 }, 'grouped'), [1, ['policy']]);
  assert.deepEqual(ran({ index: 20, only: 'policy' }, 'grouped'), [1, ['policy']]);
  assert.deepEqual(ran({ index: 20, only: 'queue' }, 'grouped'), [0, []]);
  assert.deepEqual(ran({ index: 20, only: 'queue' }, 'monolithic'), [1, ['queue']]);
  assert.equal(ran({ index: 20 }, 'monolithic')[1].length, 14);
  assert.deepEqual(ran({ only: 'examples' }, 'grouped'), [examples.length, ['examples']]);
  assert.deepEqual(ran({ only: 'examples', index: 3 }, 'grouped'), [1, ['examples']]);
});

test('a failing case tells group, index and assertion, and fails the run', () => {
  const broken = {
    ...documents,
    queue: { ...documents.queue, queue_pressure: (depth: number, limit: number) => depth / limit },
  };
  const summary = runMatrix(broken, 'grouped', [], { only: 'queue' });
  const [failure] = summary.failures;
  assert.ok(failure !== undefined);
  assert.equal(summary.failed, summary.failures.length);
  assert.equal(summary.passed + summary.failed, 893);
  assert.equal(failure.group, 'queue');
  assert.equal(failure.index % 14, 7);
  assert.equal(failure.assertion, 'pressure is held at one');
  assert.match(failure.words, /^got 1\.\d+, expected 1$/);
  const text = textOf(summary);
  assert.ok(text.includes(`FAIL queue ${failure.index}: pressure is held at one: got 1.`), text);
  assert.ok(text.endsWith(`failed ${summary.failed}`));
  assert.equal(exitCodeOf([summary]), 1);
  assert.equal(exitCodeOf([runMatrix(documents, 'grouped', [], { index: 1, only: 'config' })]), 1);
});
