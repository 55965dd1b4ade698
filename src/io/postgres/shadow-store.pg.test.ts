// Goal: comparisons are kept up to their bound, newest first, and sum up by rule. Method: a real server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDatabase } from '../../../test/support/postgres.ts';
import { type ShadowComparisonRow, shadowStore } from './shadow-store.ts';

function row(n: number, more: Partial<ShadowComparisonRow> = {}): ShadowComparisonRow {
  return {
    shadow: 'next',
    atMs: 1_800_000_000_000 + n,
    requestId: `11111111-1111-4111-8111-${String(n).padStart(12, '0')}`,
    outcome: 'compared',
    primaryModel: 'chat',
    primaryBackend: 'a',
    model: 'trial',
    backend: 'b',
    primaryStatus: 200,
    status: 200,
    primaryTokens: 10,
    tokens: 20,
    primaryFirstByteMs: 5,
    firstByteMs: 7,
    primaryTotalMs: 100,
    totalMs: 100 * n,
    distance: 1000 * n,
    ...more,
  };
}

withDatabase((db) => {
  test('comparisons are kept up to their bound, and sum up by rule', async () => {
    const store = shadowStore(db.database.sql);
    const failed = row(4, {
      shadow: 'other',
      outcome: 'failed',
      status: 0,
      firstByteMs: undefined,
      distance: undefined,
    });
    await store.add([], 2);
    await store.add([row(1), row(2), failed], 2);
    await store.add([row(3)], 2);
    assert.deepEqual(await store.newest('next', 10), [row(3), row(2)]);
    assert.deepEqual(await store.newest(undefined, 2), [row(3), failed]);
    const none = {
      meanDistance: undefined,
      primaryTokens: undefined,
      tokens: undefined,
      primaryTotalMs: undefined,
      totalMs: undefined,
    };
    assert.deepEqual(await store.summaries(), [
      {
        shadow: 'next',
        compared: 2,
        failed: 0,
        timedOut: 0,
        meanDistance: 2500,
        primaryTokens: 10,
        tokens: 20,
        primaryTotalMs: 100,
        totalMs: 250,
      },
      { shadow: 'other', compared: 0, failed: 1, timedOut: 0, ...none },
    ]);
  });
});
