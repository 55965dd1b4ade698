// Goal: a damage is told with every coordinate that is known and none that is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditFaultSchema } from '../../../src/protocol/control/trust-schemas.ts';
import { faultPlace } from './fault-place.ts';

const fault = { name: 'x', sequence: null, offset: null, reason: 'r', expected: null, found: null };

test('every kind of place of the wire has a word', () => {
  for (const where of auditFaultSchema.shape.where.options) {
    assert.match(faultPlace({ ...fault, where }), /^[a-z]+ x$/);
  }
});

test('sequence and byte are told where they are known, 0 included', () => {
  assert.equal(
    faultPlace({ ...fault, where: 'segments', name: 't0/1.tfd', sequence: 0, offset: 65_536 }),
    'segment t0/1.tfd, sequence 0, byte 65\u202f536',
  );
  assert.equal(faultPlace({ ...fault, where: 'segments', offset: 0 }), 'segment x, byte 0');
});
