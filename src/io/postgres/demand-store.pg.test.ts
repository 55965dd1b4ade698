// Goal: counts add up, old hours go, and only models that are asked for enough are read.
// Method: a real server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDatabase } from '../../../test/support/postgres.ts';
import { demandStore } from './demand-store.ts';

withDatabase((db) => {
  const store = () => demandStore(db.database.sql);

  test('counts of one model and hour add up, and come back by model and hour', async () => {
    await store().add(
      [
        { modelId: 'b', hour: 100, requests: 3 },
        { modelId: 'a', hour: 101, requests: 1 },
      ],
      0,
    );
    await store().add([{ modelId: 'b', hour: 100, requests: 4 }], 0);
    await store().add([{ modelId: 'b', hour: 99, requests: 1 }], 0);
    assert.deepEqual(await store().load(0, 1), [
      { modelId: 'a', hour: 101, requests: 1 },
      { modelId: 'b', hour: 99, requests: 1 },
      { modelId: 'b', hour: 100, requests: 7 },
    ]);
  });

  test('models with fewer requests than asked for, and hours before the first, are not read', async () => {
    assert.deepEqual(
      (await store().load(0, 8)).map(({ modelId }) => modelId),
      ['b', 'b'],
    );
    assert.deepEqual(await store().load(100, 8), [], 'only those of the window count');
  });

  test('what is older than the first hour is forgotten, also without news', async () => {
    await store().add([], 101);
    assert.deepEqual(await store().load(0, 1), [{ modelId: 'a', hour: 101, requests: 1 }]);
  });

  test('more counts than one statement takes are one write', async () => {
    const counts = Array.from({ length: 12_000 }, (_, i) => ({
      modelId: `m${i % 50}`,
      hour: 200 + Math.floor(i / 50),
      requests: 2,
    }));
    await store().add(counts, 200);
    const read = await store().load(200, 1);
    assert.equal(read.length, counts.length);
  });
});
