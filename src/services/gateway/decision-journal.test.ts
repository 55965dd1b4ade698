// Goal: the figures of a journal are there for whoever looks, are told as news once, and a stream that
// cannot be written is named without anybody having asked before. Method: a journal over a folder of
// its own; the folder of its stream is taken away to make the disk refuse.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { instant } from '../../base/time.ts';
import { DecisionJournal, type JournalReport } from './decision-journal.ts';
import { JournalFigures } from './journal-figures.ts';

const at = instant(1_763_700_000_000);

function open(t: TestContext, words: string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'tf-journal-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  let nowMs = 0;
  const journal = DecisionJournal.open(
    { folder, program: '1', segmentBytes: 1_000_000, queueBytes: 1e6, onFull: 'drop', sample: 1 },
    'control',
    {
      monotonicMs: () => nowMs,
      wallMs: () => at + nowMs,
      onSealed: () => undefined,
      onTrouble: (text) => words.push(text),
    },
  );
  return {
    journal,
    stream: join(folder, 'control'),
    pass: (ms: number): void => {
      nowMs += ms;
    },
  };
}

const decision = { name: 'evaluated', version: 1, input: {}, output: {} };

test('without settings there are no figures and no news', () => {
  const ports = { monotonicMs: () => 0, wallMs: () => 0, onSealed() {}, onTrouble() {} };
  const journal = DecisionJournal.open(undefined, 't0', ports);
  assert.equal(journal.figures, undefined);
  assert.equal(journal.report(), undefined);
  const figures = new JournalFigures(journal);
  assert.deepEqual([figures.records, figures.dropped, figures.full], [0, 0, []]);
});

test('figures are there at every look; as news they are told once for each change', async (t) => {
  const { journal } = open(t);
  const first = journal.report();
  assert.equal(first?.records, 1, 'the record that opens the log');
  assert.equal(journal.report(), undefined);
  assert.equal(journal.figures?.records, 1);
  journal.control(decision, at);
  assert.equal(journal.figures?.records, 2);
  assert.equal(journal.report()?.records, 2, 'a look at the figures takes no news away');
  await journal.flush();
  const written = journal.report();
  assert.ok(written !== undefined && written.bytes > (first?.bytes ?? 0));
  assert.equal(journal.report(), undefined);
  await journal.close();
});

test('a control stream that cannot be written is named by itself until it can be again', async (t) => {
  const words: string[] = [];
  const { journal, stream, pass } = open(t, words);
  const figures = new JournalFigures(journal);
  assert.deepEqual(figures.full, []);
  rmSync(stream, { recursive: true });
  await journal.flush();
  assert.deepEqual(figures.full, ['control']);
  assert.equal(words.length, 1);
  mkdirSync(stream);
  pass(1000);
  journal.sweep();
  await journal.flush();
  assert.deepEqual(figures.full, []);
  await journal.close();
});

test('the sums are of the newest report of every stream', (t) => {
  const { journal } = open(t);
  const figures = new JournalFigures(journal);
  const report: JournalReport = { bytes: 10, records: 5, dropped: 2, isFull: true };
  figures.reported('t0', { ...report, records: 3 });
  figures.reported('t0', report);
  figures.reported('t1', { ...report, isFull: false });
  assert.equal(figures.records, 5 + 5 + 1);
  assert.equal(figures.dropped, 4);
  assert.deepEqual(figures.full, ['t0']);
});
