// Goal: what is sent is what the server's schema takes, and only JSON objects pass as candidates.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replayStartSchema } from '../../../src/protocol/control/trust-schemas.ts';
import { candidateFault, replayCommand, replayStart } from './replay-start.ts';

const form = { range: '1h', request: '', candidate: '' } as const;
const now = Date.parse('2026-11-21T12:00:00.000Z');

test('a window ends now, and everything has no ends', () => {
  const start = replayStart(form, now);
  assert.deepEqual(start, { from: '2026-11-21T11:00:00.000Z', to: '2026-11-21T12:00:00.000Z' });
  assert.equal(replayStartSchema.safeParse(start).success, true);
  assert.deepEqual(replayStart({ ...form, range: 'all' }, now), {});
});

test('one request is looked for wherever it is', () => {
  assert.deepEqual(replayStart({ ...form, request: ' r1 ' }, now), { request_id: 'r1' });
});

test('a candidate is sent as it was written', () => {
  const candidate = '{"routing": {"weights": {"load": 10}}}';
  const start = replayStart({ ...form, range: 'all', candidate }, now);
  assert.deepEqual(start, { policy: { routing: { weights: { load: 10 } } } });
  assert.equal(replayStartSchema.safeParse(start).success, true);
});

test('what is no JSON object is refused with the reason, and blank is no candidate', () => {
  assert.equal(candidateFault('  \n'), undefined);
  assert.match(candidateFault('routing:\n  x: 1') ?? '', /no JSON/);
  for (const text of ['[]', '5', 'null', '"x"']) {
    assert.match(candidateFault(text) ?? '', /One JSON object/);
  }
});

test('the command asks for the same', () => {
  assert.equal(replayCommand({}), 'tensorforge replay');
  assert.equal(
    replayCommand({ from: 'a', to: 'b', request_id: 'r1', policy: {} }),
    'tensorforge replay --from a --to b --id r1 --policy candidate.yaml',
  );
});
