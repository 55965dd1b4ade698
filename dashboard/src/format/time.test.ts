// Goal: durations choose their unit, and clocks that disagree never show nonsense.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatAgo,
  formatClock,
  formatInstant,
  formatLatency,
  formatListTime,
  formatSince,
  formatSpan,
} from './time.ts';

const plain = (text: string): string => text.replaceAll('\u202f', ' ');

test('a latency is in milliseconds under one second and in seconds above', () => {
  assert.equal(plain(formatLatency(0.4213)), '0.421 ms');
  assert.equal(plain(formatLatency(213.4)), '213 ms');
  assert.equal(plain(formatLatency(999.4)), '999 ms');
  assert.equal(plain(formatLatency(999.6)), '1.0 s');
  assert.equal(plain(formatLatency(1234)), '1.2 s');
  assert.equal(plain(formatLatency(250_000)), '4 m 10 s');
});

test('a latency that was never measured is a dash', () => {
  assert.equal(formatLatency(null), '–');
  assert.equal(formatLatency(Number.NaN), '–');
});

test('spans grow coarser as they grow longer', () => {
  const cases: readonly (readonly [number, string])[] = [
    [-5, '0 s'],
    [999, '0 s'],
    [8000, '8 s'],
    [60_000, '1 m'],
    [250_000, '4 m 10 s'],
    [610_000, '10 m'],
    [3_600_000, '1 h'],
    [7_500_000, '2 h 5 m'],
    [86_400_000 * 3.5, '3 d'],
  ];
  for (const [ms, text] of cases) assert.equal(plain(formatSpan(ms)), text);
});

test('instants are unambiguous and 24 h', () => {
  const at = new Date(2026, 10, 12, 0, 4, 31).getTime();
  assert.equal(formatClock(at), '00:04:31');
  assert.equal(formatInstant(at), '12 Nov 2026 00:04:31');
  assert.equal(formatInstant(Number.NaN), '–');
});

test('a list shows the clock for today and the date for another day', () => {
  const at = new Date(2026, 10, 12, 12, 4, 31).getTime();
  assert.equal(formatListTime(at, at + 1000), '12:04:31');
  assert.equal(formatListTime(at, at + 48 * 3_600_000), '12 Nov 2026 12:04:31');
});

test('an instant in the future or one that cannot be read does not invent an age', () => {
  assert.equal(
    plain(formatSince('2026-11-12T12:00:00.000Z', Date.parse('2026-11-12T11:59:59Z'))),
    '0 s',
  );
  assert.equal(formatSince('soon', 0), '–');
  assert.equal(formatAgo(null, 0), 'never');
  assert.equal(plain(formatAgo('1970-01-01T00:00:00Z', 240_000)), '4 m ago');
});
