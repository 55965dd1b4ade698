// Goal: nothing of specification F is violated in five hundred worlds full of faults, each is as hard as
// it should be, and no kind of fault is missing. Method: fixed seeds on two threads; a failure prints
// its seed, its newest events and the command that runs it again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modes } from '../../src/core/policy/serving-mode.ts';
import { faultKinds } from './environment/faults.ts';
import { runSeeds } from './pool.ts';
import { failureText, totalsOf } from './report.ts';
import { runSeed } from './run-seed.ts';
import { gateSeeds } from './seeds.ts';
import { World } from './world.ts';

const leastOfEachFault = 200;

test('five hundred worlds come through their faults without a violation', async (t) => {
  const reports = await runSeeds(gateSeeds);
  const failed = reports.filter(({ failure }) => failure !== undefined);
  assert.equal(failed.length, 0, failed.slice(0, 3).map(failureText).join('\n\n'));
  const totals = totalsOf(reports);
  assert.equal(totals.seeds, gateSeeds.length);
  for (const report of reports) {
    assert.ok(report.virtualMs >= 600_000, `seed ${report.seed}: ${report.virtualMs} virtual ms`);
    assert.ok(report.requests >= 2000, `seed ${report.seed}: ${report.requests} requests`);
    assert.ok(report.struck >= 20, `seed ${report.seed}: ${report.struck} faults`);
    assert.ok(report.decisions > 1000, `seed ${report.seed}: ${report.decisions} made again`);
  }
  for (const kind of faultKinds) {
    assert.ok(totals.faults[kind] >= leastOfEachFault, `${kind}: ${totals.faults[kind]} times`);
  }
  t.diagnostic(`${totals.virtualHours.toFixed(0)} virtual hours, ${totals.requests} requests`);
});

test('a seed has one history', () => {
  const lines: string[][] = [[], []];
  const reports = lines.map((kept) => runSeed(7, { say: (line) => kept.push(line) }));
  assert.deepEqual(lines[0], lines[1]);
  assert.deepEqual(reports[0], reports[1]);
});

test('the worlds hold what the rules speak of: good and bad of every sort, and every mode', () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 12; seed++) {
    const world = new World(seed);
    world.run();
    const { security, policy } = world.ground.watch;
    for (const what of [...security.judged.keys(), ...policy.visits.keys()]) seen.add(what);
  }
  const expected = [
    ...[200, 400, 401, 403, 503].map((status) => `credential ${status}`),
    ...['done', 'unauthenticated', 'forbidden', 'not_found'].map((outcome) => `change ${outcome}`),
    ...['placement good', 'placement bad', 'promotion good', 'promotion bad'].map(
      (what) => `manifest ${what}`,
    ),
    'key revoked',
    'placed',
    'placed isolated',
    ...modes(),
  ];
  assert.deepEqual([...seen].sort(), expected.sort());
});

test('a failure tells seed, step, time, the newest events and how to run it again', () => {
  const report = runSeed(3, { conduct: { settlesTimes: 2 } });
  const text = failureText(report);
  assert.match(text, /^seed 3, step \d+, \d+\.\d{3} s: one-ending: request \d+ ends again/);
  assert.match(text, /npm run -s simulation -- --seed 3 --verbose$/);
  assert.equal(report.failure?.recent.length, 30);
});
