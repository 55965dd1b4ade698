// Goal: invariants L1 to L6 of operations on models.
// Method: every event in every state once, and random histories of one fleet against a checker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import type { BackendId } from '../../base/brand.ts';
import { instant } from '../../base/time.ts';
import {
  type AskedOperation,
  admitOperation,
  canOperate,
  closuresOf,
  currentOperation,
  etaOf,
  isEnded,
  newOperation,
  type OperationEvent,
  operationInTheWay,
  stepOperation,
  type TrackedOperation,
  timeLeftMs,
} from './lifecycle.ts';
import { operationTypes } from './operation.ts';

const timeoutMs = 300_000;
const t0 = instant(1_000_000);
const later = (ms: number) => instant(t0 + ms);
const a = 'box-a' as BackendId;
const b = 'box-b' as BackendId;

function asked(over: Partial<AskedOperation> = {}): AskedOperation {
  return {
    operationType: 'load',
    modelId: 'm1',
    sourceBackendId: undefined,
    targetBackendId: a,
    ...over,
  };
}

function begun(over: Partial<AskedOperation> & { readonly after?: string } = {}): TrackedOperation {
  const { after, ...rest } = over;
  return newOperation({ ...asked(rest), operationId: 'op-1', after }, t0);
}

function step(tracked: TrackedOperation, event: OperationEvent, atMs = 1) {
  return stepOperation(tracked, event, later(atMs), timeoutMs);
}

test('an operation begins at once, or waits for the one before it', () => {
  assert.equal(begun().operation.status, 'in_progress');
  const waiting = begun({ after: 'op-0' });
  assert.equal(waiting.operation.status, 'pending');
  const { tracked, news } = step(waiting, { type: 'Begun' }, 500);
  assert.deepEqual([tracked.operation.status, news], ['in_progress', 'started']);
  assert.equal(tracked.timeFrom, later(500), 'its time counts from here');
});

test('what waits is not moved by news of an engine, and fails with what it waits for', () => {
  const waiting = begun({ after: 'op-0' });
  const silent: readonly OperationEvent[] = [
    { type: 'Shown' },
    { type: 'Progressed', percent: 50, etaMs: 1 },
    { type: 'TimePassed' },
  ];
  for (const event of silent) {
    assert.deepEqual(step(waiting, event, timeoutMs * 9).tracked, waiting, event.type);
  }
  const { tracked, news } = step(waiting, { type: 'Failed', words: 'the download failed' });
  assert.equal(news, 'failed');
  assert.equal(tracked.operation.errorDetails, 'the download failed');
});

test('what the engine shows completes it with 100 percent, and only that does', () => {
  const half = step(begun(), { type: 'Progressed', percent: 100, etaMs: 0 }).tracked;
  assert.equal(half.operation.progressPercent, 99);
  const { tracked, news } = step(half, { type: 'Shown' }, 4000);
  assert.equal(news, 'completed');
  assert.deepEqual(
    [tracked.operation.progressPercent, tracked.operation.completedAt, tracked.operation.etaMs],
    [100, later(4000), undefined],
  );
});

test('late news of what has ended changes nothing', () => {
  const events: readonly OperationEvent[] = [
    { type: 'Begun' },
    { type: 'Progressed', percent: 3, etaMs: undefined },
    { type: 'Shown' },
    { type: 'Failed', words: 'late' },
    { type: 'TimePassed' },
  ];
  const completed = step(begun(), { type: 'Shown' }).tracked;
  const failed = step(begun(), { type: 'Failed', words: 'HTTP error: 500' }).tracked;
  for (const ended of [completed, failed]) {
    for (const event of events) {
      const outcome = step(ended, event, timeoutMs * 2);
      assert.deepEqual(outcome, { tracked: ended, news: undefined, warning: undefined });
    }
  }
});

test('it fails one millisecond after its time, and not before', () => {
  assert.equal(step(begun(), { type: 'TimePassed' }, timeoutMs).news, undefined);
  const { news, tracked } = step(begun(), { type: 'TimePassed' }, timeoutMs + 1);
  assert.equal(news, 'failed');
  assert.equal(tracked.operation.errorDetails, 'it did not end within 300 s');
  assert.equal(timeLeftMs(begun(), later(1000), timeoutMs), timeoutMs - 1000);
  assert.equal(timeLeftMs(begun({ after: 'op-0' }), later(1000), timeoutMs), undefined);
});

test('a download has its time from its last progress, a load from its begin', () => {
  const moved: OperationEvent = { type: 'Progressed', percent: 5, etaMs: undefined };
  const download = step(begun({ operationType: 'download' }), moved, timeoutMs).tracked;
  assert.equal(step(download, { type: 'TimePassed' }, timeoutMs * 2).news, undefined);
  assert.equal(step(download, { type: 'TimePassed' }, timeoutMs * 2 + 1).news, 'failed');
  const load = step(begun(), moved, timeoutMs).tracked;
  assert.equal(step(load, { type: 'TimePassed' }, timeoutMs + 1).news, 'failed');
});

test('a clock that went back is told of and ends nothing', () => {
  const { news, warning } = step(begun(), { type: 'TimePassed' }, -5000);
  assert.equal(news, undefined);
  assert.match(warning ?? '', /the clock went back: operation op-1 began 5000 ms from now/);
});

test('a refusal names the operation that is in the way and where it runs', () => {
  const running = begun({ operationType: 'migrate', sourceBackendId: b }).operation;
  const refused = admitOperation([running], asked({ modelId: 'm2', targetBackendId: b }));
  assert.equal(refused.ok, false);
  assert.equal(
    refused.ok ? '' : refused.error.message,
    'operation op-1 (migrate of m1) runs on box-b',
  );
});

test('downloads run beside others, but never two operations of one model', () => {
  const loading = begun().operation;
  const download = (modelId: string) => asked({ operationType: 'download', modelId });
  assert.equal(admitOperation([loading], download('m2')).ok, true);
  assert.equal(admitOperation([loading], download('m1')).ok, false);
  const fetching = begun({ operationType: 'download' }).operation;
  assert.equal(admitOperation([fetching], asked({ modelId: 'm2' })).ok, true);
  assert.equal(admitOperation([fetching], asked()).ok, false);
});

test('a load that waits for its download leaves the memory to other models meanwhile', () => {
  const waiting = begun({ after: 'op-0' }).operation;
  assert.equal(admitOperation([waiting], asked({ modelId: 'm2' })).ok, true);
  assert.equal(admitOperation([waiting], asked()).ok, false);
});

test('the source of a migration serves on while the target is closed for that model alone', () => {
  const migrating = begun({ operationType: 'migrate', sourceBackendId: b }).operation;
  assert.deepEqual(closuresOf([migrating], a), [{ modelId: 'm1', reason: 'loading' }]);
  assert.deepEqual(closuresOf([migrating], b), []);
  assert.equal(currentOperation([migrating], b), migrating);
});

test('closures are there exactly while an operation that moves memory runs', () => {
  const closed = (tracked: TrackedOperation) => closuresOf([tracked.operation], a);
  assert.deepEqual(closed(begun({ operationType: 'unload' })), [
    { modelId: 'm1', reason: 'unloading' },
  ]);
  assert.deepEqual(closed(begun({ operationType: 'download' })), []);
  assert.deepEqual(closed(begun({ after: 'op-0' })), []);
  assert.deepEqual(closed(step(begun(), { type: 'Shown' }).tracked), []);
  assert.deepEqual(closed(step(begun(), { type: 'Failed', words: '' }).tracked), []);
});

test('what moves memory is shown before a download, and nothing once all have ended', () => {
  const download = begun({ operationType: 'download' }).operation;
  const load = begun({ modelId: 'm2' }).operation;
  assert.equal(currentOperation([download, load], a), load);
  assert.equal(currentOperation([download], a), download);
  assert.equal(
    currentOperation([step(begun(), { type: 'Shown' }).tracked.operation], a),
    undefined,
  );
});

test('engines that cannot be told to are not asked', () => {
  assert.equal(canOperate('ollama', 'download'), true);
  assert.equal(canOperate('llamacpp', 'download'), false);
  assert.equal(canOperate('llamacpp', 'migrate'), true);
  for (const type of ['vllm', 'exo', 'openai', 'anthropic', 'google', 'generic'] as const) {
    for (const operation of operationTypes) assert.equal(canOperate(type, operation), false);
  }
});

test('the time to the end follows from what is done', () => {
  assert.equal(etaOf(25, 10_000), 30_000);
  assert.equal(etaOf(100, 10_000), 0);
  for (const [percent, elapsed] of [
    [0, 10],
    [101, 10],
    [50, -1],
  ] as const) {
    assert.equal(etaOf(percent, elapsed), undefined);
  }
});

const anyAsked = fc.record({
  operationType: fc.constantFrom(...operationTypes),
  modelId: fc.constantFrom('m1', 'm2', 'm3'),
  source: fc.constantFrom('box-a', 'box-b', 'box-c'),
  target: fc.constantFrom('box-a', 'box-b', 'box-c'),
  isWaiting: fc.boolean(),
});
const anyEvent = fc.oneof(
  fc.constant<OperationEvent>({ type: 'Shown' }),
  fc.constant<OperationEvent>({ type: 'Begun' }),
  fc.constant<OperationEvent>({ type: 'Failed', words: 'x' }),
  fc.constant<OperationEvent>({ type: 'TimePassed' }),
  fc.record({
    type: fc.constant('Progressed' as const),
    percent: fc.integer({ min: -50, max: 250 }),
    etaMs: fc.constant(undefined),
  }),
);
const anyAct = fc.oneof(
  fc.record({ ask: anyAsked }),
  fc.record({ which: fc.nat(20), event: anyEvent, passMs: fc.integer({ min: -10, max: 200_000 }) }),
);

function movesMemory({ operationType }: { readonly operationType: string }): boolean {
  return operationType !== 'download';
}

/** L1 and L2 over all that runs; L3 over every backend. */
function check(all: readonly TrackedOperation[]): void {
  const running = all.map(({ operation }) => operation).filter((o) => o.status === 'in_progress');
  const ends = (o: (typeof running)[number]) => [o.targetBackendId, o.sourceBackendId];
  for (const [i, one] of running.entries()) {
    for (const other of running.slice(i + 1)) {
      const shared = ends(one).filter((id) => id !== undefined && ends(other).includes(id));
      assert.ok(shared.length === 0 || one.modelId !== other.modelId, 'L1');
      assert.ok(shared.length === 0 || !movesMemory(one) || !movesMemory(other), 'L2');
    }
  }
  for (const id of ['box-a', 'box-b', 'box-c'] as unknown as BackendId[]) {
    const closing = running.filter((o) => movesMemory(o) && o.targetBackendId === id);
    assert.deepEqual(
      closuresOf(running, id).map(({ modelId }) => modelId),
      closing.map(({ modelId }) => modelId),
      'L3',
    );
  }
}

holds(
  'whatever is asked and happens, L1 to L5 hold after every step',
  fc.property(fc.array(anyAct, { maxLength: 40 }), (acts) => {
    const all: TrackedOperation[] = [];
    let now = 0;
    for (const act of acts) {
      if ('ask' in act) {
        const { operationType, modelId, source, target, isWaiting } = act.ask;
        if (operationType === 'migrate' && source === target) continue;
        const one: AskedOperation = {
          operationType,
          modelId,
          sourceBackendId: operationType === 'migrate' ? (source as BackendId) : undefined,
          targetBackendId: target as BackendId,
        };
        const operations = all.map(({ operation }) => operation);
        if (!admitOperation(operations, one).ok) continue;
        const after = isWaiting && operationType === 'load' ? 'op-x' : undefined;
        all.push(newOperation({ ...one, operationId: `op-${all.length}`, after }, later(now)));
      } else {
        now += act.passMs;
        const index = act.which % Math.max(1, all.length);
        const before = all[index];
        if (before === undefined) continue;
        const others = all.filter((_, i) => i !== index).map(({ operation }) => operation);
        const isHeld = operationInTheWay(
          others.filter((o) => o.status === 'in_progress'),
          before.operation,
        );
        // Whoever begins what waited looks first; that is the shell's part of L1 and L2.
        if (act.event.type === 'Begun' && isHeld !== undefined) continue;
        const { tracked, news } = stepOperation(before, act.event, later(now), timeoutMs);
        all[index] = tracked;
        const [was, is] = [before.operation, tracked.operation];
        assert.ok(is.progressPercent >= was.progressPercent, 'L5: progress went back');
        assert.equal(is.progressPercent === 100, is.status === 'completed', 'L5');
        if (isEnded(was)) assert.deepEqual(is, was, 'L4');
        assert.equal(news === 'completed' || news === 'failed', isEnded(is) && !isEnded(was));
        assert.equal(is.completedAt !== undefined, isEnded(is));
      }
      check(all);
    }
  }),
);
