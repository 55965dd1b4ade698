// Goal: the five incidents can never come back, and a recording of one says the same in every year.
// Method: recordings with a fixed clock (fixtures/*.json) are decided again, twice, and compared with
// what they expect by their canonical bytes; the history of E.5 row 7 is also delivered twice over
// and in any order.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, type Json } from '../../src/base/canonical.ts';
import { replay } from '../../src/core/resilience/replay.ts';
import { holds } from '../support/properties.ts';
import { answerTo, type Recording } from './incident-replay.ts';

const folder = new URL('./fixtures/', import.meta.url);

function read(name: string): Recording {
  return JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
}

const recordings = readdirSync(folder).sort().map(read);

/** The rows that no step can hold, because they are about requests on the wire. */
const rowsOfTheWire: Readonly<Record<string, readonly number[]>> = { 'E.2': [1, 2, 3, 8] };
/** Rows that speak of a thousand random cases; the properties of incidents.test.ts hold them. */
const rowsOfProperties: Readonly<Record<string, readonly number[]>> = { 'E.1': [6] };
const rowCounts: Readonly<Record<string, number>> = {
  'E.1': 7,
  'E.2': 8,
  'E.3': 7,
  'E.4': 9,
  'E.5': 8,
};

function answersTo({ steps, clock }: Recording): readonly Json[] {
  return steps.map((step) => answerTo(step, clock));
}

test('every row of every incident has a step', () => {
  assert.deepEqual(recordings.map(({ scenario }) => scenario).sort(), Object.keys(rowCounts));
  for (const { scenario, steps } of recordings) {
    const rows = Array.from({ length: rowCounts[scenario] ?? 0 }, (_, at) => at + 1);
    const elsewhere = [...(rowsOfTheWire[scenario] ?? []), ...(rowsOfProperties[scenario] ?? [])];
    const missing = rows.filter(
      (row) => !elsewhere.includes(row) && !steps.some((step) => step.row === row),
    );
    assert.deepEqual(missing, [], scenario);
  }
});

for (const recording of recordings) {
  test(`${recording.scenario}: ${recording.title}`, () => {
    for (const [at, step] of recording.steps.entries()) {
      const answer = canonicalJson(answerTo(step, recording.clock));
      const where = `row ${step.row}, step ${at}: ${step.operation}`;
      assert.equal(answer, canonicalJson(step.expected), where);
    }
    const again = canonicalJson(answersTo(read(`${fileOf(recording)}`)));
    assert.equal(canonicalJson(answersTo(recording)), again, 'a second replay has the same bytes');
  });
}

function fileOf({ scenario }: Recording): string {
  const prefix = scenario.toLowerCase().replace('.', '');
  const name = readdirSync(folder).find((file) => file.startsWith(prefix));
  return name ?? assert.fail(`no file for ${scenario}`);
}

const history = recordings
  .flatMap(({ steps }) => steps)
  .flatMap((step) => (step.operation === 'replay' ? step.input.events : []));

function bytesOf(delivered: typeof history): string {
  const state = replay(delivered);
  return state.ok ? canonicalJson(state.value) : assert.fail(state.error.message);
}

holds(
  'E.5 row 7: the history delivered twice, shuffled, has identical bytes',
  fc.property(
    fc.shuffledSubarray([...history, ...history], { minLength: 2 * history.length }),
    (delivered) => {
      assert.equal(delivered.length, 2 * history.length);
      assert.equal(bytesOf(delivered), bytesOf(history));
    },
  ),
);
