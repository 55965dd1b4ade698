// Goal: a decision says all that the log knows of it, and one without a record claims nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DecisionWire } from '../api/wire.ts';
import { type Attempt, againWords, besideFacts, logFacts, shownAttempt } from './decision-facts.ts';

const decision: DecisionWire = {
  decision_id: 'r.2',
  request_id: 'r',
  at: '2026-11-21T12:00:00.000Z',
  path: '/v1/chat/completions',
  key_id: 'key_1',
  group_name: 'default',
  model: 'chat',
  served_model: 'chat',
  backend_id: 'b',
  reason: 'best score',
  route_reason: null,
  attempts: 3,
  stream: false,
  status: 200,
  code: null,
  first_byte_ms: 5,
  total_ms: 9,
  overhead_ms: 0.1,
  selected_latency_ms: null,
  minimum_latency_ms: null,
  candidates: [],
};

function attempt(n: number): Attempt {
  return {
    attempt: n,
    at: decision.at,
    backend_id: 'b',
    reason: 'best score',
    route_reason: null,
    code: null,
    mode: 'watch',
    strategy: 'smart',
    snapshot: `digest ${n}`,
    seed: n,
    cursor: 7,
    tried: [],
    candidates: [],
  };
}

test('the attempt of the id is the one on show, else the last', () => {
  const attempts_detail = [attempt(1), attempt(2), attempt(3)];
  assert.equal(shownAttempt({ ...decision, attempts_detail })?.attempt, 2);
  assert.equal(shownAttempt({ ...decision, decision_id: 'r.0', attempts_detail })?.attempt, 3);
  assert.equal(shownAttempt(decision), undefined);
});

test('what happened around a decision is told, and nothing of what did not', () => {
  assert.deepEqual(besideFacts(decision), []);
  const split = { experiment: 'tone', arm: 'canary' };
  const degraded = { code: 'bad_gateway', age_ms: 5, words: 'an answer of 5 ms ago' };
  assert.deepEqual(besideFacts({ ...decision, split, annotations: { a: '1', b: '2' }, degraded }), [
    ['Experiment → arm', 'tone → canary'],
    ['Annotations', 'a=1, b=2'],
    ['Older answer', 'an answer of 5 ms ago'],
  ]);
});

test('a decision that only memory holds has no facts of the log', () => {
  assert.deepEqual(logFacts(decision), []);
  assert.equal(againWords(decision), undefined);
});

test('tokens, admission, snapshot, seed and place are told, 0 included', () => {
  const facts = logFacts({
    ...decision,
    prompt_tokens: 812,
    completion_tokens: 0,
    attempts_detail: [attempt(2)],
    record: { segment: 't0/1.tfd', offset: 0, sequence: 4012 },
    behaviour: 1,
  });
  assert.deepEqual(facts, [
    ['Tokens', '812 in, 0 out'],
    ['Snapshot', 'digest 2'],
    ['Seed, cursor', '2, 7'],
    ['Mode, strategy', 'watch, smart'],
    ['Record', 'segment t0/1.tfd, sequence 4\u202f012, byte 0, behaviour 1'],
  ]);
  assert.deepEqual(logFacts({ ...decision, record: null }), [['Record', 'not in the log']]);
});

test('the three ends of deciding again are told apart', () => {
  assert.match(againWords({ ...decision, again: 'same' }) ?? '', /the same/);
  const differs = { ...decision, again: 'differs', again_words: 'chosen was a, now b' } as const;
  assert.match(againWords(differs) ?? '', /differs: chosen was a, now b/);
  const missing = { ...decision, again: null, again_words: 'snapshot missing' };
  assert.match(againWords(missing) ?? '', /cannot be made again: snapshot missing/);
});
