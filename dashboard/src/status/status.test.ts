// Goal: every member of every wire enumeration has a shape, a tone and a word of its own.
// Method: the members come from the server's schemas, so a new one fails here first.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusReasons } from '../../../src/core/backends/backend.ts';
import {
  gateSchema,
  operationSchema,
  probeEntrySchema,
} from '../../../src/protocol/control/fleet-schemas.ts';
import { backendStatusSchema, overviewSchema } from '../../../src/protocol/control/schemas.ts';
import {
  policyViewSchema,
  replayReportSchema,
  servingModeSchema,
} from '../../../src/protocol/control/trust-schemas.ts';
import {
  auditTone,
  backendMark,
  backendStatusMarks,
  gateMarks,
  glyphOfTone,
  keyMark,
  modeMarks,
  operationMarks,
  outcomeMark,
  probeMarks,
  replayTone,
  shapeOfTone,
  verdictTones,
} from './status.ts';

test('every backend status of the wire is mapped, and nothing else is', () => {
  assert.deepEqual(Object.keys(backendStatusMarks).sort(), [...backendStatusSchema.options].sort());
});

test('every reason of the core narrows a status to words of its own', () => {
  for (const reason of statusReasons) {
    const mark = backendMark({ status: 'unhealthy', status_reason: reason });
    assert.notEqual(mark.words, 'Unhealthy');
    assert.equal(mark.words.includes('_'), false, `${reason} has no words`);
  }
});

test('every state of a gate, kind of probe and status of an operation is mapped', () => {
  const pairs = [
    [gateMarks, gateSchema.shape.state.options],
    [probeMarks, probeEntrySchema.shape.kind.options],
    [operationMarks, operationSchema.shape.status.options],
  ] as const;
  for (const [marks, options] of pairs) {
    assert.deepEqual(Object.keys(marks).sort(), [...options].sort());
  }
});

test('every verdict level of the wire has a tone', () => {
  for (const { shape } of [overviewSchema, policyViewSchema]) {
    const levels = shape.verdict_level.options;
    assert.deepEqual(Object.keys(verdictTones).sort(), [...levels].sort());
  }
});

test('no two tones share a shape or a glyph, so colour is never alone', () => {
  assert.equal(new Set(Object.values(shapeOfTone)).size, Object.keys(shapeOfTone).length);
  assert.equal(new Set(Object.values(glyphOfTone)).size, Object.keys(glyphOfTone).length);
});

test('an unknown reason keeps the tone of the status and says the reason', () => {
  const mark = backendMark({ status: 'healthy', status_reason: 'thermal' });
  assert.deepEqual(mark, { tone: 'ok', words: 'Healthy, thermal' });
});

test('draining stays draining whatever the engine says', () => {
  assert.equal(backendMark({ status: 'draining', status_reason: 'busy' }).words, 'Draining');
});

test('outcomes: success, cut stream, client fault, client left and server fault differ', () => {
  assert.equal(outcomeMark({ status: 200, code: null }).tone, 'ok');
  assert.equal(outcomeMark({ status: 200, code: 'stream_interrupted' }).tone, 'bad');
  assert.equal(outcomeMark({ status: 400, code: 'invalid_json' }).tone, 'attention');
  assert.equal(outcomeMark({ status: 499, code: null }).tone, 'off');
  assert.equal(outcomeMark({ status: 503, code: 'no_backend' }).tone, 'bad');
});

test('a key past its expiry is off even when nobody revoked it', () => {
  assert.equal(keyMark({ revoked: false, expires_at: null }, 10).words, 'Active');
  assert.equal(
    keyMark({ revoked: false, expires_at: new Date(10).toISOString() }, 10).words,
    'Expired',
  );
  assert.equal(keyMark({ revoked: true, expires_at: null }, 10).words, 'Revoked');
});

test('every serving mode of the wire has a mark, and only normal is in order', () => {
  assert.deepEqual(Object.keys(modeMarks).sort(), [...servingModeSchema.options].sort());
  const inOrder = servingModeSchema.options.filter((mode) => modeMarks[mode].tone === 'ok');
  assert.deepEqual(inOrder, ['normal']);
});

test('a trail is in order only when it was verified whole', () => {
  assert.equal(auditTone(null), 'waiting');
  assert.equal(auditTone({ whole: true }), 'ok');
  assert.equal(auditTone({ whole: false }), 'bad');
});

test('a replay is in order only when it ended, nothing differed and the log was whole', () => {
  const done = { state: 'done', divergences: 0, faults: [] } as const;
  assert.equal(replayTone(done), 'ok');
  assert.equal(replayTone({ ...done, divergences: 1 }), 'bad');
  assert.equal(replayTone({ ...done, faults: [{}] }), 'bad');
  assert.equal(replayTone({ ...done, gaps: [{}] }), 'bad');
  assert.equal(replayTone({ ...done, gaps: [] }), 'ok');
  const tones = replayReportSchema.shape.state.options.map((state) =>
    replayTone({ ...done, state }),
  );
  assert.deepEqual(tones, ['active', 'ok', 'bad']);
});
