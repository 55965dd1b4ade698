// Goal: a log on disk replays without a difference, and what was edited, lost or asked otherwise is
// told with its place. Method: logs written by the production encoder and writer, replayed from their
// folder; then bytes are changed.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { canonicalJson } from '../../base/canonical.ts';
import { type PolicyBundle, readPolicyBundle } from '../../config/policy-bundle.ts';
import { type ReplayReportWire, replayReportSchema } from '../../protocol/control/trust-schemas.ts';
import {
  logFolder,
  logStartMs,
  type WrittenRequest,
  writeEvaluations,
  writeTraffic,
} from './log.test-support.ts';
import type { ReplayOptions } from './replay-folder.ts';
import { replayFolder } from './replay-here.ts';

function bundleOf(text: string): PolicyBundle {
  const bundle = readPolicyBundle(text, 'candidate.yaml');
  assert.ok(bundle.ok, 'a candidate without a fault');
  return bundle.value;
}

function replayed(folder: string, options: ReplayOptions = {}): ReplayReportWire {
  const report = replayFolder({ id: 'r', folder, options }, () => {});
  return replayReportSchema.parse(report);
}

/** The report without what differs between two runs of the same replay. */
function factsOf(report: ReplayReportWire): string {
  return canonicalJson(JSON.parse(JSON.stringify({ ...report, seconds: 0 })));
}

const folder = logFolder();
let written: readonly WrittenRequest[] = [];

before(async () => {
  written = await writeTraffic(folder, { requests: 2000, seed: 1 });
  await writeTraffic(folder, { requests: 1000, seed: 2, stream: 't1', groups: ['other'] });
  await writeEvaluations(folder, Array(12).fill(0));
});

test('a whole log replays without a difference, and every decision is counted once', () => {
  const report = replayed(folder);
  assert.equal(report.divergences, 0);
  assert.equal(report.first_divergence, null);
  assert.deepEqual([report.faults, report.skipped, report.gaps], [[], {}, []]);
  const { by_kind: kinds } = report;
  assert.equal(
    Object.values(kinds).reduce((sum, count) => sum + count, 0),
    report.decisions,
  );
  assert.equal((kinds['admitted'] ?? 0) + (kinds['refused'] ?? 0), 3000);
  assert.equal(kinds['mode_evaluated'], 12);
  assert.match(report.words, /^\d \d{3} decisions replayed, 0 differ from what ran\.$/);
  assert.equal(report.progress, 1);
});

test('a window is closed on both ends and adjoining windows share no decision', () => {
  const middle = logStartMs + 30_000;
  const all = replayed(folder).decisions;
  const left = replayed(folder, { toMs: middle }).decisions;
  const right = replayed(folder, { fromMs: middle + 1 }).decisions;
  assert.ok(left > 0 && right > 0);
  assert.equal(left + right, all);
});

test('one request replays alone', () => {
  const twice = written.find((request) => request.attempts === 2);
  assert.ok(twice !== undefined);
  const report = replayed(folder, { requestId: twice.requestId });
  assert.deepEqual(report.by_kind, { admitted: 1, failed_over: 1, routed: 1 });
  assert.equal(report.divergences, 0);
});

test('the same replay gives the same report, with a candidate as well', () => {
  const options = { bundle: bundleOf('routing: {strategy: random}') };
  assert.equal(factsOf(replayed(folder, options)), factsOf(replayed(folder, options)));
});

test('a candidate that names what ran changes nothing', () => {
  const bundle = bundleOf('routing: {weights: {priority: 50, load: 30, latency: 20}}');
  const { candidate } = replayed(folder, { bundle });
  assert.equal(candidate?.changed, 0);
  assert.deepEqual(candidate?.diff, []);
  for (const shift of candidate?.shifts ?? []) assert.equal(shift.recorded, shift.candidate);
});

test('a candidate with other weights shifts decisions, and both columns have one sum', () => {
  const bundle = bundleOf('routing: {weights: {priority: 0, load: 0, latency: 100}}');
  const report = replayed(folder, { bundle });
  const { candidate } = report;
  assert.ok(candidate !== null && candidate.changed > 100);
  const sum = (side: 'recorded' | 'candidate'): number =>
    candidate.shifts.reduce((total, shift) => total + shift[side], 0);
  assert.equal(sum('recorded'), sum('candidate'));
  assert.equal(candidate.diff.length, 100);
  const [first] = candidate.diff;
  assert.match(
    first?.because ?? '',
    /^latency weight 20 -> 100: score of sim-[abc] [\d.]+ -> [\d.]+, of sim-[abc] [\d.]+ -> [\d.]+$/,
  );
  assert.notEqual(first?.was, first?.would_be);
  assert.match(report.words, /The candidate would change [\d ]+ \(\d+\.\d %\)\.$/);
});

test('a candidate without retries makes no second attempt, and says so', () => {
  const { candidate } = replayed(folder, { bundle: bundleOf('routing: {max_retries: 0}') });
  const second = written.filter((request) => request.attempts === 2).length;
  assert.ok(candidate !== null && candidate.changed >= second);
  assert.equal(candidate.diff[0]?.because, 'max_retries 2 -> 0: no second attempt');
  assert.equal(candidate.diff[0]?.would_be, 'refused');
  const refused = candidate.shifts.find((shift) => shift.backend_id === 'refused');
  assert.equal((refused?.candidate ?? 0) - (refused?.recorded ?? 0), candidate.changed);
});

test('tier 2 estimates from a log of chance what a choice by score would have had', async () => {
  const random = logFolder();
  await writeTraffic(random, { requests: 3000, seed: 5, routing: { strategy: 'random' } });
  const bundle = bundleOf('routing: {strategy: smart}');
  const [slice] = replayed(random, { bundle }).candidate?.estimated ?? [];
  assert.ok(slice !== undefined && slice.refused === null);
  assert.deepEqual([slice.model, slice.tokens], ['m', '0-255']);
  const { low_ms: low, high_ms: high, recorded_first_byte_ms: recorded } = slice;
  assert.ok(low !== null && high !== null && recorded !== null && low < high);
  assert.ok(high < recorded, 'sim-a answers first, and the score prefers it');
});

test('tier 3 simulates both policies and says how far its model is off', async () => {
  // By chance, so that where a request went does not hang on figures that the test makes up.
  const random = logFolder();
  await writeTraffic(random, { requests: 1500, seed: 7, routing: { strategy: 'random' } });
  const { candidate } = replayed(random, { bundle: bundleOf('routing: {strategy: smart}') });
  const simulated = candidate?.simulated;
  assert.ok(simulated !== null && simulated !== undefined, candidate?.simulated_refused ?? '');
  assert.equal(simulated.recorded_policy.rejected, 0);
  assert.ok((simulated.calibration_error ?? 1) < 0.1, String(simulated.calibration_error));
  const [now, wanted] = [simulated.recorded_policy, simulated.candidate];
  assert.ok((wanted.first_byte_p50_ms ?? 0) < (now.first_byte_p50_ms ?? 0));
  const few = logFolder();
  await writeTraffic(few, { requests: 50, seed: 8 });
  const refused = replayed(few, { bundle: bundleOf('routing: {strategy: random}') });
  assert.equal(refused.candidate?.simulated, null);
  assert.match(
    refused.candidate?.simulated_refused ?? '',
    /answered requests in the window, needs 100/,
  );
});

test('thresholds of a candidate move the mode at other times than it moved', async () => {
  const ladder = logFolder();
  // Seven of a hundred fail for a while: above 5 %, below 20 %.
  const failures = [0, 0, 7, 7, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const modes = await writeEvaluations(ladder, failures);
  assert.ok(
    modes.some(({ mode }) => mode === 'watch'),
    'the recorded mode moved',
  );
  const lenient = replayed(ladder, { bundle: bundleOf('policy: {failure_percent: 20}') });
  assert.equal(lenient.divergences, 0);
  const [move] = lenient.candidate?.mode_moves ?? [];
  assert.deepEqual([move?.recorded, move?.candidate], ['watch', 'normal']);
  const same = replayed(ladder, { bundle: bundleOf('policy: {failure_percent: 5}') });
  assert.deepEqual(same.candidate?.mode_moves, []);
});

function segmentsOf(at: string, stream: string): string[] {
  return readdirSync(join(at, stream))
    .filter((name) => name.endsWith('.tfd'))
    .map((name) => join(at, stream, name));
}

test('a flipped bit is told with segment, offset and sequence, and the rest is replayed', async () => {
  const broken = logFolder();
  await writeTraffic(broken, { requests: 500, seed: 3 });
  const whole = replayed(broken).decisions;
  const [file] = segmentsOf(broken, 't0');
  assert.ok(file !== undefined);
  const bytes = readFileSync(file);
  const at = bytes.length >> 1;
  bytes.writeUInt8((bytes[at] ?? 0) ^ 4, at);
  writeFileSync(file, bytes);
  const report = replayed(broken, { bundle: bundleOf('routing: {strategy: random}') });
  assert.equal(report.divergences, 0);
  assert.ok(report.decisions < whole && report.decisions > 0);
  assert.equal(report.faults[0]?.name, 't0/00000001.tfd');
  assert.notEqual(report.faults[0]?.offset, null);
  assert.notEqual(report.faults[0]?.sequence, null);
  assert.match(report.words, /damaged in \d places?: this is no proof\./);
  assert.deepEqual(report.candidate?.shifts, [], 'nothing of the candidate is shown as fact');
});

test('a lost segment and a lost snapshot are told', async () => {
  const lost = logFolder();
  await writeTraffic(lost, { requests: 800, seed: 4, segmentBytes: 20_000 });
  const files = segmentsOf(lost, 't0');
  assert.ok(files.length >= 3, `${files.length} segments`);
  rmSync(files[1] ?? '');
  const report = replayed(lost);
  assert.ok(report.faults.some(({ reason }) => reason === 'missing_segment'));
  for (const name of readdirSync(join(lost, 'snapshots'))) rmSync(join(lost, 'snapshots', name));
  const blind = replayed(lost);
  assert.ok((blind.skipped['snapshot_missing'] ?? 0) > 0);
  assert.ok(blind.faults.some(({ where }) => where === 'snapshots'));
});

test('a lost page of a snapshot is told under its own name', async () => {
  const lost = logFolder();
  await writeTraffic(lost, { requests: 40, seed: 4 });
  const pathOf = (name: string): string => join(lost, 'snapshots', name);
  const isPage = (name: string): boolean =>
    readFileSync(pathOf(name), 'utf8').startsWith('{"targets"');
  const page = readdirSync(join(lost, 'snapshots')).find(isPage) ?? '';
  rmSync(pathOf(page));
  const { faults, skipped } = replayed(lost);
  assert.deepEqual(
    faults.map(({ where, name, reason }) => ({ where, name: `${name}.json`, reason })),
    [{ where: 'snapshots', name: page, reason: 'missing_snapshot' }],
  );
  assert.ok((skipped['snapshot_missing'] ?? 0) > 0);
});

test('a silence of the evaluations is a gap with its interval', async () => {
  const silent = logFolder();
  await writeEvaluations(silent, Array(20).fill(0), (index) => (index === 9 ? 300_000 : 0));
  const report = replayed(silent);
  const [gap] = report.gaps ?? [];
  assert.equal(Date.parse(gap?.to ?? '') - Date.parse(gap?.from ?? ''), 310_000);
  assert.match(report.words, /Incomplete: 1 gap in the log\./);
});

test('an empty folder is nothing to prove and no fault', () => {
  const report = replayed(logFolder());
  assert.equal(report.decisions, 0);
  assert.equal(report.words, '0 decisions replayed, 0 differ from what ran.');
});
