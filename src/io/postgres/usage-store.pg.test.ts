// Goal: batches add up, a batch that comes twice counts once, and sums are read as they are asked for.
// Method: a real server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDatabase } from '../../../test/support/postgres.ts';
import { type UsageHourRow, type UsageQuery, usageStore } from './usage-store.ts';

const writer = '11111111-1111-4111-8111-111111111111';
/** 2026-11-30, 23:00 UTC. */
const lastOfNovember = Date.UTC(2026, 10, 30, 23) / 3_600_000;

function row(more: Partial<UsageHourRow> = {}): UsageHourRow {
  return {
    hour: lastOfNovember,
    keyId: 'key_a',
    groupName: 'red',
    model: 'm',
    backendId: 'b',
    requests: 2,
    succeeded: 1,
    refused: 0,
    failed: 1,
    aborted: 0,
    priced: 2,
    unpriced: 0,
    promptTokens: 10,
    completionTokens: 5,
    cachedTokens: 1,
    costMicroUsd: 700,
    backendMs: 40,
    ...more,
  };
}

const everything: UsageQuery = {
  fromHour: 0,
  toHour: 1_000_000,
  groups: [],
  keys: [],
  models: [],
  backends: [],
  by: ['model'],
  limit: 100,
  offset: 0,
};

withDatabase((db) => {
  const store = () => usageStore(db.database.sql);
  const november = { scope: 'installation', id: '', month: '2026-11' } as const;

  test('batches add up, and one that comes again counts once', async () => {
    const batch = {
      writer,
      batch: 1,
      atMs: Date.UTC(2026, 10, 30),
      hours: [row(), row({ model: 'n', groupName: 'blue', priced: 0, costMicroUsd: 0 })],
      months: [{ ...november, spendMicroUsd: 700 }],
    };
    await store().add(batch);
    await store().add(batch);
    await store().add({ ...batch, batch: 2 });
    assert.equal(await store().spentIn('2026-11'), 1400);
    assert.equal(await store().spentIn('2026-12'), 0);
    const { total, count, rows } = await store().read(everything);
    assert.deepEqual([total.requests, total.promptTokens, total.costMicroUsd], [8, 40, 1400]);
    assert.equal(count, 2);
    assert.deepEqual(
      rows.map(({ of, requests, costMicroUsd, cachedTokens }) => [
        of.model,
        requests,
        costMicroUsd,
        cachedTokens,
      ]),
      [
        ['m', 4, 1400, 2],
        ['n', 4, 0, 2],
      ],
    );
  });

  test('filters and dimensions hold together, and hours fall into days and months of UTC', async () => {
    const december = row({ hour: lastOfNovember + 1, requests: 3, keyId: "key_'; drop" });
    await store().add({ writer, batch: 3, atMs: 0, hours: [december], months: [] });
    const read = async (more: Partial<UsageQuery>) => {
      const { rows } = await store().read({ ...everything, ...more });
      return rows.map(({ of, requests }) => [...Object.values(of), requests]);
    };
    assert.deepEqual(await read({ by: ['month', 'group'] }), [
      ['2026-11-01T00:00:00.000Z', 'red', 4],
      ['2026-11-01T00:00:00.000Z', 'blue', 4],
      ['2026-12-01T00:00:00.000Z', 'red', 3],
    ]);
    assert.deepEqual(await read({ by: ['hour'], groups: ['red'] }), [
      ['2026-11-30T23:00:00.000Z', 4],
      ['2026-12-01T00:00:00.000Z', 3],
    ]);
    assert.deepEqual(await read({ by: ['day'], keys: ["key_'; drop"] }), [
      ['2026-12-01T00:00:00.000Z', 3],
    ]);
    assert.deepEqual(await read({ fromHour: lastOfNovember + 1 }), [['m', 3]]);
    assert.deepEqual(await read({ toHour: lastOfNovember }), []);
    assert.deepEqual(await read({ models: ['n'], backends: ['b'] }), [['n', 4]]);
  });

  test('a page knows how many rows there are, also behind the last one', async () => {
    const page = await store().read({ ...everything, limit: 1, offset: 5 });
    assert.deepEqual([page.count, page.rows.length], [2, 0]);
    assert.equal(page.total.requests, 11);
  });

  test('a row that breaks its bounds takes nothing of its batch in', async () => {
    const bad = row({ model: 'bad', priced: 9 });
    const batch = { writer, batch: 4, atMs: 0, hours: [row({ model: 'p' }), bad], months: [] };
    await assert.rejects(store().add(batch), /usage_hourly_priced/);
    await store().add({ ...batch, hours: [row({ model: 'p' })] });
    const { rows } = await store().read({ ...everything, models: ['p', 'bad'] });
    assert.deepEqual(
      rows.map(({ of, requests }) => [of.model, requests]),
      [['p', 2]],
    );
  });
});
