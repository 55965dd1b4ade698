// Goal: targeted and batched transitions happen entirely or not at all (SO3), and say for each item
// what became of it. Method: cases by hand; a batch against single transitions on a model.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemoryAudit } from './audit-sink.ts';
import { registerAll, transitionAll, transitionIfAllowed } from './guarded-transitions.ts';
import { type TransitionRequest, WorkflowEngine } from './workflow-engine.ts';

function started(engine: WorkflowEngine, ...ids: readonly string[]): WorkflowEngine {
  assert.equal(registerAll(engine, ids), ids.length);
  return engine;
}

function request(entityId: string, to: string, timestamp = 1): TransitionRequest<unknown> {
  return { entityId, to, timestamp };
}

describe('workflow', () => {
  test('registering many counts those that are new', () => {
    const engine = new WorkflowEngine();
    assert.equal(registerAll(engine, ['a', 'b', 'a']), 2);
    assert.equal(registerAll(engine, ['b', 'c']), 1);
    assert.equal(registerAll(engine, []), 0);
    assert.equal(engine.states().size, 3);
  });

  test('a transition to what is no target is refused before anything is touched', () => {
    const sink = new MemoryAudit(9);
    const engine = started(new WorkflowEngine({ sink }), 'a');
    const refused = transitionIfAllowed(engine, 'a', 'placed', 1, ['cancelled', 'running']);
    assert.ok(!refused.success);
    assert.deepEqual([refused.from, refused.to], ['queued', 'placed']);
    assert.equal(refused.error.code, 'not_a_target');
    assert.match(
      refused.error.message,
      /a may not become placed here; the targets are cancelled, /,
    );
    assert.deepEqual([engine.getState('a'), engine.history(), sink.records()], ['queued', [], []]);
    assert.ok(!transitionIfAllowed(engine, 'a', 'placed', 1, []).success);
    assert.equal(transitionIfAllowed(engine, 'ghost', 'placed', 1, []).from, '');
  });

  test('a target is still a transition that graph and registration must allow', () => {
    const engine = started(new WorkflowEngine(), 'a');
    const codes = [
      transitionIfAllowed(engine, 'a', 'running', 1, ['running']),
      transitionIfAllowed(engine, 'ghost', 'placed', 1, ['placed']),
    ].map((outcome) => (outcome.success ? '' : outcome.error.code));
    assert.deepEqual(codes, ['illegal_transition', 'unknown_entity']);
    assert.ok(transitionIfAllowed(engine, 'a', 'placed', 1, ['placed', 'cancelled']).success);
    assert.equal(engine.getState('a'), 'placed');
  });

  test('a batch is applied in order, and an id may occur several times', () => {
    const sink = new MemoryAudit(9);
    const engine = started(new WorkflowEngine({ sink }), 'a', 'b');
    const batch = [
      request('a', 'placed', 5),
      request('b', 'cancelled', 4),
      request('a', 'running', 6),
    ];
    assert.deepEqual(transitionAll(engine, batch), {
      ok: true,
      results: [
        { success: true, from: 'queued', to: 'placed' },
        { success: true, from: 'queued', to: 'cancelled' },
        { success: true, from: 'placed', to: 'running' },
      ],
    });
    assert.equal(engine.getState('a'), 'running');
    assert.deepEqual(engine.history(), sink.records());
    assert.deepEqual(transitionAll(engine, []), { ok: true, results: [] });
  });

  test('one refused item undoes the batch, and the results name it', () => {
    const sink = new MemoryAudit(9);
    const engine = started(new WorkflowEngine({ sink }), 'a', 'b');
    const batch = [request('a', 'placed'), request('a', 'completed'), request('b', 'placed')];
    const { ok, results } = transitionAll(engine, batch);
    assert.equal(ok, false);
    assert.deepEqual(
      results.map((one) => (one.success ? one : [one.from, one.to, one.error.code])),
      [
        ['queued', 'placed', 'batch_aborted'],
        ['placed', 'completed', 'illegal_transition'],
        ['queued', 'placed', 'batch_aborted'],
      ],
    );
    const words = results[0]?.success === false ? results[0].error.message : '';
    assert.match(words, /because item 1 of the batch was refused: a is placed and cannot become/);
    assert.deepEqual([...engine.states().values()], ['queued', 'queued']);
    assert.deepEqual([engine.history(), sink.records()], [[], []]);
  });

  test('an unregistered id in a batch is refused with no state', () => {
    const engine = started(new WorkflowEngine(), 'a');
    const { results } = transitionAll(engine, [request('ghost', 'placed'), request('a', 'placed')]);
    assert.deepEqual(
      results.map(({ from }) => from),
      ['', 'queued'],
    );
  });

  test('a sink with room for part of a batch refuses all of it', () => {
    const sink = new MemoryAudit(1);
    const engine = started(new WorkflowEngine({ sink }), 'a', 'b');
    const { ok, results } = transitionAll(engine, [request('a', 'placed'), request('b', 'placed')]);
    assert.equal(ok, false);
    for (const one of results) {
      assert.ok(!one.success);
      assert.deepEqual([one.from, one.error.code], ['queued', 'audit_refused']);
    }
    assert.deepEqual([engine.history(), sink.records()], [[], []]);
  });

  test('one strict entity makes a whole batch strict', () => {
    const sink = new MemoryAudit(0);
    const auditMode = (id: string) => (id === 'secure' ? 'strict' : 'besteffort');
    const engine = started(new WorkflowEngine({ sink, auditMode }), 'secure', 'plain');
    const both = [request('plain', 'placed'), request('secure', 'placed')];
    assert.equal(transitionAll(engine, both).ok, false);
    assert.equal(engine.auditFailures, 0);
    assert.equal(transitionAll(engine, [request('plain', 'placed')]).ok, true);
    assert.equal(engine.auditFailures, 1);
  });
});
