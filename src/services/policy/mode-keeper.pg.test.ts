// Goal: the serving mode survives the end of its program: a keeper that comes after one that simply
// stopped decides as one that never stopped, and the events of both form one whole chain.
// Method: a real server; one keeper is dropped between two ticks, a twin on a store in memory is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testEvents, withDatabase } from '../../../test/support/postgres.ts';
import { findChainFault } from '../../core/events/control-event.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import { readEvents } from '../../io/postgres/control-events.ts';
import { servingModeStore } from '../../io/postgres/serving-mode-store.ts';
import { Bench, MemoryStore } from './keeper.test-support.ts';

/** What happens in the eight minutes of the test, as requests and failures of each tick. */
const course: readonly (readonly [requests: number, failures: number])[] = [
  ...Array.from({ length: 3 }, () => [80, 0] as const),
  ...Array.from({ length: 15 }, () => [80, 60] as const),
  ...Array.from({ length: 30 }, () => [80, 0] as const),
];

withDatabase((db) => {
  test('a keeper that is opened again at any tick decides as one that never stopped', async () => {
    const store = () => servingModeStore(db.database.sql, testEvents);
    const twin = await new Bench(new MemoryStore()).open();
    let bench = await new Bench(store()).open();
    for (const [index, [requests, failures]] of course.entries()) {
      if (index % 4 === 2) {
        const next = new Bench(store());
        next.now = bench.now;
        bench = await next.open();
      }
      if (index === 20) {
        const pin = { mode: 'normal', by: 'user:ana', reason: 'r', since: bench.now } as const;
        for (const each of [bench, twin]) {
          await each.keeper.pin({ ...pin, until: bench.now + 100_000 }, each.now);
        }
      }
      await bench.tick(requests, failures);
      await twin.tick(requests, failures);
      assert.deepEqual(bench.keeper.state, twin.keeper.state, `tick ${index}`);
      assert.equal(bench.mode, twin.mode);
      assert.deepEqual(bench.keeper.burn(bench.now), twin.keeper.burn(twin.now));
      assert.deepEqual(bench.failures, []);
    }
    const events = await readEvents(db.database.sql, { stream: 'policy', limit: 100 });
    const kinds = events.map(({ kind }) => kind);
    assert.deepEqual(kinds, [
      'mode_escalated',
      'mode_escalation_suppressed',
      'mode_escalated',
      'mode_escalation_suppressed',
      'mode_pinned',
      'mode_deescalated',
      'mode_deescalated',
      'mode_unpinned',
    ]);
    const start = { sequence: 0, hash: '' };
    assert.equal(findChainFault(start, events, nodeCrypto.sha256Hex), undefined);
  });

  test('a damaged row is set aside in the database, and the next keeper starts all the same', async () => {
    await db.database.sql`update serving_modes set state = '{"since": "yesterday"}'`;
    const store = servingModeStore(db.database.sql, testEvents);
    const bench = await new Bench(store).open();
    assert.equal(bench.problems.length, 1);
    await bench.tick(10);
    assert.deepEqual(bench.failures, []);
    const again = await new Bench(store).open();
    assert.deepEqual(again.problems, []);
  });
});
