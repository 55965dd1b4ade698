// Goal: control events are appended without gaps or forks, whoever writes at the same time, and nothing
// changes them afterwards. Method: parallel transactions on a real server, some of which roll back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testEvents, withDatabase } from '../../../test/support/postgres.ts';
import { instant } from '../../base/time.ts';
import { findChainFault } from '../../core/events/control-event.ts';
import { nodeCrypto } from '../credentials/crypto.ts';
import { connect } from './connection.ts';
import {
  type EventQuery,
  type EventToAppend,
  readEvents,
  type StoredEvent,
} from './control-events.ts';
import { rolePassword } from './embedded-roles.ts';

const empty = { sequence: 0, hash: '' };

function event(stream: string, subject: string, data: EventToAppend['data'] = {}): EventToAppend {
  return {
    stream,
    kind: 'something_happened',
    version: 1,
    occurredAt: instant(1_700_000_000_123),
    actor: 'system',
    subject,
    data,
  };
}

withDatabase((db) => {
  const append = (events: readonly EventToAppend[]): Promise<readonly StoredEvent[]> =>
    db.database.sql.begin((tx) => testEvents.append(tx, events));

  test('events come back as they were written, in a chain that holds', async () => {
    const data = {
      text: 'Grüße 🙂 " \\ \u0001',
      numbers: [0, -1, 1.5, 1e21, 1e-7, 123456789012345],
      nested: { b: null, a: [true, { z: '' }] },
      absent: undefined,
    };
    const written = [
      ...(await append([event('round', 'a', data), event('round', 'b')])),
      ...(await append([event('round', 'c')])),
    ];
    const read = await readEvents(db.database.sql, { stream: 'round', limit: 10 });
    assert.deepEqual(
      read.map(({ sequence, subject }) => [sequence, subject]),
      [
        [1, 'a'],
        [2, 'b'],
        [3, 'c'],
      ],
    );
    assert.equal(findChainFault(empty, read, nodeCrypto.sha256Hex), undefined);
    assert.deepEqual(JSON.parse(JSON.stringify(written)), JSON.parse(JSON.stringify(read)));
    const after = await readEvents(db.database.sql, { stream: 'round', after: 1, limit: 1 });
    assert.deepEqual(
      after.map(({ subject }) => subject),
      ['b'],
    );
  });

  test('parallel writers leave no gap, also where some of them roll back', async () => {
    const writers = Array.from({ length: 40 }, async (_, index) => {
      const both = [event('left', `${index}`), event('right', `${index}`)];
      if (index % 4 !== 3) return append(index % 2 === 0 ? both : both.reverse());
      return assert.rejects(
        db.database.sql.begin(async (tx) => {
          await testEvents.append(tx, both);
          throw new Error('changed its mind');
        }),
        /changed its mind/,
      );
    });
    await Promise.all(writers);
    for (const stream of ['left', 'right']) {
      const events = await readEvents(db.database.sql, { stream, limit: 100 });
      assert.equal(events.length, 30);
      assert.equal(events.at(-1)?.sequence, 30);
      assert.equal(findChainFault(empty, events, nodeCrypto.sha256Hex), undefined);
    }
  });

  test('reading without a stream gives all of them, each in its order', async () => {
    const events = await readEvents(db.database.sql, { limit: 10_000 });
    const streams = [...new Set(events.map(({ stream }) => stream))];
    assert.deepEqual(streams, ['left', 'right', 'round']);
    assert.equal(events.length, 63);
  });

  test('a window holds both of its ends, over all streams, oldest first', async () => {
    const { sql } = db.database;
    const at = (ms: number, stream: string) => ({
      ...event(stream, `${ms}`),
      occurredAt: instant(ms),
    });
    const start = Date.UTC(2100, 0, 1);
    await append([at(start + 1000, 'left'), at(start + 2001, 'left'), at(start + 2000, 'right')]);
    const read = async (query: Omit<EventQuery, 'limit'>): Promise<readonly number[]> =>
      (await readEvents(sql, { isTimeline: true, ...query, limit: 100 })).map(
        ({ occurredAt }) => occurredAt - start,
      );
    assert.deepEqual(await read({ fromMs: start }), [1000, 2000, 2001]);
    assert.deepEqual(await read({ fromMs: start + 1000, toMs: start + 2000 }), [1000, 2000]);
    assert.deepEqual(await read({ fromMs: start + 1001, toMs: start + 1999 }), []);
    assert.deepEqual(await read({ fromMs: start, stream: 'left' }), [1000, 2001]);
    assert.deepEqual(await read({ fromMs: start, kind: 'no_such_kind' }), []);
  });

  test('the program may not change, remove or truncate events, nor may the owner', async () => {
    const { sql } = db.database;
    const denied = { code: '42501', message: /permission denied/ };
    await assert.rejects(sql`update control_events set kind = 'x'`, denied);
    await assert.rejects(sql`delete from control_events`, denied);
    await assert.rejects(sql`truncate control_events`, denied);
    const master = db.directory.readSecretFile('postgres.secret');
    assert.ok(master !== undefined);
    const owner = connect(
      {
        kind: 'socket',
        path: db.directory.file('run/.s.PGSQL.5432'),
        user: 'tensorforge_owner',
        password: rolePassword(master, 'tensorforge_owner'),
        database: 'tensorforge',
      },
      { maxConnections: 1, statementTimeoutMs: 5_000 },
    );
    const refused = { code: '42501', message: /control events are never changed or removed/ };
    await assert.rejects(owner`update control_events set kind = 'x'`, refused);
    await assert.rejects(owner`delete from control_events`, refused);
    await assert.rejects(owner`truncate control_events`, refused);
    await owner.end();
  });
});
