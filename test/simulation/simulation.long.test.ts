// Goal: worlds that nobody has seen yet. Method: thousands of seeds from a base that is drawn and
// printed; SIMULATION_SEED sets it, so that a run can be repeated.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSeeds } from './pool.ts';
import { failureText, totalsOf, totalsText } from './report.ts';

const worlds = 5000;

function baseSeed(): number {
  const wanted = process.env['SIMULATION_SEED'];
  if (wanted === undefined) return Date.now() % 4_000_000_000;
  const seed = Number(wanted);
  assert.ok(Number.isInteger(seed), `SIMULATION_SEED is ${wanted}, but must be an integer`);
  return seed;
}

test('thousands of new worlds come through their faults without a violation', async (t) => {
  const base = baseSeed();
  t.diagnostic(`SIMULATION_SEED=${base}`);
  const seeds = Array.from({ length: worlds }, (_, index) => base + index);
  const reports = await runSeeds(seeds);
  const failed = reports.filter(({ failure }) => failure !== undefined);
  t.diagnostic(totalsText(totalsOf(reports)));
  assert.equal(failed.length, 0, failed.slice(0, 5).map(failureText).join('\n\n'));
});
