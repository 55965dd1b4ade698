// Goal: a write is whole or not there, a repeated one changes nothing (W1 to W3), old counts go, and
// an unreadable row is kept aside. Method: a real server, documents of the test's own.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { testEvents, withDatabase } from '../../../test/support/postgres.ts';
import { instant } from '../../base/time.ts';
import type { EventToAppend } from './control-events.ts';
import { type ModeWrite, servingModeStore } from './serving-mode-store.ts';

const at = 1_700_000_000_000;

function moved(kind: string, stream = 'policy'): EventToAppend {
  const data = { from: 'normal', to: 'watch' };
  const occurredAt = instant(at);
  return { stream, kind, version: 1, occurredAt, actor: 'system', subject: 'mode:global', data };
}

function write(over: Partial<ModeWrite> = {}): ModeWrite {
  return {
    id: randomUUID(),
    mode: 'watch',
    since: at,
    at,
    state: { burst: 2 },
    pin: null,
    minutes: [],
    days: [],
    firstMinute: 0,
    firstDay: 0,
    events: [],
    ...over,
  };
}

withDatabase((db) => {
  const store = () => servingModeStore(db.database.sql, testEvents);

  test('at the very first start there is nothing', async () => {
    assert.deepEqual(await store().load(), { row: undefined, minutes: [], days: [] });
    assert.equal(await store().lastWriteId(), undefined);
    assert.deepEqual(await store().readMoves(10), []);
  });

  test('state, pin, counts and events come back, and counts are replaced, not added', async () => {
    const first = write({
      minutes: [{ slot: 7, total: 10, bad: 1 }],
      days: [{ slot: 1, total: 10, bad: 1 }],
      events: [moved('mode_escalated')],
    });
    await store().save(first);
    const second = write({
      pin: { mode: 'halted' },
      minutes: [
        { slot: 7, total: 12, bad: 2 },
        { slot: 9, total: 1, bad: 0 },
      ],
      days: [{ slot: 1, total: 13, bad: 2 }],
      events: [moved('mode_pinned')],
    });
    await store().save(second);
    const stored = await store().load();
    assert.deepEqual(
      [stored.row?.mode, stored.row?.state, stored.row?.pin],
      ['watch', { burst: 2 }, { mode: 'halted' }],
    );
    assert.deepEqual(stored.minutes, second.minutes);
    assert.deepEqual(stored.days, second.days);
    assert.equal(await store().lastWriteId(), second.id);
    const moves = await store().readMoves(10);
    assert.deepEqual(
      moves.map(({ sequence, kind }) => [sequence, kind]),
      [
        [2, 'mode_pinned'],
        [1, 'mode_escalated'],
      ],
    );
    assert.equal((await store().readMoves(1))[0]?.kind, 'mode_pinned');
  });

  test('a write that is sent again changes nothing', async () => {
    const repeated = write({ events: [moved('mode_unpinned')] });
    await store().save(repeated);
    await store().save({ ...repeated, mode: 'other' });
    assert.equal((await store().load()).row?.mode, 'watch');
    assert.equal((await store().readMoves(10)).length, 3);
  });

  test('a write that fails halfway leaves no trace', async () => {
    const before = await store().load();
    const broken = write({ mode: 'halted', minutes: [{ slot: 9, total: 1, bad: 5 }] });
    await assert.rejects(store().save(broken), { code: '23514' });
    assert.deepEqual(await store().load(), before);
    const noKind = { ...moved('x'), version: 0 };
    await assert.rejects(store().save(write({ mode: 'halted', events: [noKind] })));
    assert.deepEqual(await store().load(), before);
  });

  test('slots that are too old are removed', async () => {
    await store().save(write({ firstMinute: 9, firstDay: 2 }));
    const { minutes, days } = await store().load();
    assert.deepEqual(minutes, [{ slot: 9, total: 1, bad: 0 }]);
    assert.deepEqual(days, []);
  });

  test('a row that nobody can read is kept under a scope of its own', async () => {
    await store().setAside(at);
    assert.equal((await store().load()).row, undefined);
    const rows = await db.database.sql`select scope, mode from serving_modes`;
    assert.deepEqual(
      [...rows],
      [{ scope: 'global, unreadable, 2023-11-14T22:13:20.000Z', mode: 'watch' }],
    );
  });
});
