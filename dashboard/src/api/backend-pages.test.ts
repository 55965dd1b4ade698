// Goal: the whole fleet comes, each backend once, and a server that changes meanwhile cannot hold the
// page up. Method: servers of ours that answer with a few backends at a time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backend } from '../pages/fleet.test-support.ts';
import { readFleet } from './backend-pages.ts';

const names = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => backend(`b${from + n}`));

test('pages are put together until every backend is there', async () => {
  const asked: number[] = [];
  const list = await readFleet(async (offset) => {
    asked.push(offset);
    return { count: 7, summary: '7', backends: names(offset, Math.min(7, offset + 3)) };
  });
  assert.deepEqual(asked, [0, 3, 6]);
  assert.equal(list.backends.length, 7);
});

test('one that moved between two answers stands once', async () => {
  const list = await readFleet(async (offset) => ({
    count: 4,
    summary: '',
    backends: offset === 0 ? names(0, 3) : names(2, 4),
  }));
  assert.deepEqual(
    list.backends.map(({ id }) => id),
    ['b0', 'b1', 'b2', 'b3'],
  );
});

test('a count that is never reached ends with what there is', async () => {
  const list = await readFleet(async (offset) => ({
    count: 9,
    summary: '',
    backends: offset === 0 ? names(0, 3) : [],
  }));
  assert.equal(list.backends.length, 3);
});
