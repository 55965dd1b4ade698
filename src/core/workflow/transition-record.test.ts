// Goal: the line of an audit log has the fixed format, byte for byte, and reads back as the record
// it was made of and as no other. Method: the format by hand, near misses, then any record at all.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { auditLine, parseAuditLine, type TransitionRecord } from './transition-record.ts';

const record: TransitionRecord = {
  entityId: 'job-7',
  from: 'queued',
  to: 'placed',
  timestamp: 1_700_000_000_123,
};
const line = '[1700000000123] queued -> placed (entity: job-7)';

const anyState = fc.stringMatching(/^[^\s]{1,8}$/u).filter((text) => /^\S+$/.test(text));
const anyRecord: fc.Arbitrary<TransitionRecord> = fc.record(
  {
    entityId: fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('', ')', 'a) (entity: b', 'x\n[1] a -> b (entity: y)', ' -> ', '\u2028'),
    ),
    from: anyState,
    to: fc.oneof(anyState, fc.constantFrom('->', '(entity:', '[1]')),
    timestamp: fc.maxSafeInteger(),
  },
  { noNullPrototype: true },
);

describe('workflow', () => {
  test('an audit line has the format that analytics parses', () => {
    assert.equal(auditLine(record), line);
    assert.equal(auditLine({ ...record, timestamp: 0 }), '[0] queued -> placed (entity: job-7)');
    assert.equal(auditLine({ ...record, timestamp: -5 }), '[-5] queued -> placed (entity: job-7)');
    assert.deepEqual(parseAuditLine(line), record);
  });

  test('a line that is not exactly one of ours is not read', () => {
    const strange = [
      '',
      'hello',
      ` ${line}`,
      `${line} `,
      `${line}\n`,
      line.replace('[1700', '[01700'),
      line.replace('1700000000123', '-0'),
      line.replace('1700000000123', '1e3'),
      line.replace('1700000000123', '99999999999999999'),
      line.replace('1700000000123', '9007199254740992'),
      line.replace('1700000000123', '9007199254740993'),
      line.replace('queued', 'on hold'),
      line.replace(' -> ', '->'),
      line.replace('entity:', 'Entity:'),
      line.replace(')', ''),
    ];
    for (const text of strange) assert.equal(parseAuditLine(text), undefined, text);
  });

  holds(
    'every record reads back from its line',
    fc.property(anyRecord, (one) => assert.deepEqual(parseAuditLine(auditLine(one)), one)),
  );
});
