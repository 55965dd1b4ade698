// Goal: what holds after any sequence of calls (I1 to I4). Method: random registrations,
// transitions and batches on an engine, beside a model that is a table of edges and a copied map;
// sinks that are full from some record on stand for every refusal of a sink.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { type AuditMode, fanOut, MemoryAudit } from './audit-sink.ts';
import { transitionAll } from './guarded-transitions.ts';
import { isValidPath } from './job-lifecycle.ts';
import { settledRecords } from './settled-records.ts';
import type { History } from './transition-history.ts';
import { auditLine, parseAuditLine } from './transition-record.ts';
import { WorkflowEngine } from './workflow-engine.ts';

const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
const edges = new Set(['queued placed', 'queued cancelled', 'placed running', 'placed cancelled']);
edges.add('running completed');

type Step = { readonly entityId: string; readonly to: string; readonly timestamp: number };

/** Mostly `onwards`, which stands for the next state of the entity, so that much succeeds. */
const step: fc.Arbitrary<Step> = fc.record({
  entityId: fc.oneof(
    { arbitrary: fc.constantFrom(...ids), weight: 19 },
    { arbitrary: fc.constant('ghost'), weight: 1 },
  ),
  to: fc.oneof(
    { arbitrary: fc.constant('onwards'), weight: 16 },
    { arbitrary: fc.constantFrom('placed', 'running', 'completed', 'cancelled'), weight: 3 },
    { arbitrary: fc.constantFrom('queued', 'gone'), weight: 1 },
  ),
  timestamp: fc.integer({ min: -5, max: 50 }),
});
const batches = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 14 });

/** The steps with `onwards` replaced by where those before it leave the entity to go. */
function aim(engine: WorkflowEngine, steps: readonly Step[]): readonly Step[] {
  const onwards: Readonly<Record<string, string>> = { queued: 'placed', placed: 'running' };
  const states = new Map(engine.states());
  return steps.map((one) => {
    const next = onwards[states.get(one.entityId) ?? ''] ?? 'completed';
    const to = one.to === 'onwards' ? next : one.to;
    states.set(one.entityId, to);
    return { ...one, to };
  });
}

/** What the engine should be: states, and the records that made them. */
class Model {
  states = new Map(ids.map((id) => [id, 'queued']));
  history: History = [];

  /** Is every step possible after those before it? Then they are done, otherwise none is. */
  play(steps: readonly Step[], isAccepted = true): boolean {
    const states = new Map(this.states);
    const done: History[number][] = [];
    for (const { entityId, to, timestamp } of steps) {
      const from = states.get(entityId) ?? '';
      if (!edges.has(`${from} ${to}`)) return false;
      states.set(entityId, to);
      done.push({ entityId, from, to, timestamp });
    }
    if (!isAccepted) return false;
    this.states = states;
    this.history = [...this.history, ...done];
    return true;
  }
}

function started(engine: WorkflowEngine): WorkflowEngine {
  for (const id of ids) engine.register(id);
  return engine;
}

function compare(engine: WorkflowEngine, model: Model): void {
  assert.deepEqual(engine.states(), model.states);
  assert.deepEqual(engine.history(), model.history);
}

describe('workflow', () => {
  holds(
    'single transitions keep each history a valid path from queued to where the entity is',
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const engine = started(new WorkflowEngine());
      const model = new Model();
      for (const one of steps) {
        const [aimed = one] = aim(engine, [one]);
        const { success } = engine.transition(aimed.entityId, aimed.to, aimed.timestamp);
        assert.equal(success, model.play([aimed]));
      }
      compare(engine, model);
      for (const id of ids) {
        const own = engine.history().filter(({ entityId }) => entityId === id);
        const path = ['queued', ...own.map(({ to }) => to)];
        assert.ok(isValidPath(path));
        assert.equal(path.at(-1), engine.getState(id));
        assert.deepEqual(
          own.map(({ from }) => from),
          path.slice(0, -1),
        );
      }
    }),
  );

  holds(
    'a batch does all that the staged model does, or nothing, and names the item at fault',
    fc.property(batches, (all) => {
      const engine = started(new WorkflowEngine());
      const model = new Model();
      for (const drawn of all) {
        const steps = aim(engine, drawn);
        const { ok, results } = transitionAll(engine, steps);
        const firstBad = steps.findIndex((_, index) => {
          const probe = new Model();
          probe.states = new Map(model.states);
          return !probe.play(steps.slice(0, index + 1));
        });
        assert.equal(ok, model.play(steps));
        assert.equal(results.length, steps.length);
        for (const [index, one] of results.entries()) {
          assert.equal(one.success, ok);
          const isAborted = one.success === false && one.error.code === 'batch_aborted';
          assert.equal(isAborted, !ok && index !== firstBad);
        }
        compare(engine, model);
      }
    }),
  );

  holds(
    'the lines of the audit log read back as the history',
    fc.property(batches, (all) => {
      const engine = started(new WorkflowEngine());
      for (const drawn of all) transitionAll(engine, aim(engine, drawn));
      assert.deepEqual(engine.auditLog().map(parseAuditLine), engine.history());
      assert.deepEqual(engine.auditLog(), engine.history().map(auditLine));
    }),
  );

  holds(
    'under strict audit everything that happened was kept, and what was refused left no trace',
    fc.property(batches, fc.nat(12), (all, recordsMax) => {
      const sink = new MemoryAudit(recordsMax);
      const engine = started(new WorkflowEngine({ sink }));
      const model = new Model();
      for (const drawn of all) {
        const steps = aim(engine, drawn);
        const fits = sink.records().length + steps.length <= recordsMax;
        assert.equal(transitionAll(engine, steps).ok, model.play(steps, fits));
        compare(engine, model);
        assert.deepEqual(sink.records(), engine.history());
      }
      assert.equal(engine.auditFailures, 0);
    }),
  );

  holds(
    'under besteffort audit everything happens, and what no sink kept is counted',
    fc.property(batches, fc.nat(12), (all, recordsMax) => {
      const sink = new MemoryAudit(recordsMax);
      const engine = started(
        new WorkflowEngine({ sink, auditMode: (): AuditMode => 'besteffort' }),
      );
      const model = new Model();
      let lost = 0;
      for (const drawn of all) {
        const steps = aim(engine, drawn);
        const before = sink.records().length;
        const ok = model.play(steps);
        assert.equal(transitionAll(engine, steps).ok, ok);
        if (ok && sink.records().length === before) lost += 1;
      }
      compare(engine, model);
      assert.equal(engine.auditFailures, lost);
    }),
  );

  holds(
    'what a sink before a refusing one holds too much is told apart exactly',
    fc.property(batches, fc.array(fc.boolean(), { maxLength: 14 }), (all, refusals) => {
      const early = new MemoryAudit(1000);
      let round = -1;
      const moody = {
        append: (records: History) =>
          new MemoryAudit(refusals[round] === true ? 0 : 9).append(records),
      };
      const engine = started(new WorkflowEngine({ sink: fanOut([early, moody]) }));
      for (const drawn of all) {
        round += 1;
        transitionAll(engine, aim(engine, drawn));
        assert.deepEqual(settledRecords(early.records(), engine.states()), engine.history());
      }
    }),
  );
});
