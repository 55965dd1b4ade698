// Goal: without options the engine is that of A.14; machine, validator and sink each change only
// what they are for; what is refused, by whomever, leaves no trace. Method: cases by hand, with a
// sink that is full for a refusal, and a custom machine that the engine was never told about.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { fitsCapacity } from '../allocation/capacity.ts';
import { type AuditSink, fanOut, MemoryAudit } from './audit-sink.ts';
import { settledRecords } from './settled-records.ts';
import { StateMachine } from './state-machine.ts';
import { allOf, type TransitionValidator } from './transition-validator.ts';
import { type TransitionOutcome, WorkflowEngine } from './workflow-engine.ts';

/** An engine of the kind with these entities registered. */
function started<Context>(
  engine: WorkflowEngine<Context>,
  ...ids: readonly string[]
): WorkflowEngine<Context> {
  for (const id of ids) assert.ok(engine.register(id).ok);
  return engine;
}

function codeOf(outcome: TransitionOutcome): string {
  return outcome.success ? 'success' : outcome.error.code;
}

describe('workflow', () => {
  test('an entity is registered as queued, and a second time is refused without effect', () => {
    const engine = new WorkflowEngine();
    assert.deepEqual(engine.register('job-1'), ok('queued'));
    engine.transition('job-1', 'placed', 1);
    const again = engine.register('job-1');
    assert.ok(!again.ok);
    assert.equal(again.error.code, 'entity_known');
    assert.match(again.error.message, /job-1 is registered already and is placed/);
    assert.equal(engine.getState('job-1'), 'placed');
    assert.equal(engine.getState('job-2'), undefined);
  });

  test('a transition moves along an edge and is remembered with its audit line', () => {
    const engine = started(new WorkflowEngine(), 'job-1', 'job-2');
    assert.deepEqual(engine.transition('job-1', 'placed', 100), {
      success: true,
      from: 'queued',
      to: 'placed',
    });
    assert.ok(engine.transition('job-2', 'cancelled', 90).success);
    assert.ok(engine.transition('job-1', 'running', 120).success);
    assert.deepEqual(engine.history(), [
      { entityId: 'job-1', from: 'queued', to: 'placed', timestamp: 100 },
      { entityId: 'job-2', from: 'queued', to: 'cancelled', timestamp: 90 },
      { entityId: 'job-1', from: 'placed', to: 'running', timestamp: 120 },
    ]);
    assert.deepEqual(engine.auditLog(), [
      '[100] queued -> placed (entity: job-1)',
      '[90] queued -> cancelled (entity: job-2)',
      '[120] placed -> running (entity: job-1)',
    ]);
  });

  test('what is not an edge, not registered or at no whole time is refused and changes nothing', () => {
    const engine = started(new WorkflowEngine(), 'a', 'done');
    engine.transition('done', 'cancelled', 1);
    const before = [engine.states(), engine.history()];
    const refusals: readonly [string, string, number, string, string, RegExp][] = [
      ['a', 'running', 5, 'illegal_transition', 'queued', /a is queued and cannot become running/],
      ['a', 'queued', 5, 'illegal_transition', 'queued', /it can become placed, cancelled$/],
      ['a', 'constructor', 5, 'illegal_transition', 'queued', /cannot become constructor/],
      ['done', 'queued', 5, 'illegal_transition', 'cancelled', /nothing, it is terminal/],
      ['ghost', 'placed', 5, 'unknown_entity', '', /ghost is not registered/],
      ['a', 'placed', Number.NaN, 'invalid_timestamp', 'queued', /a: timestamp is NaN/],
      ['a', 'placed', 1.5, 'invalid_timestamp', 'queued', /must be a safe integer/],
      ['a', 'placed', 2 ** 53, 'invalid_timestamp', 'queued', /9007199254740992/],
    ];
    for (const [id, to, timestamp, code, from, words] of refusals) {
      const outcome = engine.transition(id, to, timestamp);
      assert.ok(!outcome.success, words.source);
      assert.deepEqual([outcome.from, outcome.to, outcome.error.code], [from, to, code]);
      assert.match(outcome.error.message, words);
    }
    assert.deepEqual([engine.states(), engine.history()], before);
    assert.ok(engine.transition('a', 'placed', -(2 ** 53) + 1).success);
  });

  test('active are those not at an end, and an unknown entity is at none', () => {
    const engine = started(new WorkflowEngine(), 'a', 'b', 'c');
    engine.transition('a', 'cancelled', 1);
    assert.equal(engine.activeCount(), 2);
    assert.deepEqual(
      ['a', 'b', 'ghost'].map((id) => engine.isTerminal(id)),
      [true, false, false],
    );
  });

  test('what the engine hands out is a copy', () => {
    const engine = started(new WorkflowEngine(), 'a');
    engine.transition('a', 'placed', 1);
    const history = engine.history();
    const states = engine.states();
    engine.transition('a', 'running', 2);
    assert.equal(history.length, 1);
    assert.equal(states.get('a'), 'placed');
    assert.ok(engine.history().every(Object.isFrozen));
  });

  test('a custom machine with one more state runs without a change of the engine', () => {
    const made = StateMachine.define({
      states: ['queued', 'placed', 'running', 'paused', 'completed', 'cancelled'],
      initial: 'queued',
      terminal: ['completed', 'cancelled'],
      transitions: [
        ['queued', 'placed'],
        ['placed', 'running'],
        ['running', 'paused'],
        ['paused', 'running'],
        ['paused', 'cancelled'],
        ['running', 'completed'],
      ],
    });
    assert.ok(made.ok);
    const engine = started(new WorkflowEngine({ machine: made.value }), 'a');
    const path = ['placed', 'running', 'paused', 'running', 'completed'];
    for (const [index, to] of path.entries()) assert.ok(engine.transition('a', to, index).success);
    assert.equal(engine.isTerminal('a'), true);
    assert.equal(engine.activeCount(), 0);
    assert.equal(engine.auditLog()[2], '[2] running -> paused (entity: a)');
    assert.equal(codeOf(engine.transition('a', 'paused', 9)), 'illegal_transition');
  });
});

type Knowledge = { readonly gpusFree: number; readonly isSigned: boolean };

/** The two examples of the specification: room before placed, a signature before running. */
function guards(asked: string[]): readonly TransitionValidator<Knowledge>[] {
  const judge = (name: string, target: string, holds: (known: Knowledge) => boolean) => ({
    validate({
      to,
      entityId,
      context,
    }: {
      to: string;
      entityId: string;
      context?: Knowledge | undefined;
    }) {
      asked.push(name);
      const passes = to !== target || (context !== undefined && holds(context));
      return passes ? ok(undefined) : err(fault(`no_${name}`, `${entityId} has no ${name}`));
    },
  });
  return [
    judge('capacity', 'placed', ({ gpusFree }) => fitsCapacity(1, gpusFree)),
    judge('clearance', 'running', ({ isSigned }) => isSigned),
  ];
}

describe('workflow', () => {
  test('validators are asked in order after the graph, and the first refusal ends it', () => {
    const asked: string[] = [];
    const validator = allOf(...guards(asked));
    const engine = started(new WorkflowEngine({ validator }), 'a');
    const without = { gpusFree: 0, isSigned: false };
    const withAll = { gpusFree: 1, isSigned: true };
    assert.equal(codeOf(engine.transition('a', 'running', 1, withAll)), 'illegal_transition');
    assert.deepEqual(asked.splice(0), []);
    assert.equal(codeOf(engine.transition('a', 'placed', 1, without)), 'no_capacity');
    assert.deepEqual(asked.splice(0), ['capacity']);
    assert.equal(codeOf(engine.transition('a', 'placed', 1)), 'no_capacity');
    assert.deepEqual(engine.history(), []);
    asked.splice(0);
    assert.equal(codeOf(engine.transition('a', 'placed', 1, withAll)), 'success');
    assert.deepEqual(asked.splice(0), ['capacity', 'clearance']);
    assert.equal(codeOf(engine.transition('a', 'running', 2, without)), 'no_clearance');
    assert.equal(engine.getState('a'), 'placed');
    assert.equal(codeOf(engine.transition('a', 'running', 3, withAll)), 'success');
  });

  test('a validator is shown the transition as it would be recorded, and no sink before it agrees', () => {
    const seen: unknown[] = [];
    const sink = new MemoryAudit(9);
    const validator: TransitionValidator<string> = {
      validate(proposed) {
        seen.push(proposed);
        return proposed.context === 'no' ? err(fault('no', 'no')) : ok(undefined);
      },
    };
    const engine = started(new WorkflowEngine({ validator, sink }), 'a');
    engine.transition('a', 'placed', 5, 'no');
    assert.deepEqual(sink.records(), []);
    engine.transition('a', 'placed', 6);
    const common = { entityId: 'a', from: 'queued', to: 'placed' };
    assert.deepEqual(seen, [
      { ...common, timestamp: 5, context: 'no' },
      { ...common, timestamp: 6, context: undefined },
    ]);
    assert.deepEqual(sink.lines(), ['[6] queued -> placed (entity: a)']);
  });

  test('no validator at all lets everything pass', () => {
    const engine = started(new WorkflowEngine({ validator: allOf() }), 'a');
    assert.ok(engine.transition('a', 'placed', 1).success);
  });
});

/** A sink that throws where it should refuse. */
const broken: AuditSink = {
  append(): Result<undefined, Fault> {
    throw new Error('a bug of the sink');
  },
};

describe('workflow', () => {
  test('in strict mode a refusing sink leaves state and history as they were', () => {
    const sink = new MemoryAudit(1);
    const engine = started(new WorkflowEngine({ sink }), 'a', 'b');
    assert.ok(engine.transition('a', 'placed', 1).success);
    const before = [engine.states(), engine.history(), sink.records()];
    const outcome = engine.transition('a', 'running', 2);
    assert.ok(!outcome.success);
    assert.deepEqual([outcome.from, outcome.to], ['placed', 'running']);
    assert.equal(outcome.error.code, 'audit_refused');
    assert.match(outcome.error.message, /not recorded: the audit in memory holds 1 of 1/);
    assert.deepEqual([engine.states(), engine.history(), sink.records()], before);
    assert.equal(engine.auditFailures, 0);
  });

  test('in besteffort mode a refusal is counted and the transition happens', () => {
    const sink = new MemoryAudit(1);
    const engine = started(new WorkflowEngine({ sink, auditMode: () => 'besteffort' }), 'a');
    for (const [index, to] of ['placed', 'running', 'completed'].entries()) {
      assert.ok(engine.transition('a', to, index).success);
    }
    assert.equal(engine.auditFailures, 2);
    assert.equal(engine.history().length, 3);
    assert.equal(sink.records().length, 1);
  });

  test('the mode is chosen for each entity', () => {
    const sink = new MemoryAudit(0);
    const auditMode = (id: string) => (id.startsWith('secure-') ? 'strict' : 'besteffort');
    const engine = started(new WorkflowEngine({ sink, auditMode }), 'secure-1', 'plain-1');
    assert.equal(codeOf(engine.transition('secure-1', 'placed', 1)), 'audit_refused');
    assert.equal(codeOf(engine.transition('plain-1', 'placed', 1)), 'success');
    assert.equal(engine.auditFailures, 1);
  });

  test('a sink that throws has changed nothing', () => {
    const engine = started(new WorkflowEngine({ sink: broken }), 'a');
    assert.throws(() => engine.transition('a', 'placed', 1), /a bug of the sink/);
    assert.equal(engine.getState('a'), 'queued');
    assert.deepEqual(engine.history(), []);
  });

  test('after an aborted round the first sink holds a void record, which is told apart', () => {
    const [early, late] = [new MemoryAudit(9), new MemoryAudit(1)];
    const engine = started(new WorkflowEngine({ sink: fanOut([early, late]) }), 'a', 'b');
    assert.ok(engine.transition('a', 'placed', 1).success);
    assert.equal(codeOf(engine.transition('b', 'placed', 2)), 'audit_refused');
    assert.equal(early.records().length, 2);
    assert.deepEqual(settledRecords(early.records(), engine.states()), engine.history());
    assert.deepEqual(late.records(), engine.history());
  });

  test('a plan changes nothing, and applying it asks no sink', () => {
    const sink = new MemoryAudit(9);
    const engine = started(new WorkflowEngine({ sink }), 'a');
    const plan = engine.plan({ entityId: 'a', to: 'placed', timestamp: 5 });
    assert.ok(plan.ok);
    assert.equal(engine.getState('a'), 'queued');
    assert.deepEqual(engine.apply(plan.value), { success: true, from: 'queued', to: 'placed' });
    assert.deepEqual(engine.history(), [plan.value]);
    assert.deepEqual(sink.records(), []);
    const refused = engine.plan({ entityId: 'a', to: 'completed', timestamp: 6 });
    assert.equal(refused.ok ? '' : refused.error.code, 'illegal_transition');
  });

  test('a plan on an older state is refused when it is applied', () => {
    const engine = started(new WorkflowEngine(), 'a');
    const plan = engine.plan({ entityId: 'a', to: 'placed', timestamp: 5 });
    assert.ok(plan.ok);
    assert.ok(engine.transition('a', 'cancelled', 6).success);
    const outcome = engine.apply(plan.value);
    assert.ok(!outcome.success);
    assert.equal(outcome.from, 'cancelled');
    assert.equal(outcome.error.code, 'stale_plan');
    assert.match(outcome.error.message, /a is cancelled, but the plan leaves from queued/);
    assert.equal(engine.history().length, 1);
  });

  test('a record that nobody planned is checked like any other', () => {
    const engine = started(new WorkflowEngine(), 'a');
    const record = { entityId: 'a', from: 'queued', to: 'completed', timestamp: 5 };
    assert.equal(codeOf(engine.apply(record)), 'illegal_transition');
    assert.equal(codeOf(engine.apply({ ...record, entityId: 'b' })), 'unknown_entity');
    assert.equal(
      codeOf(engine.apply({ ...record, to: 'placed', timestamp: 0.5 })),
      'invalid_timestamp',
    );
    assert.deepEqual(engine.history(), []);
  });

  test('records that cannot be applied are committed to no sink', () => {
    const sink = new MemoryAudit(9);
    const engine = started(new WorkflowEngine({ sink }), 'a');
    const plan = engine.plan({ entityId: 'a', to: 'placed', timestamp: 5 });
    assert.ok(plan.ok);
    assert.ok(engine.transition('a', 'cancelled', 6).success);
    const committed = engine.commit([plan.value]);
    assert.equal(committed.ok ? '' : committed.error.code, 'stale_plan');
    assert.equal(sink.records().length, 1);
  });

  test('a sink that moves the entity meanwhile makes the plan stale', () => {
    let depth = 0;
    const engine: WorkflowEngine = new WorkflowEngine({
      sink: {
        append() {
          depth += 1;
          if (depth === 1) engine.transition('a', 'cancelled', 2);
          return ok(undefined);
        },
      },
    });
    engine.register('a');
    assert.equal(codeOf(engine.transition('a', 'placed', 1)), 'stale_plan');
    assert.equal(engine.getState('a'), 'cancelled');
    assert.equal(engine.history().length, 1);
  });
});
