// Goal: ids of requests and decisions are read exactly. Method: table, and ids that Node makes.

import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { test } from 'node:test';
import { bytesOfId, parseDecisionRef, startOfRequest } from './request-time.ts';

const id = '019f3a2b-4c5d-7e6f-8a9b-0c1d2e3f4a5b';

test('a request id, or a decision id with its attempt, in any letter case', () => {
  assert.deepEqual(parseDecisionRef(id), { requestId: id, attempt: undefined });
  assert.deepEqual(parseDecisionRef(`${id.toUpperCase()}.2`), { requestId: id, attempt: 2 });
  for (const text of [
    '',
    'last',
    `${id}.`,
    `${id}.x`,
    id.replace('-7', '-4'),
    `${id} `,
    `x${id}`,
  ]) {
    assert.equal(parseDecisionRef(text), undefined, text);
  }
});

test('the time of a request is in its id', () => {
  assert.equal(startOfRequest(id), 0x019f3a2b4c5d);
  const now = Date.now();
  assert.ok(Math.abs(startOfRequest(randomUUIDv7()) - now) < 5000);
  assert.equal(bytesOfId(id).toString('hex'), id.replaceAll('-', ''));
});
