import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elapsedMs, instant, parseRfc3339, toRfc3339 } from './time.ts';

test('an instant is whole milliseconds and prints as RFC 3339 with milliseconds', () => {
  assert.equal(instant(1.9), 1);
  assert.equal(toRfc3339(instant(0)), '1970-01-01T00:00:00.000Z');
});

test('RFC 3339 is read with 0 to 9 fractional digits, and nothing else is', () => {
  assert.equal(parseRfc3339('2026-11-21T15:02:58Z'), 1795273378000);
  assert.equal(parseRfc3339('2026-11-21T16:02:58.123456789+01:00'), 1795273378123);
  for (const text of ['', '2026-11-21', '2026-11-21 15:02:58Z', '2026-13-01T00:00:00Z', 'now']) {
    assert.equal(parseRfc3339(text), undefined, text);
  }
});

test('elapsed time never goes below zero', () => {
  assert.equal(elapsedMs(instant(5), instant(9)), 4);
  assert.equal(elapsedMs(instant(9), instant(5)), 0);
});
