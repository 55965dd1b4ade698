// Goal: the numbers of Overview are sums of the seconds on show, and no data is never 0.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  latencyWords,
  latestLatency,
  rateOver,
  type Second,
  tally,
  trafficColumns,
  trafficWords,
} from './traffic.ts';

function second(t: number, requests: number, failed = 0, p50: number | null = null): Second {
  const p95 = p50 === null ? null : p50 * 3;
  return { t, requests, failed, first_byte_p50_ms: p50, first_byte_p95_ms: p95 };
}

test('the rate is the mean over its window and over no more seconds than there are', () => {
  const series = [second(1, 100), second(2, 4), second(3, 8)];
  assert.equal(rateOver(series, 2), 6);
  assert.equal(rateOver(series, 10), 112 / 3);
  assert.equal(rateOver([], 10), null);
});

test('the tally adds up', () => {
  assert.deepEqual(tally([second(1, 3, 1), second(2, 4, 0)]), {
    requests: 7,
    failed: 1,
    seconds: 2,
  });
});

test('the latency shown is that of the newest second that had one, with its age', () => {
  const series = [second(1, 1, 0, 50), second(2, 1, 0, 20), second(3, 0), second(4, 0)];
  assert.deepEqual(latestLatency(series), { p50Ms: 20, p95Ms: 60, ageSeconds: 2 });
  assert.equal(latestLatency([second(1, 0)]), undefined);
});

test('columns keep gaps as gaps', () => {
  const { times, lines } = trafficColumns([second(1, 2), second(2, 0, 0)]);
  assert.deepEqual(times, [1, 2]);
  assert.deepEqual(lines, [
    [2, 0],
    [0, 0],
  ]);
});

test('the words hold the same figures as the chart', () => {
  const series = [second(0, 5, 1, 40), second(1, 9, 0, 10)];
  assert.match(
    trafficWords(series),
    /14 requests finished, 1 of them failed; at most 9 in one second/,
  );
  assert.match(latencyWords(series), /40\u202fms and a p95 of 120\u202fms/);
});

test('without seconds and without samples the words say so', () => {
  assert.equal(trafficWords([]), 'No second was recorded yet.');
  assert.match(latencyWords([second(1, 0)]), /no first byte was measured/);
});
