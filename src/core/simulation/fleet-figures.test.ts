// Goal: figures mean what they say: percentiles of the answered, goodput over all offered. Method:
// small runs whose figures can be counted.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrival, engine, fleet, runOf } from './fleet.test-support.ts';
import { figuresOf, usualServiceLevel } from './fleet-figures.ts';

const one = fleet([engine('a', { maxRunning: 1, maxWaiting: 1 })]);
const three = [arrival(0), arrival(1), arrival(2)];

test('a rejection is a failure of goodput and not of attainment', () => {
  const figures = figuresOf(runOf(one, three), one, usualServiceLevel);
  assert.deepEqual([figures.requests, figures.answered, figures.rejected], [3, 2, 1]);
  assert.deepEqual(figures.rejections, [{ code: 'queue_full', count: 1 }]);
  assert.equal(figures.goodput, 2 / 3);
  assert.equal(figures.attainment, 1);
});

test('a first token or a further token that is late is not good', () => {
  const run = runOf(one, [arrival(0)]);
  const goodput = (ttftMs: number, tpotMs: number): number =>
    figuresOf(run, one, { ttftMs, tpotMs }).goodput;
  // First byte after 69.864 ms, then two tokens 9.462 ms apart.
  assert.equal(goodput(69.864, 9.462), 1);
  assert.equal(goodput(69.863, 9.462), 0);
  assert.equal(goodput(69.864, 9.461), 0);
});

test('percentiles are nearest ranks of what was answered', () => {
  const figures = figuresOf(runOf(one, three), one, usualServiceLevel);
  assert.equal(figures.first?.p50, 69.864);
  assert.equal(figures.first?.p99, (69_864 + 18_924 + 69_864 - 1) / 1000);
  assert.equal(figures.curve.at(-1)?.firstMs, figures.first?.p99);
  assert.ok(Math.abs((figures.betweenTokensP99Ms ?? 0) / 9.462 - 1) <= 0.005);
});

test('the price is that of the whole fleet over the whole span', () => {
  const run = runOf(one, [arrival(0)]);
  const figures = figuresOf(run, one, usualServiceLevel);
  // 3.6 an hour is 0.001 a second; three tokens took 88.788 ms.
  assert.equal(figures.pricePerHour, 3.6);
  assert.ok(Math.abs((figures.pricePerMillionTokens ?? 0) - (0.001 * 0.088788 * 1e6) / 3) < 1e-9);
});

test('use is told by backend: busy, share, batch', () => {
  const two = fleet([engine('a'), engine('b')]);
  const run = runOf(two, [arrival(0), arrival(0), arrival(1e6)]);
  const { engines } = figuresOf(run, two, usualServiceLevel);
  assert.deepEqual(
    engines.map(({ name, requests }) => [name, requests]),
    [
      ['a', 2],
      ['b', 1],
    ],
  );
  assert.ok(Math.abs((engines[0]?.busy ?? 0) - (2 * 88_788) / 1_088_788) < 1e-9);
  assert.equal(engines[0]?.batchOccupancy, 1 / 8);
});

test('warm-up is left out of the figures and counted', () => {
  const run = runOf(one, [arrival(0), arrival(1e6)], { warmUpUs: 1 });
  const figures = figuresOf(run, one, usualServiceLevel);
  assert.deepEqual([figures.requests, figures.warmUpRequests], [1, 1]);
});

test('where nothing was answered there are no percentiles and no price of tokens', () => {
  const run = runOf(one, [arrival(0, { model: 'other' })]);
  const figures = figuresOf(run, one, usualServiceLevel);
  assert.equal(figures.first, undefined);
  assert.equal(figures.pricePerMillionTokens, undefined);
  assert.deepEqual([figures.goodput, figures.attainment, figures.curve.length], [0, 0, 0]);
});
