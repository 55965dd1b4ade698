// The faces of every code: status and words come from the catalogue, the shape from the path.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CatalogueEntry,
  catalogue,
  type ErrorCode,
  entryOf,
  isErrorCode,
} from './catalogue.ts';
import { errorBody, errorHeaders, faceOfPath, retryAfterSeconds } from './faces.ts';
import { refusal, TensorForgeError } from './tensorforge-error.ts';

const codes = Object.keys(catalogue).filter(isErrorCode);

test('the path alone chooses the face', () => {
  for (const path of ['/v1', '/v1/models', '/v1/chat/completions?x=1', '/v1?x']) {
    assert.equal(faceOfPath(path), 'openai', path);
  }
  for (const path of ['/v1/messages', '/v1/messages?beta=true', '/v1/messages/count_tokens']) {
    assert.equal(faceOfPath(path), 'anthropic', path);
  }
  assert.equal(faceOfPath('/v1/messagesx'), 'openai');
  for (const path of ['/api/chat', '/api/tags?x=1', '/api/show']) {
    assert.equal(faceOfPath(path), 'ollama', path);
  }
  for (const path of [
    '/api/chat/',
    '/api/pull',
    '/',
    '/v11',
    '/api/v1/keys',
    '/V1/models',
    '/health',
  ]) {
    assert.equal(faceOfPath(path), 'control', path);
  }
});

test('each code prints on both faces with its own words, and its family on the OpenAI face', () => {
  for (const code of codes) {
    const cause = refusal(code, `words of ${code}`);
    const { error } = JSON.parse(errorBody('openai', cause)) as { error: Record<string, unknown> };
    const entry: CatalogueEntry = entryOf(code);
    assert.equal(error['message'], `words of ${code}`);
    assert.equal(error['code'], entry.openaiCode ?? code);
    const isFamily = entry.status === 409 || entry.openaiCode === 'service_unavailable';
    const context = error['context'] as { reason?: string } | undefined;
    assert.equal(context?.reason, isFamily ? code : undefined, code);
    const control = JSON.parse(errorBody('control', cause)) as Record<string, unknown>;
    assert.equal(control['msg'], `words of ${code}`);
  }
});

test('Anthropic has a name for each status, and Ollama the words alone', () => {
  const typeOf = (code: ErrorCode): unknown =>
    JSON.parse(errorBody('anthropic', refusal(code, 'words'))).error.type;
  const types: readonly (readonly [ErrorCode, string])[] = [
    ['invalid_json', 'invalid_request_error'],
    ['invalid_api_key', 'authentication_error'],
    ['permission_denied', 'permission_error'],
    ['model_not_found', 'not_found_error'],
    ['method_not_allowed', 'invalid_request_error'],
    ['payload_too_large', 'request_too_large'],
    ['rate_limit_exceeded', 'rate_limit_error'],
    ['no_healthy_backend', 'overloaded_error'],
    ['bad_gateway', 'api_error'],
  ];
  for (const [code, type] of types) assert.equal(typeOf(code), type, code);
  assert.equal(errorBody('ollama', refusal('bad_gateway', 'words')), '{"error":"words"}');
});

test('401 names Bearer, a retry names its seconds, and x-should-retry is the catalogue word', () => {
  for (const code of codes) {
    const headers = new Map(errorHeaders('openai', refusal(code, 'x')));
    const entry: CatalogueEntry = entryOf(code);
    assert.equal(headers.get('www-authenticate'), entry.status === 401 ? 'Bearer' : undefined);
    assert.equal(headers.get('x-should-retry'), String(entry.retryable));
    const expected = entry.retryable ? entry.retryAfterSeconds : undefined;
    assert.equal(headers.get('retry-after'), expected === undefined ? undefined : String(expected));
  }
});

test('a thrower may know a better retry figure, at least one whole second', () => {
  const seconds = (code: ErrorCode, value: number): number | undefined =>
    retryAfterSeconds(refusal(code, 'x', { retryAfterSeconds: value }));
  assert.equal(seconds('queue_full', 2.1), 3);
  assert.equal(seconds('queue_full', 0), 1);
  assert.equal(seconds('invalid_request', 5), undefined);
});

test('an error and its refusal are the same thing in two forms', () => {
  const cause = refusal('model_not_found', 'no such model', { param: 'model', context: { a: 1 } });
  const error = TensorForgeError.of(cause);
  assert.deepEqual(error.toRefusal(), cause);
  assert.equal(error.status, 404);
});
