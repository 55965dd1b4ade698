// The limiter of rejected credentials (ruling R11): the caller asks it only after the cheap key
// check has failed, so case 134, a valid key from a noisy address, never comes here.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { instant } from '../../base/time.ts';
import { AttemptLimiter, defaultAttemptLimits } from './attempt-limiter.ts';

const second = 1000;

it('case 133: the sixth rejection within a minute is told when to come back', () => {
  const limiter = new AttemptLimiter();
  for (let at = 0; at < 5; at += 1) {
    assert.equal(limiter.onRejected('a', instant(at * second)), undefined);
  }
  assert.equal(limiter.onRejected('a', instant(5 * second)), 55);
  assert.equal(limiter.retryAfterSeconds('a', instant(5 * second)), 55);
  assert.equal(limiter.onRejected('b', instant(5 * second)), undefined);
});

it('the wait that was told is true, however often one asks meanwhile', () => {
  const limiter = new AttemptLimiter();
  for (let at = 0; at < 5; at += 1) limiter.onRejected('a', instant(0));
  for (let ms = 1; ms < 60_000; ms += 500) {
    assert.equal(limiter.onRejected('a', instant(ms)), Math.ceil((60_000 - ms) / 1000));
  }
  assert.equal(limiter.retryAfterSeconds('a', instant(60_000)), undefined);
  assert.equal(limiter.onRejected('a', instant(60_000)), undefined);
});

it('a clock that steps back neither throws nor opens the gate', () => {
  const limiter = new AttemptLimiter();
  for (let at = 0; at < 5; at += 1) limiter.onRejected('a', instant(90_000));
  assert.equal(limiter.onRejected('a', instant(0)), 60);
});

it('a flood of addresses is bounded, and forgets the client that was quiet longest', () => {
  const limiter = new AttemptLimiter({ ...defaultAttemptLimits, capacity: 100 });
  for (let client = 0; client < 1000; client += 1) limiter.onRejected(`${client}`, instant(client));
  assert.equal(limiter.size, 100);
});

it('no minute ever holds more than five rejections that were answered with 401', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 60 });
  fc.assert(
    fc.property(gaps, (list) => {
      const limiter = new AttemptLimiter();
      const heard: number[] = [];
      let now = 0;
      for (const gap of list) {
        now += gap;
        if (limiter.onRejected('a', instant(now)) === undefined) heard.push(now);
      }
      for (const [at, start] of heard.entries()) {
        const sixth = heard[at + 5];
        assert.ok(sixth === undefined || sixth - start >= 60_000);
      }
    }),
    { seed: 20_260_108, numRuns: 1000 },
  );
});
