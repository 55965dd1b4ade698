// Goal: which endings of a request count for the serving mode. Method: a table of endings.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { EndedRequestCount } from './ended-requests.ts';

const good = { status: 200, code: undefined, firstByteMs: 20, stream: true };

function counted(
  outcome: Partial<typeof good> | { readonly code: string; readonly status: number },
  mode: 'normal' | 'restricted' = 'normal',
) {
  const count = new EndedRequestCount(2000);
  count.add({ ...good, ...outcome }, mode);
  const { requests, failures, slow } = count.drain();
  assert.deepEqual(count.drain(), { requests: 0, failures: 0, slow: 0 });
  return [requests, failures, slow];
}

it('counts good endings, server errors, and streams that began after the objective', () => {
  assert.deepEqual(counted({}), [1, 0, 0]);
  assert.deepEqual(counted({ firstByteMs: 2000 }), [1, 0, 0]);
  assert.deepEqual(counted({ firstByteMs: 2001 }), [1, 0, 1]);
  // The first byte of an answer that is no stream is its end.
  assert.deepEqual(counted({ firstByteMs: 9000, stream: false }), [1, 0, 0]);
  assert.deepEqual(counted({ status: 502, code: 'bad_gateway' }), [1, 1, 0]);
  assert.deepEqual(counted({ status: 503, code: 'overloaded' }), [1, 1, 0]);
});

it('counts nothing that the client or the mode itself caused', () => {
  assert.deepEqual(counted({ status: 400, code: 'invalid_request' }), [0, 0, 0]);
  assert.deepEqual(counted({ status: 499, code: 'client_closed' }), [0, 0, 0]);
  assert.deepEqual(counted({ status: 429, code: 'rate_limit_exceeded' }), [0, 0, 0]);
  assert.deepEqual(counted({ status: 503, code: 'mode_restricted' }), [0, 0, 0]);
  assert.deepEqual(counted({ status: 503, code: 'overloaded' }, 'restricted'), [0, 0, 0]);
});
