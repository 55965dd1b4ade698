// Goal: the table holds groups whole, in one gapless order, whoever writes at the same time, and
// nothing changes it afterwards. Method: a real server; parallel groups of which some are refused.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withDatabase } from '../../../test/support/postgres.ts';
import { connect } from '../postgres/connection.ts';
import { rolePassword } from '../postgres/embedded-roles.ts';
import { readTransitions, type TabledTransition, TransitionTable } from './transition-table.ts';

function record(entityId: string, timestamp = 7): TabledTransition {
  return { entityId, from: 'queued', to: 'placed', timestamp };
}

describe('workflow', () => {
  withDatabase((db) => {
    const table = (): TransitionTable => new TransitionTable(db.database.sql);
    const all = () => readTransitions(db.database.sql, { limit: 10_000 });

    test('records come back as they were written, numbered from 1', async () => {
      const records = [
        record('Grüße 🙂 "\\" \u0001\n{}', 1_700_000_000_123),
        { entityId: 'b', from: 'placed', to: 'NULL', timestamp: Number.MAX_SAFE_INTEGER },
        { entityId: '', from: '{a,b}', to: '', timestamp: Number.MIN_SAFE_INTEGER },
      ];
      assert.deepEqual(await table().append(records.slice(0, 2)), { ok: true, value: undefined });
      assert.ok((await table().append(records.slice(2))).ok);
      assert.ok((await table().append([])).ok);
      assert.deepEqual(
        await all(),
        records.map((one, index) => ({ sequence: index + 1, ...one })),
      );
    });

    test('a query asks for one entity, behind a sequence, or for so many', async () => {
      const { sql } = db.database;
      const sequences = async (query: Parameters<typeof readTransitions>[1]) =>
        (await readTransitions(sql, query)).map(({ sequence }) => sequence);
      assert.deepEqual(await sequences({ entityId: 'b', limit: 10 }), [2]);
      assert.deepEqual(await sequences({ after: 1, limit: 1 }), [2]);
      assert.deepEqual(await sequences({ after: 3, limit: 10 }), []);
      assert.deepEqual(await sequences({ limit: 0 }), [1]);
    });

    test('a group with a record that cannot be stored is refused whole, with its fault', async () => {
      const before = await all();
      const odd: readonly [TabledTransition, RegExp][] = [
        [record('x\u0000'), /entityId is "x\\u0000", but must be text without NUL/],
        [record('x\ud800'), /entityId is "x\\ud800"/],
        [record('é'.repeat(501)), /at most 1000 bytes long/],
        [{ ...record('x'), to: 'y\u0000' }, /to is "y\\u0000"/],
        [record('x', 0.5), /timestamp is 0\.5, but must be a safe integer/],
      ];
      for (const [one, words] of odd) {
        const kept = await table().append([record('honest'), one]);
        assert.ok(!kept.ok);
        assert.equal(kept.error.code, 'unstorable_record');
        assert.match(kept.error.message, words);
      }
      assert.deepEqual(await all(), before);
      assert.ok((await table().append([record('é'.repeat(500))])).ok);
    });

    test('writers of several processes leave no gap and keep groups together', async () => {
      const start = (await all()).length;
      const writers = Array.from({ length: 8 }, table);
      const answers = await Promise.all(
        Array.from({ length: 64 }, (_, group) =>
          writers[group % 8]?.append([record(`p-${group}`, 1), record(`p-${group}`, 2)]),
        ),
      );
      assert.ok(answers.every((kept) => kept?.ok));
      const news = (await all()).slice(start);
      assert.deepEqual(
        news.map(({ sequence }) => sequence),
        Array.from({ length: 128 }, (_, index) => start + index + 1),
      );
      for (let at = 0; at < news.length; at += 2) {
        assert.equal(news[at]?.entityId, news[at + 1]?.entityId);
        assert.deepEqual([news[at]?.timestamp, news[at + 1]?.timestamp], [1, 2]);
      }
    });

    test('what comes in at once is kept in the order it came, in few transactions', async () => {
      const { sql } = db.database;
      const start = (await all()).length;
      const groups = [9_000, 900, 200, 1, 12_000, 1, 1].map((size, group) =>
        Array.from({ length: size }, (_, index) => record(`g-${group}`, index)),
      );
      const writer = table();
      const answers = await Promise.all(groups.map((group) => writer.append(group)));
      assert.ok(answers.every(({ ok }) => ok));
      const news = await sql<{ readonly id: string; readonly size: number; readonly tx: string }[]>`
        select entity_id as id, count(*)::int as size, min(xmin::text) as tx
        from job_transitions where sequence > ${start}
        group by entity_id order by min(sequence)`;
      assert.deepEqual(
        news.map(({ id, size }) => [id, size]),
        groups.map((group) => [group[0]?.entityId, group.length]),
      );
      // The first found nobody writing; the large one has a round to itself.
      const rounds = Object.values(Object.groupBy(news, ({ tx }) => tx));
      assert.deepEqual(
        rounds.map((round) => round?.map(({ size }) => size)).sort(),
        [[1, 1], [12_000], [900, 200, 1], [9_000]].sort(),
      );
    });

    test('without the database a group is refused, not lost without a word', async () => {
      const gone = connect(
        {
          kind: 'socket',
          path: db.directory.file('run/none'),
          user: 'tensorforge_app',
          password: rolePassword(masterSecret(), 'tensorforge_app'),
          database: 'tensorforge',
        },
        { maxConnections: 1, statementTimeoutMs: 5_000 },
      );
      const kept = await new TransitionTable(gone).append([record('a')]);
      assert.ok(!kept.ok);
      assert.equal(kept.error.code, 'database_failed');
      assert.match(kept.error.message, /^job_transitions: .*ENOENT/);
      await gone.end({ timeout: 1 });
      const ended = await new TransitionTable(gone).append([record('a')]);
      assert.equal(ended.ok ? '' : ended.error.code, 'database_failed');
    });

    test('the program may not change, remove or truncate transitions, nor may the owner', async () => {
      const { sql } = db.database;
      const denied = { code: '42501', message: /permission denied/ };
      await assert.rejects(sql`update job_transitions set to_state = 'x'`, denied);
      await assert.rejects(sql`delete from job_transitions`, denied);
      await assert.rejects(sql`truncate job_transitions`, denied);
      const owner = connect(
        {
          kind: 'socket',
          path: db.directory.file('run/.s.PGSQL.5432'),
          user: 'tensorforge_owner',
          password: rolePassword(masterSecret(), 'tensorforge_owner'),
          database: 'tensorforge',
        },
        { maxConnections: 1, statementTimeoutMs: 5_000 },
      );
      const refused = { code: '42501', message: /job transitions are never changed or removed/ };
      await assert.rejects(owner`update job_transitions set to_state = 'x'`, refused);
      await assert.rejects(owner`delete from job_transitions`, refused);
      await assert.rejects(owner`truncate job_transitions`, refused);
      await owner.end();
    });

    function masterSecret() {
      const master = db.directory.readSecretFile('postgres.secret');
      assert.ok(master !== undefined);
      return master;
    }
  });
});
