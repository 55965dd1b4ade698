// Goal: the chip always says how old the data is, and never calls old data live.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from './connection.ts';
import { describeFreshness } from './freshness.ts';

const noon = new Date(2026, 10, 12, 12, 4, 31).getTime();
const plain = (text: string): string => text.replaceAll('\u202f', ' ');
const waiting = (failures: number): Connection => ({
  kind: 'waiting',
  failures,
  retryAt: 0,
  pollAt: 0,
});

function chip(connection: Connection, ageMs: number | undefined, held?: number) {
  const dataAt = ageMs === undefined ? undefined : noon;
  const now = noon + (ageMs ?? 0);
  const freshness = describeFreshness({ connection, dataAt, held, now });
  return { ...freshness, words: plain(freshness.words) };
}

const live: Connection = { kind: 'live', heardAt: noon };

test('a live connection shows the age in tenths of a second', () => {
  assert.equal(chip(live, 400).words, 'Live 0.4 s');
  assert.equal(chip(live, 400).tone, 'ok');
});

test('a lost connection names the instant and the age of the data', () => {
  const freshness = chip(waiting(1), 38_000);
  assert.equal(freshness.words, 'Reconnecting, data of 12:04:31 (38 s old)');
  assert.equal(freshness.stale, true);
});

test('after three failures the chip says that it polls', () => {
  assert.equal(chip(waiting(3), 2000).words, 'Polling every 5 s, data of 12:04:31 (2 s old)');
  assert.equal(chip(waiting(3), 2000).stale, false);
});

test('a paused page counts what waits', () => {
  assert.equal(chip(live, 400, 1318).words, 'Paused, 1 318 new');
});

test('before the first data nothing is dimmed and nothing is called live', () => {
  assert.equal(chip({ kind: 'idle' }, undefined).words, 'Connecting');
  assert.equal(chip(waiting(1), undefined).words, 'Reconnecting, no data yet');
  assert.equal(chip(waiting(1), undefined).stale, false);
});
