// Goal: the formulas of demand, with numbers that were worked out by hand.
// Method: worked examples, then bounds for random demand.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import {
  confidenceOf,
  type DemandHour,
  type DemandPattern,
  demandPattern,
  hourOf,
  isWorthLoading,
} from './demand.ts';

/** Some midnight, in hours since 1970. */
const midnight = 24 * 20_000;
const bounds = { minSampleDays: 7, minRequestCount: 100 };

function daily(days: number, perHour: Readonly<Record<number, number>>): DemandHour[] {
  return Array.from({ length: days }, (_, day) =>
    Object.entries(perHour).map(([hour, requests]) => ({
      hour: midnight + 24 * day + Number(hour),
      requests,
    })),
  ).flat();
}

function patternOf(demand: readonly DemandHour[], nowHour: number): DemandPattern {
  const pattern = demandPattern(demand, nowHour);
  assert.ok(pattern);
  return pattern;
}

test('averages are over days with data, the ratio over hours that are not zero', () => {
  // Ten days of 90 requests at 9, 20 at 10 and 10 at 11: averages 90, 20, 10, mean 40.
  const pattern = patternOf(daily(10, { 9: 90, 10: 20, 11: 10 }), midnight + 240);
  assert.equal(pattern.hourlyAverage[9], 90);
  assert.equal(pattern.hourlyAverage[12], 0);
  assert.equal(pattern.peakRatio, 90 / 40);
  assert.deepEqual([pattern.peakHour, pattern.isPatterned], [9, true]);
  assert.deepEqual([pattern.total, pattern.daysWithData, pattern.spanDays], [1200, 10, 10]);
});

test('a day without requests counts for the span and not for the averages', () => {
  const [first, , third] = [0, 1, 2].map((day) => ({ hour: midnight + 24 * day, requests: 10 }));
  assert.ok(first && third);
  const pattern = patternOf([first, third], midnight + 72);
  assert.deepEqual([pattern.daysWithData, pattern.spanDays], [2, 3]);
  assert.equal(pattern.hourlyAverage[0], 10);
});

test('from twice the mean on a day has a pattern', () => {
  // 3 and 1: mean 2, ratio 1.5. 6, 2 and 1: mean 3, ratio exactly 2.
  assert.equal(patternOf(daily(7, { 1: 3, 2: 1 }), midnight + 168).isPatterned, false);
  const exact = patternOf(daily(7, { 1: 6, 2: 2, 3: 1 }), midnight + 168);
  assert.deepEqual([exact.peakRatio, exact.isPatterned], [2, true]);
});

test('a fifth more or less than the week before is no direction, and beyond it is one', () => {
  const week = (recent: number, older: number) =>
    patternOf(
      [
        { hour: midnight - 8 * 24, requests: older },
        { hour: midnight - 24, requests: recent },
      ],
      midnight,
    ).trend;
  assert.deepEqual(
    [week(120, 100), week(121, 100), week(80, 100), week(79, 100)],
    ['stable', 'increasing', 'stable', 'decreasing'],
  );
});

test('the last seven days end now, and the hour that begins them belongs to those before', () => {
  const at = (hour: number) => patternOf([{ hour, requests: 5 }], midnight).trend;
  assert.equal(at(midnight - 7 * 24 + 1), 'increasing', 'nothing older and some recent');
  assert.equal(at(midnight - 7 * 24), 'decreasing');
  assert.equal(at(midnight - 14 * 24), 'stable', 'older than both windows');
});

test('without requests there is no pattern', () => {
  assert.equal(demandPattern([], midnight), undefined);
  assert.equal(demandPattern([{ hour: midnight, requests: 0 }], midnight), undefined);
});

test('confidence is half shape, a quarter amount, a quarter length', () => {
  const pattern = patternOf(daily(7, { 9: 90, 10: 20, 11: 10 }), midnight + 168);
  // strength (2.25 - 1) / 3; amount 840 of 500 is full; length 7 of 14 days.
  const expected = 0.5 * (1.25 / 3) + 0.25 + 0.25 * 0.5;
  assert.ok(Math.abs(confidenceOf(pattern, bounds) - expected) < 1e-12);
  const flat = { ...pattern, isPatterned: false, peakRatio: 1, total: 100, spanDays: 14 };
  assert.ok(Math.abs(confidenceOf(flat, bounds) - (0.5 * 0.2 + 0.25 * 0.2 + 0.25)) < 1e-12);
});

test('too few requests, too few days and an even, steady demand are not worth a load', () => {
  const good = patternOf(daily(14, { 9: 90, 10: 20, 11: 10 }), midnight + 14 * 24);
  assert.equal(isWorthLoading(good, bounds), true);
  assert.equal(isWorthLoading({ ...good, total: 99 }, bounds), false);
  assert.equal(isWorthLoading({ ...good, spanDays: 6 }, bounds), false);
  const even = { ...good, isPatterned: false, trend: 'stable' } as const;
  assert.equal(isWorthLoading(even, bounds), false);
  assert.equal(isWorthLoading({ ...even, trend: 'increasing' }, bounds), true);
});

test('an hour is counted in UTC', () => {
  assert.equal(hourOf(Date.UTC(1970, 0, 2, 3, 59, 59, 999)), 27);
});

const anyDemand = fc.array(
  fc.record({
    hour: fc.integer({ min: midnight - 720, max: midnight }),
    requests: fc.integer({ min: 0, max: 1_000_000 }),
  }),
  { maxLength: 60 },
);

holds(
  'whatever the demand, ratio is at least 1, confidence within 0 and 1, averages add up to the total',
  fc.property(anyDemand, (demand) => {
    const pattern = demandPattern(demand, midnight);
    if (pattern === undefined) return;
    assert.ok(pattern.peakRatio >= 1 - 1e-9);
    assert.ok(pattern.peakRatio <= 24);
    const confidence = confidenceOf(pattern, bounds);
    assert.ok(confidence >= 0 && confidence <= 1);
    const sum = pattern.hourlyAverage.reduce((all, one) => all + one, 0) * pattern.daysWithData;
    assert.ok(Math.abs(sum - pattern.total) < 1e-3);
    assert.ok(pattern.daysWithData <= pattern.spanDays);
  }),
);
