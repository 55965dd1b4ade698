// Goal: what each answer of a backend means for the client and for the next attempt (BR 13, 20.2).

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { failureOfStatus, failureOfUpstream, timeoutFailure } from './upstream-failure.ts';

const answer = {
  contentType: 'application/json',
  retryAfter: '7',
  body: Buffer.from('{"error":"secret sk-1"}'),
};

it('401 and 403 are ours to mend: 502 without the body, and another backend is asked', () => {
  for (const status of [401, 403]) {
    const failure = failureOfStatus(status, answer);
    assert.equal(failure.refusal.code, 'upstream_auth_failed');
    assert.equal(failure.passThrough, undefined);
    assert.ok(!failure.refusal.message.includes('sk-1'));
  }
});

it('another 4xx is the client’s, only 429 may be asked elsewhere', () => {
  for (const status of [400, 404, 405, 408, 413, 422, 429, 499]) {
    const { passThrough } = failureOfStatus(status, answer);
    assert.deepEqual(passThrough, { status, ...answer, retryable: status === 429 });
  }
});

it('a route that not every engine has is asked elsewhere when it is missing', () => {
  for (const [status, retryable] of [
    [404, true],
    [405, true],
    [400, false],
    [422, false],
  ] as const) {
    assert.equal(failureOfStatus(status, answer, true).passThrough?.retryable, retryable);
  }
});

it('5xx and redirects are 502 and asked elsewhere', () => {
  for (const status of [300, 301, 304, 307, 500, 501, 503, 599]) {
    const failure = failureOfStatus(status, answer);
    assert.equal(failure.refusal.code, 'bad_gateway');
    assert.equal(failure.passThrough, undefined);
  }
});

it('a time-out names its timer, a broken connection the words of a fixed list', () => {
  const late = timeoutFailure('first_token', 2000);
  assert.equal(late.refusal.code, 'gateway_timeout');
  assert.deepEqual(late.refusal.context, { timer: 'first_token' });
  assert.match(late.refusal.message, /first token limit of 2 s/);
  const broken = failureOfUpstream({ kind: 'reset', words: 'it broke', responseStarted: false });
  assert.equal(broken.refusal.message, 'The backend failed: it broke.');
});
