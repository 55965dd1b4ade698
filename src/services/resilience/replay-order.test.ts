// Goal: scenario E.5 at replay level: windows are closed on both ends, order is that of the sequences,
// a second delivery changes no byte, and a silence is flagged. Method: logs on disk whose times are
// the numbers of the scenario, in ms after a start.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { canonicalJson } from '../../base/canonical.ts';
import { FolderSource } from './folder-source.ts';
import {
  LogStream,
  logFolder,
  logStartMs,
  requestIdOf,
  writeEvaluations,
} from './log.test-support.ts';
import { replayFolder } from './replay-here.ts';

const folder = logFolder();

function admit(log: LogStream, at: number, number: number): void {
  log.encoder.admission({
    kind: 'admitted',
    requestId: requestIdOf(at, number),
    at,
    keyId: 'key_ana',
    groupName: 'ml',
    path: '/v1/chat/completions',
    priorityClass: 3,
    reading: { mode: 'normal', inFlight: 1, inFlightMax: 10, keyInFlight: 1, keyInFlightMax: 0 },
    code: undefined,
  });
  log.wrote();
}

/** One decision a millisecond; its number is its sequence and its time. */
before(async () => {
  const log = new LogStream(folder, 't0', 64, 8000);
  for (let number = 1; number <= 1100; number++) admit(log, logStartMs + number, number);
  await log.close();
});

/** Sequences of the records of the window, as they are read. */
function sequencesOf(fromMs: number, toMs: number): number[] {
  const source = new FolderSource(folder);
  const found: number[] = [];
  for (const item of source.blocks({ fromMs, toMs })) {
    assert.ok(item.kind === 'block');
    const records = source.decode(item);
    assert.ok(records.ok);
    for (const [index, record] of records.value.entries()) {
      if (record.at >= fromMs && record.at <= toMs) found.push(item.sequence + index);
    }
  }
  return found;
}

function replayed(at: string, fromMs?: number, toMs?: number) {
  return replayFolder({ id: 'r', folder: at, options: { fromMs, toMs } }, () => {});
}

function bytesOf(at: string): string {
  return canonicalJson(JSON.parse(JSON.stringify({ ...replayed(at), seconds: 0 })));
}

test('E.5 row 1: window [1000, 1050] is 51 decisions, 1000 first, 1050 last', () => {
  const sequences = sequencesOf(logStartMs + 1000, logStartMs + 1050);
  assert.deepEqual(
    sequences,
    Array.from({ length: 51 }, (_, i) => 1000 + i),
  );
  assert.equal(replayed(folder, logStartMs + 1000, logStartMs + 1050).decisions, 51);
});

test('E.5 row 5: window [100, 200] is 101 decisions, and its neighbours lose none', () => {
  const count = (from: number, to: number): number =>
    replayed(folder, logStartMs + from, logStartMs + to).decisions;
  assert.equal(count(100, 200), 101);
  assert.equal(count(1, 99) + count(100, 200) + count(201, 1100), 1100);
});

test('E.5 row 7: the same history delivered again, its files in another order, is the same bytes', () => {
  const again = logFolder();
  mkdirSync(join(again, 't0'));
  // Delivered twice, the second time backwards: what is there already is written over.
  for (const names of [
    readdirSync(join(folder, 't0')),
    readdirSync(join(folder, 't0')).reverse(),
  ]) {
    for (const name of names) cpSync(join(folder, 't0', name), join(again, 't0', name));
  }
  assert.equal(bytesOf(again), bytesOf(folder));
  assert.equal(bytesOf(folder), bytesOf(folder));
});

test('E.5 row 8: a silence makes the result incomplete, with its interval', async () => {
  const silent = logFolder();
  await writeEvaluations(silent, Array(8).fill(0), (index) => (index === 4 ? 990_000 : 0));
  const report = replayed(silent);
  assert.match(report.words, /Incomplete: 1 gap in the log/);
  const from = new Date(logStartMs + 40_000).toISOString();
  const to = new Date(logStartMs + 1_040_000).toISOString();
  const words = '1000 s without an evaluation of the serving mode';
  assert.deepEqual(report.gaps, [{ stream: 'control', from, to, words }]);
});
