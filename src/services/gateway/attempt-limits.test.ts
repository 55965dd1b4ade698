// Goal: which limit an attempt has passed depends on what it waits for. Time is an argument throughout.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Awaited, passedLimit } from './attempt-limits.ts';

const limits = { connectMs: 5, firstByteMs: 120, idleMs: 60, totalMs: 300, slowReaderMs: 30 };

function timer(nowMs: number, awaited: Awaited, activityMs = 10) {
  return passedLimit(awaited, { dispatchedMs: 10, activityMs }, nowMs, limits)?.timer;
}

test('a limit belongs to what is waited for, and has passed only when more than it has', () => {
  assert.deepEqual([timer(15, 'connection'), timer(16, 'connection')], [undefined, 'connect']);
  assert.deepEqual([timer(130, 'head'), timer(131, 'head')], [undefined, 'headers']);
  assert.deepEqual([timer(70, 'more'), timer(71, 'more')], [undefined, 'idle']);
});

test('that of the first token is not put off by what comes before it, that of the next byte is', () => {
  assert.equal(timer(131, 'first_content', 125), 'first_token');
  assert.equal(timer(131, 'more', 125), undefined);
});

test('it is told how long it was', () => {
  const moments = { dispatchedMs: 0, activityMs: 0 };
  assert.deepEqual(passedLimit('connection', moments, 6, limits), { timer: 'connect', limitMs: 5 });
});
