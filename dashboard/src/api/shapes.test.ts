// Goal: what the server's own schemas produce passes, and what would break a page does not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { liveUpdateSchema } from '../../../src/protocol/control/schemas.ts';
import { parseLiveUpdate } from './shapes.ts';

const overview = {
  at: '2026-11-12T12:00:00.000Z',
  verdict: 'Serving.',
  verdict_level: 'ok',
  attention: [],
  uptime_seconds: 4,
  requests: { total: 1, succeeded: 1, failed: 0 },
  in_flight: 0,
  series: [{ t: 1, requests: 0, failed: 0, first_byte_p50_ms: null, first_byte_p95_ms: null }],
  backends: { total: 0, routable: 0 },
  simulated: false,
};

test('messages that the schema accepts are understood', () => {
  const messages = [
    { update_type: 'Overview', data: overview },
    { update_type: 'BackendStatus', data: { count: 0, summary: 'No backend.', backends: [] } },
    { update_type: 'RequestComplete', data: { decisions: [] } },
    { update_type: 'Resync', data: {} },
  ];
  for (const message of messages) {
    assert.equal(liveUpdateSchema.safeParse(message).success, true);
    assert.notEqual(parseLiveUpdate(JSON.stringify(message)), undefined, message.update_type);
  }
});

test('anything else is dropped without an exception', () => {
  const texts = [
    '',
    '{',
    'null',
    '[]',
    '{"update_type":"Later","data":{}}',
    '{"update_type":"Overview","data":{}}',
    '{"update_type":"BackendStatus","data":{"summary":"s","backends":[{}]}}',
    '{"update_type":"RequestComplete","data":{"decisions":[null]}}',
  ];
  for (const text of texts) assert.equal(parseLiveUpdate(text), undefined, text);
});
