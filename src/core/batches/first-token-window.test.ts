// Goal: a judgement goes by enough first tokens, or by what there is after a while. Method: a clock of
// the test's own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogSketch } from '../statistics/log-sketch.ts';
import type { PlainSketch } from '../statistics/sketch-plain.ts';
import { FirstTokenWindow } from './first-token-window.ts';

function seen(...values: readonly number[]): PlainSketch {
  const sketch = new LogSketch();
  for (const value of values) sketch.add(value);
  return sketch.toPlain();
}

test('eight are enough at once, fewer after two seconds, and each counts once', () => {
  const window = new FirstTokenWindow();
  assert.equal(window.take(0), undefined);
  window.add(seen(10, 20), 1000);
  assert.equal(window.take(2999), undefined);
  assert.equal(window.take(3000)?.count, 2);
  assert.equal(window.take(9000), undefined);
  window.add(seen(...Array.from({ length: 8 }, (_, i) => (i + 1) * 10)), 10_000);
  const taken = window.take(10_000);
  assert.equal(taken?.count, 8);
  assert.ok(Math.abs((taken?.p75Ms ?? 0) - 60) < 1);
});

test('it is used for ten seconds after the last one', () => {
  const window = new FirstTokenWindow();
  assert.ok(!window.isUsed(0));
  window.add(seen(), 0);
  assert.ok(!window.isUsed(0));
  window.add(seen(5), 1000);
  assert.ok(window.isUsed(10_999));
  assert.ok(!window.isUsed(11_000));
});
