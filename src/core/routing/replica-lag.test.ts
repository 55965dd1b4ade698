// Goal: a thread that is behind is told with the time since the first change that it lacks, and one
// that is not is never told. Method: a hand clock; sizes over many versions.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplicaLag } from './replica-lag.ts';

test('a thread lags from the first change that it has not applied, and not once it has', () => {
  const lag = new ReplicaLag();
  lag.applied(0, 0);
  lag.applied(1, 0);
  lag.published(1, 100);
  lag.published(2, 400);
  assert.deepEqual(lag.lagging(1000, 1000), []);
  lag.applied(0, 2);
  assert.deepEqual(lag.lagging(1101, 1000), [{ thread: 1, version: 0, behindMs: 1001 }]);
  lag.applied(1, 1);
  assert.deepEqual(lag.lagging(1101, 1000), []);
  assert.deepEqual(lag.lagging(1401, 1000), [{ thread: 1, version: 1, behindMs: 1001 }]);
  lag.applied(1, 2);
  lag.applied(1, 1);
  assert.deepEqual(lag.lagging(99_999, 1000), []);
  assert.deepEqual(
    [...lag.versions()],
    [
      [0, 2],
      [1, 2],
    ],
  );
});

test('a thread that is gone is not waited for', () => {
  const lag = new ReplicaLag();
  lag.applied(0, 0);
  lag.published(1, 0);
  lag.gone(0);
  assert.deepEqual(lag.lagging(5000, 1000), []);
  lag.applied(0, 1);
  assert.deepEqual(lag.lagging(5000, 1000), []);
});

test('one that stays behind for ten thousand changes is told all the same', () => {
  const lag = new ReplicaLag();
  lag.applied(0, 0);
  for (let version = 1; version <= 10_000; version++) lag.published(version, version);
  const [told] = lag.lagging(20_000, 1000);
  assert.ok((told?.behindMs ?? 0) > 10_000);
});

test('versions go up', () => {
  const lag = new ReplicaLag();
  lag.published(2, 0);
  assert.throws(() => lag.published(2, 0), /version 2 after 2/);
});
