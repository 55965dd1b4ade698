// Goal: the rate is that of what was seen lately, and is silent rather than wrong. Method: readings
// of a count at chosen times.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceRate } from './service-rate.ts';

test('A rate is told after a second, from the first reading on', () => {
  const rate = new ServiceRate();
  assert.equal(rate.perSecond(10, 0), undefined);
  rate.observe(10, 0);
  assert.equal(rate.perSecond(12, 999), undefined);
  assert.equal(rate.perSecond(14, 2000), 2);
});

test('What happened more than half a minute ago is forgotten', () => {
  const rate = new ServiceRate();
  for (let second = 0; second <= 10; second++) rate.observe(second * 100, second * 1000);
  for (let second = 11; second <= 60; second++) rate.observe(1000 + second - 10, second * 1000);
  assert.equal(Math.round(rate.perSecond(1050, 60_000) ?? 0), 1);
});

test('A count that falls begins anew', () => {
  const rate = new ServiceRate();
  rate.observe(100, 0);
  rate.observe(40, 1000);
  assert.equal(rate.perSecond(40, 1500), undefined);
  assert.equal(rate.perSecond(46, 3000), 3);
});
