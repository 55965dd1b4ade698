// Goal: the decision log is a trace: what was admitted, routed and settled, joined by request.
// Method: records written here, in the order in which threads may leave them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DecisionRecord } from '../../decisions/decision-record.ts';
import { noHints } from '../../routing/decision-input.ts';
import { RecordedArrivals } from './recorded-arrivals.ts';

const reading = {
  mode: 'normal',
  inFlight: 1,
  inFlightMax: 9,
  keyInFlight: 1,
  keyInFlightMax: 0,
} as const;

function admitted(requestId: string, at: number): DecisionRecord {
  return {
    kind: 'admitted',
    requestId,
    at,
    keyId: 'key_a',
    groupName: 'g',
    path: '/v1/chat/completions',
    priorityClass: 3,
    reading,
    code: undefined,
  };
}

function routed(requestId: string, at: number): DecisionRecord {
  return {
    kind: 'routed',
    requestId,
    at,
    attempt: 1,
    mode: 'normal',
    snapshotDigest: '0'.repeat(64),
    features: {
      model: 'chat',
      resolvedModel: 'llama',
      operation: 'chat',
      estimatedTokens: 30,
      maxOutputTokens: undefined,
      needsVision: false,
      needsTools: false,
      needsJsonMode: false,
      remoteMedia: false,
      ...noHints,
    },
    tried: [],
    cursor: 0,
    seed: 0,
    budget: 'Normal',
    candidates: [],
    outcome: { kind: 'route', chosen: 0, routeReason: 'capability-match' },
  };
}

function settled(requestId: string, at: number, completionTokens: number): DecisionRecord {
  return {
    kind: 'settled',
    requestId,
    at,
    status: 200,
    code: undefined,
    attempts: 1,
    backendId: 'a',
    stream: false,
    firstByteMs: 12.5,
    totalMs: 100,
    overheadMs: 1,
    promptTokens: 33,
    completionTokens,
  };
}

test('records are joined by request whatever their order, and sorted by arrival', () => {
  const joined = new RecordedArrivals();
  const records = [
    settled('b', 1900, 7),
    admitted('b', 1500),
    admitted('a', 1000),
    routed('b', 1500),
    routed('a', 1000),
    settled('a', 1200, 5),
  ];
  for (const record of records) joined.push(record);
  const { arrivals, incomplete, recordedFirstByteMs } = joined.finish();
  assert.deepEqual(arrivals, [
    { atUs: 0, promptTokens: 33, outputTokens: 5, model: 'chat', prefixIds: [], stream: false },
    {
      atUs: 500_000,
      promptTokens: 33,
      outputTokens: 7,
      model: 'chat',
      prefixIds: [],
      stream: false,
    },
  ]);
  assert.equal(incomplete, 0);
  assert.deepEqual(recordedFirstByteMs, [12.5, 12.5]);
});

test('what has no end or no output is left out and counted', () => {
  const joined = new RecordedArrivals();
  const records = [
    admitted('open', 1),
    routed('open', 1),
    admitted('failed', 2),
    routed('failed', 2),
    settled('failed', 3, 0),
    admitted('good', 4),
    routed('good', 4),
    settled('good', 5, 1),
  ];
  for (const record of records) joined.push(record);
  const { arrivals, incomplete, withoutOutput } = joined.finish();
  assert.deepEqual([arrivals.length, incomplete, withoutOutput], [1, 1, 1]);
});

test('an empty log has no arrivals', () => {
  assert.deepEqual(new RecordedArrivals().finish().arrivals, []);
});
