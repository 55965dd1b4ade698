// Goal: a client of another interface never gets an answer of a form that it did not ask for, and no
// engine is made to use more context than it has.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { model, target } from '../../core/routing/fleet.test-support.ts';
import { buildSnapshot, usualSettings } from '../../core/routing/snapshot.ts';
import { refusal } from '../../errors/tensorforge-error.ts';
import type { KeyRecord } from '../../io/credentials/key-table.ts';
import { anthropicMessages } from '../../protocol/faces/anthropic-face.ts';
import { ollamaFaces } from '../../protocol/faces/ollama-face.ts';
import { defaultJsonLimits } from '../../protocol/openai/json-scan.ts';
import { FaceExchange } from './face-exchange.ts';

const snapshot = buildSnapshot(
  1,
  [target('a', { models: [model('m:latest', { contextLength: 4096 })] })],
  usualSettings,
);
const key: KeyRecord = {
  keyId: 'key_a',
  groupName: 'g',
  owner: undefined,
  permissions: [],
  models: [],
  secretHash: '',
  issuedAt: 0,
  expiresAt: undefined,
};
const facts = { requestId: 'r', promptTokens: 1, startedMs: 0 };
const events = Buffer.from('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: [DONE]\n\n');
const whole = '{"choices":[{"message":{"content":"Hi"}}]}';

function asked(more: object, of: KeyRecord = key) {
  const exchange = new FaceExchange(ollamaFaces.chat, '/api/chat');
  const body = { model: 'm', messages: [{ role: 'user', content: 'x' }], ...more };
  const read = exchange.read(Buffer.from(JSON.stringify(body)), defaultJsonLimits, snapshot, of);
  return { exchange, read };
}

it('the backend is asked by the name it knows, and the answer has that of the client', () => {
  const { exchange, read } = asked({ stream: false });
  assert.ok(read.ok && JSON.parse(read.value.toString()).model === 'm:latest');
  exchange.begin(false, facts, 4096);
  const told = exchange.answer(whole, 0);
  assert.ok(told.ok && JSON.parse(told.value.toString()).model === 'm');
});

it('more context than any backend has is refused, but nothing is told of a forbidden model', () => {
  assert.ok(asked({ options: { num_ctx: 4096 } }).read.ok);
  const { read } = asked({ options: { num_ctx: 4097 } });
  assert.ok(!read.ok && read.error.code === 'field_not_allowed');
  assert.ok(asked({ options: { num_ctx: 4097 } }, { ...key, models: ['other'] }).read.ok);
});

it('a stream that nobody asked for is at fault, and so is an answer in one piece instead of one', () => {
  const unasked = asked({ stream: false }).exchange;
  unasked.begin(true, facts, 4096);
  assert.match(unasked.faultWords ?? '', /nobody asked for/);
  const missing = asked({ stream: true }).exchange;
  missing.begin(false, facts, 4096);
  const told = missing.answer(whole, 0);
  assert.ok(!told.ok && /without the stream/.test(told.error));
});

it('a request that waits and is given up ends its stream with the reason', () => {
  const { exchange } = asked({ stream: true });
  const told = exchange.fail(refusal('queue_timeout', 'It waited too long.'));
  assert.equal(told.toString(), '{"error":"It waited too long."}\n');
});

it('a backend’s own refusal keeps its words, wherever they stand, or gets some', () => {
  const { exchange } = asked({});
  const words = (body: string): unknown =>
    JSON.parse(exchange.passedError(429, Buffer.from(body)).toString()).error;
  assert.equal(words('{"error":{"message":"too many","code":"x"}}'), 'too many');
  assert.equal(words('{"error":"too many"}'), 'too many');
  assert.equal(words('{"message":"too many"}'), 'too many');
  assert.equal(words('<html>'), 'The backend answered 429.');
  const claude = new FaceExchange(anthropicMessages, '/v1/messages');
  assert.deepEqual(JSON.parse(claude.passedError(429, Buffer.from('{}')).toString()), {
    type: 'error',
    error: { type: 'rate_limit_error', message: 'The backend answered 429.' },
  });
});

it('a new attempt begins anew, and nothing follows the end', () => {
  const { exchange } = asked({ stream: true });
  exchange.begin(false, facts, 4096);
  exchange.begin(true, facts, 4096);
  assert.equal(exchange.faultWords, undefined);
  assert.match(exchange.push(events, 0).toString(), /"Hi".*\n.*"done":true/);
  assert.equal(exchange.end(0).length, 0);
  assert.equal(exchange.fail(refusal('bad_gateway', 'cut')).length, 0);
});
