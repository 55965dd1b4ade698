// Goal: what the sinks keep and refuse, which records hold after an aborted round, and that the
// words of a refusal name who refused. Method: sinks in memory with a cap, which refuse by being
// full; the table in the header of audit-sink.ts, row by row.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AuditMode, fanOut, MemoryAudit } from './audit-sink.ts';
import { settledRecords } from './settled-records.ts';
import type { TransitionRecord } from './transition-record.ts';

function record(entityId: string, from: string, to: string): TransitionRecord {
  return { entityId, from, to, timestamp: 7 };
}

const first = record('a', 'queued', 'placed');
const second = record('a', 'placed', 'running');

describe('workflow', () => {
  test('the audit in memory keeps a group whole up to its cap, or none of it', () => {
    const audit = new MemoryAudit(3);
    assert.ok(audit.append([first, second]).ok);
    const refused = audit.append([first, second]);
    assert.ok(!refused.ok);
    assert.equal(refused.error.code, 'audit_full');
    assert.equal(refused.error.message, 'the audit in memory holds 2 of 3 records, no room for 2');
    assert.deepEqual(audit.records(), [first, second]);
    assert.ok(audit.append([record('b', 'queued', 'cancelled')]).ok);
    assert.deepEqual(audit.lines(), [
      '[7] queued -> placed (entity: a)',
      '[7] placed -> running (entity: a)',
      '[7] queued -> cancelled (entity: b)',
    ]);
    assert.ok(!audit.append([first]).ok);
    assert.ok(audit.append([]).ok);
  });

  for (const [mode, kept] of [
    ['strict', [1, 0, 0]],
    ['besteffort', [1, 0, 1]],
  ] satisfies [AuditMode, number[]][]) {
    test(`a fan-out that meets a refusal in ${mode} mode keeps what its table says`, () => {
      const sinks = [new MemoryAudit(9), new MemoryAudit(0), new MemoryAudit(9)];
      const verdict = fanOut(sinks).append([first], mode);
      assert.ok(!verdict.ok);
      assert.equal(verdict.error.code, 'sink_refused');
      assert.match(verdict.error.message, /^the audit in memory holds 0 of 0 records/);
      assert.deepEqual(
        sinks.map((sink) => sink.records().length),
        kept,
      );
    });
  }

  test('a fan-out of accepting sinks gives each the records in order, and none is well too', () => {
    const sinks = [new MemoryAudit(9), new MemoryAudit(9)];
    const all = fanOut(sinks);
    assert.ok(all.append([first, second], 'strict').ok);
    for (const sink of sinks) assert.deepEqual(sink.records(), [first, second]);
    assert.ok(fanOut([]).append([first], 'strict').ok);
  });

  test('every refusal of a besteffort round is told', () => {
    const verdict = fanOut([new MemoryAudit(0), new MemoryAudit(0)]).append([first], 'besteffort');
    assert.ok(!verdict.ok);
    assert.equal(verdict.error.message.split('; ').length, 2);
  });

  test('a record holds unless the next one of its entity leaves from elsewhere', () => {
    const cancelled = record('a', 'queued', 'cancelled');
    const other = record('b', 'queued', 'placed');
    const cases: readonly [string, readonly TransitionRecord[], readonly number[]][] = [
      ['a path holds', [first, other, second], [0, 1, 2]],
      ['the first attempt failed', [first, other, cancelled], [1, 2]],
      ['the same attempt twice', [first, first, second], [1, 2]],
      ['a group of two failed', [first, second, cancelled], [2]],
      ['all attempts but the last failed', [first, cancelled, first], [2]],
      ['nothing', [], []],
    ];
    for (const [what, records, held] of cases) {
      const expected = held.map((index) => records[index]);
      assert.deepEqual(settledRecords(records), expected, what);
    }
  });

  test('the newest records hold where no state is known, and only up to a known one', () => {
    const records = [first, second];
    assert.deepEqual(settledRecords(records), records);
    assert.deepEqual(settledRecords(records, new Map([['a', 'running']])), records);
    assert.deepEqual(settledRecords(records, new Map([['a', 'placed']])), [first]);
    assert.deepEqual(settledRecords(records, new Map([['a', 'queued']])), []);
    assert.deepEqual(settledRecords(records, new Map([['b', 'queued']])), records);
  });
});
