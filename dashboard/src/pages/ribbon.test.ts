// Goal: the ribbon is true to the history that the server told, whatever that history is. Method:
// a story of one outage, and any spans at all held against the invariants.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import type { StatusSpanWire } from '../api/wire.ts';
import { partWords, ribbonMs, ribbonParts, ribbonSummary } from './ribbon.ts';

const now = Date.parse('2026-11-12T12:00:00.000Z');
const at = (minutesAgo: number) => new Date(now - minutesAgo * 60_000).toISOString();

function span(from: number, to: number | null, more: Partial<StatusSpanWire> = {}): StatusSpanWire {
  return {
    from: at(from),
    to: to === null ? null : at(to),
    status: 'healthy',
    reason: null,
    words: '',
    ...more,
  };
}

const outage = [
  span(100, 40),
  span(40, 30, { status: 'unhealthy', words: 'connection refused' }),
  span(30, null),
];

test('an outage is told with its cause, its length and its share', () => {
  const parts = ribbonParts(outage, now);
  assert.deepEqual(
    parts.map(({ mark, lasts }) => [mark.words, lasts]),
    [
      ['Healthy', false],
      ['Unhealthy', false],
      ['Healthy', true],
    ],
  );
  const middle = parts[1];
  assert.ok(middle);
  assert.match(partWords(middle), /, 10\u202fm: Unhealthy, connection refused$/);
  assert.match(ribbonSummary(parts), /Healthy 90\u202f%, Unhealthy 10\u202f%; 2 changes\.$/);
});

test('what lies before the window is cut, and what nobody saw stays empty', () => {
  const [only] = ribbonParts([span(2 * 24 * 60, null)], now);
  assert.equal(only?.fromMs, now - ribbonMs);
  assert.deepEqual(ribbonParts([span(2 * 24 * 60, 25 * 60)], now), []);
  assert.equal(ribbonSummary([]), 'No state is known of the last 24 h.');
});

test('a time that is none draws nothing', () => {
  assert.deepEqual(ribbonParts([{ ...span(1, null), from: 'soon' }], now), []);
});

const minutes = fc.integer({ min: -100, max: 3000 });
const anySpan = fc.record({ from: minutes, to: fc.option(minutes) });

holds(
  'any history gives parts in order, inside the window, none of them empty',
  fc.property(fc.array(anySpan, { maxLength: 20 }), (spans) => {
    const parts = ribbonParts(
      spans.map(({ from, to }) => span(from, to)),
      now,
    );
    let before = now - ribbonMs;
    for (const { fromMs, toMs } of parts) {
      assert.ok(fromMs >= before);
      assert.ok(toMs > fromMs);
      assert.ok(toMs <= now);
      before = toMs;
    }
  }),
);
