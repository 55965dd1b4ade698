// Goal: what counts as our own time, and which limit has passed. Time is an argument throughout.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RequestTimes, type UpstreamTimeouts } from './request-times.ts';

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

  it('counts an end once, and is never negative', () => {
    const times = new RequestTimes(1000);
    times.attemptBegan(1000);
    times.attemptEnded(1010);
    times.attemptEnded(1020);
    times.readingEnded(1020);
    assert.equal(times.overheadMs(1010), 0);
    assert.equal(times.overheadMs(1005), 0);
  });
});

describe('a limit', () => {
  const timer = (
    times: RequestTimes,
    nowMs: number,
    awaited: 'connection' | 'head' | 'first_content' | 'more',
  ) => {
    const passed = times.passedLimit(nowMs, awaited, limits);
    return passed?.kind === 'backend' ? passed.timer : passed?.kind;
  };

  it('belongs to what is waited for, and has passed only when more than it has', () => {
    const times = new RequestTimes(0);
    times.attemptBegan(10);
    assert.equal(timer(times, 15, 'connection'), undefined);
    assert.equal(timer(times, 16, 'connection'), 'connect');
    assert.equal(timer(times, 130, 'head'), undefined);
    assert.equal(timer(times, 131, 'head'), 'headers');
    assert.equal(timer(times, 71, 'more'), 'idle');
  });

  it('of the first token is not put off by what comes before it', () => {
    const times = new RequestTimes(0);
    times.attemptBegan(10);
    times.sent(125);
    assert.equal(timer(times, 131, 'first_content'), 'first_token');
    assert.equal(timer(times, 131, 'more'), undefined);
  });

  it('of the whole request holds over all attempts and before every other', () => {
    const times = new RequestTimes(0);
    times.attemptBegan(290);
    assert.equal(timer(times, 300, 'head'), undefined);
    assert.equal(timer(times, 301, 'head'), 'total');
  });

  it('of a backend stands still while the client does not read', () => {
    const times = new RequestTimes(0);
    times.attemptBegan(0);
    times.sent(10);
    times.blocked(11);
    assert.ok(times.isBlocked);
    assert.equal(timer(times, 41, 'more'), undefined);
    assert.equal(timer(times, 42, 'more'), 'reader');
    times.unblocked(60);
    assert.equal(timer(times, 120, 'more'), undefined);
    assert.equal(timer(times, 121, 'more'), 'idle');
  });
});

it('the first byte counts from the head of the request, and for the backend from its attempt', () => {
  const times = new RequestTimes(100);
  times.attemptBegan(130);
  assert.equal(times.firstByte(150), 20);
  assert.equal(times.firstByteMs, 50);
});
