// Goal: workflows recorded in PostgreSQL are restored from it as they were, and a database that
// goes away refuses what is strict. Method: a real server, many entities at once, an engine made
// anew.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { withDatabase } from '../../../test/support/postgres.ts';
import { registerAll } from '../../core/workflow/guarded-transitions.ts';
import { settledRecords } from '../../core/workflow/settled-records.ts';
import { auditLine, parseAuditLine } from '../../core/workflow/transition-record.ts';
import { WorkflowEngine } from '../../core/workflow/workflow-engine.ts';
import { connect } from '../../io/postgres/connection.ts';
import { rolePassword } from '../../io/postgres/embedded-roles.ts';
import { readTransitionFile, TransitionFile } from '../../io/workflow/transition-file.ts';
import { readTransitions, TransitionTable } from '../../io/workflow/transition-table.ts';
import { RecordedWorkflow } from './recorded-workflow.ts';

const ids = Array.from({ length: 20 }, (_, index) => `job-${index}`);
const format = { render: auditLine, parse: parseAuditLine };

describe('workflow', () => {
  withDatabase((db) => {
    /** An engine that knows the ids and what the table says of them. */
    async function restored(): Promise<WorkflowEngine> {
      const engine = new WorkflowEngine();
      registerAll(engine, ids);
      const records = await readTransitions(db.database.sql, { limit: 10_000 });
      for (const record of settledRecords(records)) assert.ok(engine.apply(record).success);
      return engine;
    }

    test('what happened is in file and table, and a new engine stands where the old one was', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'tensorforge-workflow-'));
      const path = join(folder, 'transitions.log');
      const file = new TransitionFile(path, format);
      try {
        const engine = new WorkflowEngine();
        registerAll(engine, ids);
        const sinks = [file, new TransitionTable(db.database.sql)];
        const workflow = new RecordedWorkflow({ engine, sinks });
        const asked = ids.flatMap((id, index) => {
          const path = ['placed', index % 3 === 0 ? 'cancelled' : 'running', 'completed'];
          return path.map((to, step) => workflow.transition(id, to, 1000 * step + index));
        });
        const outcomes = await Promise.all(asked);
        assert.equal(outcomes.filter(({ success }) => success).length, 53);
        const stored = await readTransitions(db.database.sql, { limit: 10_000 });
        const plain = stored.map(({ sequence: _, ...record }) => record);
        const byLine = (lines: readonly string[]) => [...lines].sort();
        assert.deepEqual(byLine(plain.map(auditLine)), byLine(engine.auditLog()));
        const filed = [...readTransitionFile(path, format)];
        assert.deepEqual(byLine(filed.map(auditLine)), byLine(engine.auditLog()));
        assert.deepEqual(settledRecords(filed, engine.states()), filed);
        const again = await restored();
        assert.deepEqual(again.states(), engine.states());
        assert.deepEqual(again.history(), plain);
      } finally {
        file.close();
        rmSync(folder, { recursive: true, force: true });
      }
    });

    test('a record that was written and never applied comes true at the next start', async () => {
      const table = new TransitionTable(db.database.sql);
      const engine = await restored();
      engine.register('late');
      const plan = engine.plan({ entityId: 'late', to: 'placed', timestamp: 5 });
      assert.ok(plan.ok);
      assert.ok((await table.append([plan.value])).ok);
      const records = await readTransitions(db.database.sql, { entityId: 'late', limit: 10 });
      const next = new WorkflowEngine();
      next.register('late');
      for (const record of settledRecords(records)) assert.ok(next.apply(record).success);
      assert.equal(next.getState('late'), 'placed');
    });

    test('without the database a strict entity stays where it is, another one goes on', async () => {
      const master = db.directory.readSecretFile('postgres.secret');
      assert.ok(master !== undefined);
      const gone = connect(
        {
          kind: 'socket',
          path: db.directory.file('run/none'),
          user: 'tensorforge_app',
          password: rolePassword(master, 'tensorforge_app'),
          database: 'tensorforge',
        },
        { maxConnections: 1, statementTimeoutMs: 5_000 },
      );
      const engine = new WorkflowEngine();
      registerAll(engine, ['secure', 'plain']);
      const workflow = new RecordedWorkflow({
        engine,
        sinks: [new TransitionTable(gone)],
        auditMode: (id) => (id === 'secure' ? 'strict' : 'besteffort'),
      });
      const refused = await workflow.transition('secure', 'placed', 1);
      assert.ok(!refused.success);
      assert.equal(refused.error.code, 'audit_refused');
      assert.match(refused.error.message, /^not recorded: job_transitions: .*ENOENT/);
      assert.ok((await workflow.transition('plain', 'placed', 1)).success);
      assert.equal(workflow.auditFailures, 1);
      assert.deepEqual([...engine.states().values()], ['queued', 'placed']);
      await gone.end({ timeout: 1 });
    });
  });
});
