// Goal: a gap stays a gap, lines stand where the factors are, and the words name the highest burn.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BurnPairWire, BurnPointWire } from '../api/wire.ts';
import { burnColumns, burnFactors, burnWords, pairWords } from './burn.ts';

function point(t: number, burn: number | null): BurnPointWire {
  return { t, five_minutes: burn, hour: burn, six_hours: null };
}

const fast: BurnPairWire = {
  name: 'fast',
  factor: 14.4,
  long_seconds: 3600,
  short_seconds: 300,
  long_burn: null,
  short_burn: 2,
  firing: false,
  moves: true,
};

test('minutes that are missing become empty points, so that no line bridges them', () => {
  const { times, lines } = burnColumns([point(60, 1), point(240, 2)]);
  assert.deepEqual(times, [60, 120, 180, 240]);
  assert.deepEqual(lines[0], [1, null, null, 2]);
});

test('a server that was away for a year does not fill the memory', () => {
  const { times } = burnColumns([point(0, 1), point(365 * 86_400, 2)]);
  assert.equal(times.length, 362);
});

test('a chart without points has no columns and says so', () => {
  assert.deepEqual(burnColumns([]).times, []);
  assert.match(burnWords([]), /^No minute/);
});

test('the words name the highest burn and its minute, or that there was too little to say', () => {
  assert.match(burnWords([point(60, 0.5), point(120, 7.06), point(180, 1)]), /at most 7\.06×/);
  assert.match(burnWords([point(60, null)]), /never enough requests/);
});

test('the lines across are the factors, each once', () => {
  assert.deepEqual(burnFactors([fast, { ...fast, factor: 1 }, fast]), [14.4, 1]);
  assert.match(pairWords(fast), /^fast: 14\.4× over 1\u202fh and 5\u202fm, moves the mode$/);
  assert.match(pairWords({ ...fast, moves: false }), /only tells$/);
});
