// Goal: a figure never claims to be younger, or more, than what was read. Method: each kind once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backend, noon } from './fleet.test-support.ts';
import { loadFigure } from './load-figures.ts';

const reading = { running: 18, waiting: 0, kv_use: 0.714, read_at: noon };

test('a reading that counts is shown, zero included', () => {
  const now = { backend: backend('a', [], { load: reading }), last_load: reading };
  assert.deepEqual(loadFigure(now, 'kv_use'), {
    kind: 'current',
    text: '71.4\u202f%',
    readAt: noon,
  });
  assert.deepEqual(loadFigure(now, 'waiting'), { kind: 'current', text: '0', readAt: noon });
});

test('a reading that the server no longer counts is old, not missing', () => {
  const old = { backend: backend('a'), last_load: reading };
  assert.equal(loadFigure(old, 'running').kind, 'old');
});

test('an engine that does not tell differs from one that was never read', () => {
  const untold = { ...reading, waiting: null };
  const now = { backend: backend('a', [], { load: untold }), last_load: untold };
  assert.deepEqual(loadFigure(now, 'waiting'), { kind: 'untold' });
  assert.deepEqual(loadFigure({ backend: backend('a'), last_load: null }, 'waiting'), {
    kind: 'never',
  });
});
