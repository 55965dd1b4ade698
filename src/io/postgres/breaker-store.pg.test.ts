// Goal: row and event of a transition are there together or not at all, and a start reads what was not
// closed. Method: the store on a real database.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testEvents, withDatabase } from '../../../test/support/postgres.ts';
import { instant } from '../../base/time.ts';
import { type BreakerWrite, breakerStore, type StoredBreaker } from './breaker-store.ts';
import { readEvents } from './control-events.ts';

const at = 1_800_000_000_000;

function write(subject: string, over: Partial<StoredBreaker> = {}): BreakerWrite {
  const row: StoredBreaker = {
    subject,
    state: 'open',
    failures: 5,
    successes: 0,
    movedAt: at,
    openedAt: at,
    lastFailure: 'connection refused',
    ...over,
  };
  const event = {
    stream: 'resilience',
    kind: 'breaker_opened',
    version: 1,
    occurredAt: instant(row.movedAt),
    actor: 'system',
    subject,
    data: { from: 'closed' },
  };
  return { row, event };
}

withDatabase((db) => {
  const store = () => breakerStore(db.database.sql, testEvents);

  test('the last transition of a breaker is its row, every one an event', async () => {
    const closing = { state: 'closed', movedAt: at + 5, openedAt: undefined } as const;
    const one = 'backend:a/model:org/m_%';
    await store().append([write('backend:a'), write(one)]);
    await store().append([write('backend:a', { state: 'half_open', movedAt: at + 1 })]);
    await store().append([write(one, { movedAt: at + 4 }), write(one, closing)]);
    assert.deepEqual(await store().load(at), [
      write('backend:a', { state: 'half_open', movedAt: at + 1 }).row,
    ]);
    assert.deepEqual(await store().load(at + 2), []);
    const events = await readEvents(db.database.sql, { stream: 'resilience', limit: 10 });
    assert.equal(events.length, 5);
  });

  test('a row that does not hold is not written, nor its event', async () => {
    const before = await readEvents(db.database.sql, { stream: 'resilience', limit: 100 });
    await assert.rejects(
      store().append([write('backend:b'), write('backend:c', { failures: -1 })]),
    );
    const after = await readEvents(db.database.sql, { stream: 'resilience', limit: 100 });
    assert.equal(after.length, before.length);
    const rows = await db.database
      .sql`select 1 from circuit_breaker_state where service_id = 'backend:b'`;
    assert.equal(rows.length, 0);
  });

  test('a backend is forgotten with its models, and no other', async () => {
    await store().append(['backend:x', 'backend:x/model:m', 'backend:xy'].map((id) => write(id)));
    await store().forget('backend:x');
    const left = (await store().load(0)).map(({ subject }) => subject);
    assert.ok(left.includes('backend:xy'));
    assert.ok(!left.some((subject) => /^backend:x(?:\/|$)/.test(subject)));
  });
});
