// Goal: between plan and apply nothing of an entity overtakes anything, and a refusing sink means
// what its mode says. Method: real files, sinks in memory with a cap, and a sink that answers when
// the test lets it; random interleavings of many entities.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Fault } from '../../base/fault.ts';
import { seededRandom } from '../../base/random.ts';
import { ok, type Result } from '../../base/result.ts';
import { MemoryAudit } from '../../core/workflow/audit-sink.ts';
import { registerAll } from '../../core/workflow/guarded-transitions.ts';
import { isValidPath } from '../../core/workflow/job-lifecycle.ts';
import { settledRecords } from '../../core/workflow/settled-records.ts';
import {
  auditLine,
  parseAuditLine,
  type TransitionRecord,
} from '../../core/workflow/transition-record.ts';
import { type TransitionOutcome, WorkflowEngine } from '../../core/workflow/workflow-engine.ts';
import { readTransitionFile, TransitionFile } from '../../io/workflow/transition-file.ts';
import { RecordedWorkflow, type RecordedWorkflowOptions } from './recorded-workflow.ts';

const format = { render: auditLine, parse: parseAuditLine };

type Parts = Omit<RecordedWorkflowOptions<unknown>, 'engine'>;

/** A workflow with these entities, and the engine below it. */
function started(parts: Parts, ...ids: readonly string[]) {
  const engine = new WorkflowEngine();
  registerAll(engine, ids);
  return { engine, workflow: new RecordedWorkflow({ engine, ...parts }) };
}

function codeOf(outcome: TransitionOutcome): string {
  return outcome.success ? 'success' : outcome.error.code;
}

/** Answers each append when `release` is called, in the order of the appends. */
class SlowSink {
  readonly asked: TransitionRecord[] = [];
  readonly #answers: ((answer: Result<undefined, Fault>) => void)[] = [];

  append(records: readonly TransitionRecord[]): Promise<Result<undefined, Fault>> {
    this.asked.push(...records);
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  release(answer: Result<undefined, Fault> = ok(undefined)): void {
    this.#answers.shift()?.(answer);
  }
}

/** Lets everything run that waits for nothing from outside. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe('workflow', () => {
  test('a transition is in the file before it is applied, and the file is its audit log', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tensorforge-workflow-'));
    const path = join(folder, 'transitions.log');
    const file = new TransitionFile(path, format);
    try {
      const { engine, workflow } = started({ sinks: [file] }, 'a', 'b\nforged');
      assert.ok((await workflow.transition('a', 'placed', 5)).success);
      assert.equal(codeOf(await workflow.transition('b\nforged', 'placed', 6)), 'audit_refused');
      assert.ok((await workflow.transition('a', 'running', 7)).success);
      assert.equal(
        readFileSync(path, 'utf8'),
        engine
          .auditLog()
          .map((line) => `${line}\n`)
          .join(''),
      );
      assert.equal(engine.getState('b\nforged'), 'queued');
      const restored = new WorkflowEngine();
      registerAll(restored, ['a', 'b\nforged']);
      for (const record of readTransitionFile(path, format))
        assert.ok(restored.apply(record).success);
      assert.deepEqual(restored.states(), engine.states());
      assert.deepEqual(restored.history(), engine.history());
    } finally {
      file.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('what graph or engine refuse reaches no sink', async () => {
    const sink = new MemoryAudit(9);
    const { workflow } = started({ sinks: [sink] }, 'a');
    const outcomes = [
      await workflow.transition('a', 'completed', 1),
      await workflow.transition('ghost', 'placed', 1),
      await workflow.transition('a', 'placed', 0.5),
    ];
    assert.deepEqual(outcomes.map(codeOf), [
      'illegal_transition',
      'unknown_entity',
      'invalid_timestamp',
    ]);
    assert.deepEqual(
      outcomes.map(({ from }) => from),
      ['queued', '', 'queued'],
    );
    assert.deepEqual(sink.records(), []);
  });

  test('while the sink takes its time the state is the old one, and the next one waits', async () => {
    const slow = new SlowSink();
    const { engine, workflow } = started({ sinks: [slow] }, 'a', 'b');
    const placed = workflow.transition('a', 'placed', 1);
    const running = workflow.transition('a', 'running', 2);
    const other = workflow.transition('b', 'cancelled', 3);
    await settle();
    assert.equal(engine.getState('a'), 'queued');
    assert.deepEqual(slow.asked.map(auditLine), [
      '[1] queued -> placed (entity: a)',
      '[3] queued -> cancelled (entity: b)',
    ]);
    assert.equal(workflow.waiting, 3);
    slow.release();
    assert.deepEqual(await placed, { success: true, from: 'queued', to: 'placed' });
    const completed = workflow.transition('a', 'completed', 4);
    await settle();
    assert.equal(slow.asked.length, 3);
    slow.release();
    slow.release();
    assert.ok((await other).success);
    assert.deepEqual(await running, { success: true, from: 'placed', to: 'running' });
    await settle();
    slow.release();
    assert.deepEqual(await completed, { success: true, from: 'running', to: 'completed' });
    assert.equal(workflow.waiting, 0);
  });

  test('of two transitions asked for at once the second is judged by what the first left', async () => {
    const { engine, workflow } = started({ sinks: [new MemoryAudit(9)] }, 'a');
    const outcomes = await Promise.all([
      workflow.transition('a', 'cancelled', 1),
      workflow.transition('a', 'placed', 2),
    ]);
    assert.deepEqual(outcomes.map(codeOf), ['success', 'illegal_transition']);
    assert.equal(engine.history().length, 1);
  });

  test('a strict refusal applies nothing, and the sinks before it hold a void record', async () => {
    const sinks = [new MemoryAudit(9), new MemoryAudit(1), new MemoryAudit(9)];
    const { engine, workflow } = started({ sinks }, 'a', 'b');
    assert.ok((await workflow.transition('a', 'placed', 1)).success);
    const before = [engine.states(), engine.history()];
    const outcome = await workflow.transition('b', 'placed', 2);
    assert.ok(!outcome.success);
    assert.equal(outcome.error.code, 'audit_refused');
    assert.match(outcome.error.message, /^not recorded: the audit in memory holds 1 of 1/);
    assert.deepEqual([engine.states(), engine.history()], before);
    assert.deepEqual(
      sinks.map((sink) => sink.records().length),
      [2, 1, 1],
    );
    const early = sinks[0]?.records() ?? [];
    assert.deepEqual(settledRecords(early, engine.states()), engine.history());
  });

  test('besteffort asks every sink, counts refusals and applies', async () => {
    const sinks = [new MemoryAudit(0), new MemoryAudit(9), new MemoryAudit(0)];
    const auditMode = (id: string) => (id === 'secure' ? 'strict' : 'besteffort');
    const { engine, workflow } = started({ sinks, auditMode }, 'plain', 'secure');
    assert.ok((await workflow.transition('plain', 'placed', 1)).success);
    assert.equal(workflow.auditFailures, 2);
    assert.equal(codeOf(await workflow.transition('secure', 'placed', 2)), 'audit_refused');
    assert.equal(workflow.auditFailures, 2);
    assert.deepEqual(sinks[1]?.records(), engine.history());
  });

  test('an entity that moved meanwhile by another way is not overwritten', async () => {
    const slow = new SlowSink();
    const { engine, workflow } = started({ sinks: [slow] }, 'a');
    const placed = workflow.transition('a', 'placed', 1);
    await settle();
    assert.ok(engine.transition('a', 'cancelled', 2).success);
    slow.release();
    assert.equal(codeOf(await placed), 'stale_plan');
    assert.equal(engine.getState('a'), 'cancelled');
    assert.deepEqual(settledRecords(slow.asked, engine.states()), []);
  });

  test('at the cap one more is refused at once, and there is room again afterwards', async () => {
    const slow = new SlowSink();
    const { workflow } = started({ sinks: [slow], waitingMax: 1 }, 'a', 'b');
    const first = workflow.transition('a', 'placed', 1);
    const refused = await workflow.transition('b', 'placed', 2);
    assert.ok(!refused.success);
    assert.deepEqual([refused.from, refused.error.code], ['queued', 'too_many_waiting']);
    await settle();
    slow.release();
    assert.ok((await first).success);
    const next = workflow.transition('b', 'placed', 3);
    await settle();
    slow.release();
    assert.ok((await next).success);
  });

  test('a sink with a bug rejects its own transition and holds up nobody', async () => {
    let calls = 0;
    const sink = {
      append: () => {
        calls += 1;
        return calls === 1 ? Promise.reject(new Error('a bug of the sink')) : ok(undefined);
      },
    };
    const { engine, workflow } = started({ sinks: [sink] }, 'a');
    const first = workflow.transition('a', 'placed', 1);
    const second = workflow.transition('a', 'cancelled', 2);
    await assert.rejects(first, /a bug of the sink/);
    assert.ok((await second).success);
    assert.equal(workflow.waiting, 0);
    assert.equal(engine.history().length, 1);
  });

  test('however answers interleave, each history is a path and the sink agrees with it', async () => {
    const targets = ['placed', 'running', 'completed', 'cancelled'];
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = seededRandom(seed);
      const kept: TransitionRecord[] = [];
      const sink = {
        async append(records: readonly TransitionRecord[]): Promise<Result<undefined, Fault>> {
          for (let turn = random.nextBelow(6); turn > 0; turn -= 1) await Promise.resolve();
          if (random.nextBelow(5) === 0) return new MemoryAudit(0).append(records);
          kept.push(...records);
          return ok(undefined);
        },
      };
      const { engine, workflow } = started({ sinks: [sink] }, 'a', 'b', 'c');
      const outcomes = await Promise.all(
        Array.from({ length: 24 }, (_, timestamp) => {
          const id = ['a', 'b', 'c'][random.nextBelow(3)] ?? '';
          return workflow.transition(id, targets[random.nextBelow(4)] ?? '', timestamp);
        }),
      );
      const words = `seed ${seed}`;
      assert.deepEqual(engine.history().toSorted(byTime), kept.toSorted(byTime), words);
      assert.equal(outcomes.filter(({ success }) => success).length, kept.length, words);
      for (const id of ['a', 'b', 'c']) {
        const own = engine.history().filter(({ entityId }) => entityId === id);
        assert.ok(isValidPath(['queued', ...own.map(({ to }) => to)]), words);
        assert.deepEqual(own, own.toSorted(byTime), words);
      }
    }
  });
});

function byTime(a: TransitionRecord, b: TransitionRecord): number {
  return a.timestamp - b.timestamp;
}
