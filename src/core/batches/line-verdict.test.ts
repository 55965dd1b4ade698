// Goal: an answer is final once, and "not now" is never taken for one.
// Method: every status that the gateway answers with, as a table.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attemptsMax, judgeLine, type LineVerdict } from './line-verdict.ts';

const rows: readonly (readonly [status: number, mayRetry: boolean, LineVerdict])[] = [
  [200, true, 'result'],
  [400, false, 'error'],
  [401, false, 'key_revoked'],
  [403, false, 'error'],
  [404, false, 'error'],
  [408, true, 'failed'],
  [413, false, 'error'],
  [429, true, 'limited'],
  [429, false, 'error'],
  [500, false, 'error'],
  [502, true, 'failed'],
  [502, false, 'error'],
  [503, true, 'turned_away'],
  [503, false, 'error'],
  [504, true, 'failed'],
];

for (const [status, mayRetry, verdict] of rows) {
  test(`${status}, retryable ${mayRetry}: ${verdict}`, () => {
    assert.equal(judgeLine({ kind: 'answered', status, mayRetry }, 1), verdict);
  });
}

test('the last attempt that fails is the answer, a broken connection or a refusal for now is not', () => {
  const failed = { kind: 'answered', status: 502, mayRetry: true } as const;
  assert.equal(judgeLine(failed, attemptsMax - 1), 'failed');
  assert.equal(judgeLine(failed, attemptsMax), 'error');
  assert.equal(judgeLine({ kind: 'broken' }, 1000), 'failed');
  assert.equal(judgeLine({ ...failed, status: 503 }, 1000), 'turned_away');
});
