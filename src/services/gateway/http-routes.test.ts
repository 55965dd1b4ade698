// Goal: the operations under /v1 go to the control thread, and a model id may hold slashes.
// Method: the table, asked for each method.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faceOfPath } from '../../errors/faces.ts';
import { matchDataPlane } from './http-routes.ts';

function kindOf(method: string, path: string): string {
  const match = matchDataPlane(method, path);
  if (match.kind === 'found') return match.route.kind;
  return match.kind === 'wrong_method' ? `allows ${match.allow}` : 'none';
}

test('operations on models are answered by the control thread, by their own method alone', () => {
  assert.equal(kindOf('POST', '/v1/models/load'), 'control');
  assert.equal(kindOf('POST', '/v1/models/migrate'), 'control');
  assert.equal(kindOf('GET', '/v1/fleet/recommendations'), 'control');
  assert.equal(kindOf('GET', '/v1/models/load'), 'allows POST');
  assert.equal(kindOf('DELETE', '/v1/models/migrate'), 'allows POST');
});

test('a model is read here and unloaded there, whatever its id', () => {
  for (const id of ['m', 'llama3:8b', 'org/model:8b', 'org%2Fmodel', 'loading']) {
    assert.equal(kindOf('GET', `/v1/models/${id}`), 'model', id);
    assert.equal(kindOf('DELETE', `/v1/models/${id}`), 'control', id);
    assert.equal(kindOf('PUT', `/v1/models/${id}`), 'allows GET, DELETE', id);
  }
  assert.equal(kindOf('DELETE', '/v1/models'), 'allows GET');
  assert.equal(kindOf('DELETE', '/v1/models/'), 'none');
});

test('the other interfaces have their paths, methods and permissions, and nothing below them', () => {
  const inference: readonly (readonly [string, string])[] = [
    ['/v1/messages', '/v1/chat/completions'],
    ['/api/chat', '/v1/chat/completions'],
    ['/api/generate', '/v1/chat/completions'],
    ['/api/embed', '/v1/embeddings'],
    ['/api/embeddings', '/v1/embeddings'],
  ];
  for (const [path, enginePath] of inference) {
    const match = matchDataPlane('POST', path);
    assert.ok(match.kind === 'found' && match.route.kind === 'inference', path);
    assert.equal(match.route.enginePath, enginePath, path);
    assert.equal(match.route.permission, 'inference:use');
    assert.equal(kindOf('GET', path), 'allows POST', path);
  }
  for (const [method, path, permission] of [
    ['POST', '/v1/messages/count_tokens', 'inference:use'],
    ['POST', '/api/show', 'models:read'],
    ['GET', '/api/tags', 'models:read'],
    ['GET', '/api/ps', 'models:read'],
    ['GET', '/api/version', 'models:read'],
  ] as const) {
    const match = matchDataPlane(method, path);
    assert.ok(match.kind === 'found' && match.route.permission === permission, path);
    assert.equal(faceOfPath(path) === 'ollama', path.startsWith('/api/'));
  }
  for (const path of ['/v1/messages/', '/v1/messages/batches', '/api/chat/', '/api/pull', '/api']) {
    assert.equal(kindOf('POST', path), 'none', path);
  }
});
