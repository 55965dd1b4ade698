// Goal: what counts as our own time, and which limit has passed. Time is an argument throughout.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { UpstreamTimeouts } from './attempt-limits.ts';
import { RequestTimes } from './request-times.ts';

const limits: UpstreamTimeouts = {
  connectMs: 5,
  firstByteMs: 120,
  idleMs: 60,
  totalMs: 300,
  slowReaderMs: 30,
};

describe('our own time', () => {
  it('is neither the client’s for its body nor that of backends at work', () => {
    const times = new RequestTimes(1000);
    times.readingBegan(1001);
    assert.equal(times.overheadMs(1051), 1);
    times.readingEnded(1101);
    times.attemptBegan(1103);
    times.attemptEnded(1203);
    times.attemptBegan(1204);
    times.sent(1300);
    // The last piece came at 1300: what we have done since then is ours.
    assert.equal(times.overheadMs(1302), 1 + 2 + 1 + 2);
    times.attemptEnded(1400);
    assert.equal(times.overheadMs(1401), 1 + 2 + 1 + 1);
  });

  it('is not the wait for a backend, which is told apart', () => {
    const times = new RequestTimes(1000);
    times.queueBegan(1002);
    assert.deepEqual([times.queueMs(1052), times.overheadMs(1052)], [50, 2]);
    times.queueEnded(1102);
    times.queueEnded(1200);
    times.attemptBegan(1103);
    times.attemptEnded(1203);
    assert.deepEqual([times.queueMs(1300), times.overheadMs(1203)], [100, 2 + 1]);
  });

  it('of two backends that work beside each other counts the time once', () => {
    const times = new RequestTimes(1000);
    times.attemptBegan(1000);
    times.attemptBegan(1050);
    times.attemptEnded(1060);
    times.sent(1090);
    assert.equal(times.overheadMs(1091), 1);
    times.attemptEnded(1100);
    assert.equal(times.overheadMs(1103), 3);
  });

  it('is never negative', () => {
    const times = new RequestTimes(1000);
    times.attemptBegan(1000);
    times.attemptEnded(1010);
    times.readingEnded(1020);
    assert.equal(times.overheadMs(1010), 0);
    assert.equal(times.overheadMs(1005), 0);
  });
});

describe('a limit', () => {
  it('of the whole request holds over all attempts and before that of the reader', () => {
    const times = new RequestTimes(0);
    times.attemptBegan(290);
    times.blocked(200);
    assert.equal(times.passedLimit(230, limits), undefined);
    assert.equal(times.passedLimit(231, limits), 'reader');
    assert.equal(times.passedLimit(301, limits), 'total');
  });

  it('of the reader counts while the client does not read', () => {
    const times = new RequestTimes(0);
    times.blocked(11);
    assert.ok(times.isBlocked);
    assert.equal(times.passedLimit(41, limits), undefined);
    assert.equal(times.passedLimit(42, limits), 'reader');
    times.unblocked(60);
    assert.ok(!times.isBlocked);
    assert.equal(times.passedLimit(120, limits), undefined);
  });
});

it('the first byte counts from the head of the request', () => {
  const times = new RequestTimes(100);
  times.attemptBegan(130);
  times.firstByte(150);
  assert.equal(times.firstByteMs, 50);
});
