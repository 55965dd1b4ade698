// Goal: operations are examined in order, written before the engine hears of them, seen through, and
// taken up again after a restart (S1 to S4).
// Method: the service against an engine, a fleet and a table in memory, and a clock that the test moves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BackendId } from '../../base/brand.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { backendFixture, type TestWorld, testWorld } from './lifecycle.test-support.ts';
import { LifecycleService } from './lifecycle-service.ts';

const actor = 'key:key_test';
const box1 = 'box-1' as BackendId;
const box2 = 'box-2' as BackendId;

function started(): TestWorld & { readonly service: LifecycleService } {
  const world = testWorld();
  return Object.assign(world, { service: new LifecycleService(world.ports) });
}

function load(
  service: LifecycleService,
  over: Partial<Parameters<LifecycleService['load']>[0]> = {},
) {
  return service.load({ modelId: 'm:1', backendId: box1, download: false, ...over }, actor);
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TensorForgeError, `no refusal: ${String(error)}`);
  return error.code;
}

const closed = ({ fleet }: TestWorld, id: BackendId = box1) =>
  fleet.getBackend(id)?.closures.map(({ modelId, reason }) => `${modelId} ${reason}`);
const kinds = ({ store }: TestWorld) => store.events.map(({ kind }) => kind);

test('a load closes its model, opens it when the engine shows it, and is written before and after', async () => {
  const world = started();
  const { service, clock, engine, store } = world;
  const operation = await load(service);
  assert.deepEqual([operation.operationId, operation.status], ['op-1', 'in_progress']);
  await clock.settle();
  assert.deepEqual(closed(world), ['m:1 loading'], 'and no other model');
  assert.equal(store.rows.get('op-1')?.status, 'in_progress');
  assert.deepEqual(
    engine.asked.map(({ kind }) => kind),
    ['load'],
  );
  engine.loadedOn(box1).add('m:1');
  await clock.advance(1000);
  assert.deepEqual(closed(world), []);
  assert.equal(world.fleet.getBackend(box1)?.currentOperation, undefined);
  assert.equal((await service.get('op-1'))?.status, 'completed');
  assert.deepEqual(kinds(world), ['operation_started', 'operation_completed']);
  assert.deepEqual(world.refreshed, [box1]);
  assert.equal(engine.asked[0]?.call.signal.aborted, true, 'nothing goes on behind it');
});

test('the answer of the engine is looked after at once, without the pause of a poll', async () => {
  const { service, clock, engine } = started();
  await load(service);
  await clock.settle();
  engine.loadedOn(box1).add('m:1');
  engine.answer();
  await clock.settle();
  assert.equal((await service.get('op-1'))?.status, 'completed');
});

test('nothing reaches the engine when the row cannot be written, and nothing has changed', async () => {
  const world = started();
  world.store.isAway = true;
  await assert.rejects(load(world.service), /the database is away/);
  await world.clock.advance(5000);
  assert.deepEqual([world.engine.asked, closed(world)], [[], []]);
  world.store.isAway = false;
  assert.equal((await load(world.service)).status, 'in_progress', 'and it is not in its own way');
});

test('refusals come in their order: backend, other operation, ability, engine, memory, weights', async () => {
  const world = started();
  const { service, fleet, engine } = world;
  fleet.add(backendFixture('box-v', { backendType: 'vllm' }));
  fleet.add(backendFixture('box-n', { approved: false }));
  assert.equal(await codeOf(load(service, { backendId: 'box-9' })), 'backend_not_found');
  assert.equal(await codeOf(load(service, { backendId: 'box-v' })), 'not_implemented');
  assert.equal(await codeOf(load(service, { backendId: 'box-n' })), 'bad_state');
  engine.shown = { kind: 'away', words: 'connection failed: refused' };
  assert.equal(await codeOf(load(service)), 'bad_gateway');
  engine.shown = { kind: 'unsupported', words: 'one model' };
  assert.equal(await codeOf(load(service)), 'not_implemented');
  engine.shown = undefined;
  engine.usedBytes = 17e9;
  assert.equal(await codeOf(load(service, { modelId: 'nobody:1' })), 'insufficient_memory');
  engine.usedBytes = 0;
  assert.equal(await codeOf(load(service, { modelId: 'nobody:1' })), 'model_not_found');
  assert.deepEqual([world.store.events, engine.asked], [[], []]);
});

test('a refusal for memory names what is in use and the bound, and what is loaded needs none', async () => {
  const { service, engine } = started();
  engine.usedBytes = 17e9;
  await assert.rejects(load(service), /box-1: 17\.0 GB GPU memory are in use .* at most 16 GB\./);
  engine.loadedOn(box1).add('m:1');
  assert.equal((await load(service)).status, 'in_progress');
});

test('of two that are asked at once one is refused, and names the other', async () => {
  const { service } = started();
  const outcomes = await Promise.allSettled([load(service), load(service, { modelId: 'other:1' })]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  const [, refused] = outcomes;
  const reason: unknown = refused?.status === 'rejected' ? refused.reason : undefined;
  assert.ok(reason instanceof TensorForgeError);
  assert.equal(reason.code, 'operation_in_progress');
  assert.match(reason.message, /operation op-1 \(load of m:1\) runs on box-1/);
});

test('what an engine refuses fails with our words, and the model is open again', async () => {
  const world = started();
  await load(world.service);
  await world.clock.settle();
  world.engine.answer({ ok: false, words: 'HTTP error: 500' });
  await world.clock.settle();
  const failed = await world.service.get('op-1');
  assert.deepEqual([failed?.status, failed?.errorDetails], ['failed', 'HTTP error: 500']);
  assert.deepEqual(closed(world), []);
  assert.deepEqual(kinds(world), ['operation_started', 'operation_failed']);
});

test('what does not end in its time has failed, and the engine is let go of', async () => {
  const world = started();
  await load(world.service);
  await world.clock.advance(299_000);
  assert.equal((await world.service.get('op-1'))?.status, 'in_progress');
  await world.clock.advance(2000);
  const failed = await world.service.get('op-1');
  assert.deepEqual(
    [failed?.status, failed?.errorDetails],
    ['failed', 'it did not end within 300 s'],
  );
  assert.equal(world.engine.asked[0]?.call.signal.aborted, true);
  assert.deepEqual([closed(world), world.clock.timers.size], [[], 0]);
});

test('an engine that is away for a while is asked again, and one that cannot fails it', async () => {
  const { service, engine, clock } = started();
  await load(service);
  engine.shown = { kind: 'away', words: 'connection failed: refused' };
  await clock.advance(60_000);
  assert.equal((await service.get('op-1'))?.status, 'in_progress');
  engine.shown = { kind: 'unsupported', words: 'it has one model' };
  await clock.advance(20_000);
  assert.equal((await service.get('op-1'))?.errorDetails, 'it has one model');
});

test('while the database is away an ending waits, closed, and is told once', async () => {
  const world = started();
  const { service, engine, clock, store } = world;
  await load(service);
  store.isAway = true;
  engine.loadedOn(box1).add('m:1');
  await clock.advance(10_000);
  assert.deepEqual(closed(world), ['m:1 loading']);
  store.isAway = false;
  await clock.advance(1000);
  assert.deepEqual(closed(world), []);
  assert.deepEqual(kinds(world), ['operation_started', 'operation_completed']);
});

test('a download comes first where it is asked for, tells its progress, and the load follows', async () => {
  const world = started();
  const { service, engine, clock, fleet } = world;
  engine.known.set(box1, new Set());
  fleet.add(backendFixture(box1, { models: [] }));
  const asked = await load(service, { modelId: 'big', download: true });
  assert.deepEqual(
    [asked.operationId, asked.status, asked.modelId],
    ['op-1', 'pending', 'big:latest'],
  );
  await clock.advance(10_000);
  engine.onProgress?.(25);
  const download = fleet.getBackend(box1)?.currentOperation;
  assert.deepEqual(
    [download?.operationType, download?.progressPercent, download?.etaMs],
    ['download', 25, 30_000],
  );
  assert.deepEqual(closed(world), [], 'what is being fetched closes nothing');
  engine.answer();
  engine.known.set(box1, new Set(['big:latest']));
  await clock.settle();
  assert.deepEqual(
    engine.asked.map(({ kind }) => kind),
    ['download', 'load'],
  );
  assert.deepEqual(closed(world), ['big:latest loading']);
  engine.loadedOn(box1).add('big:latest');
  await clock.advance(1000);
  assert.equal((await service.get('op-1'))?.status, 'completed');
  assert.deepEqual(
    fleet.getBackend(box1)?.models.map(({ id }) => id),
    ['big:latest'],
  );
  assert.deepEqual(kinds(world), [
    'operation_started',
    'operation_completed',
    'operation_started',
    'operation_completed',
  ]);
});

test('a load fails with its download, and for memory that has gone meanwhile', async () => {
  for (const isDownloaded of [false, true]) {
    const { service, engine, clock } = started();
    engine.known.set(box1, new Set());
    await load(service, { modelId: 'big:1', download: true });
    await clock.settle();
    if (isDownloaded) engine.usedBytes = 17e9;
    engine.answer(isDownloaded ? { ok: true } : { ok: false, words: 'the download broke off' });
    await clock.settle();
    const failed = await service.get('op-1');
    assert.equal(failed?.status, 'failed');
    const words = isDownloaded
      ? /17\.0 GB/
      : /the download before it failed: the download broke off/;
    assert.match(failed.errorDetails ?? '', words);
  }
});

test('a load that was downloaded waits for another load of its backend, and begins after it', async () => {
  const { service, engine, clock } = started();
  engine.known.set(box1, new Set(['m:1']));
  await load(service, { modelId: 'big:1', download: true });
  await clock.settle();
  const other = await load(service);
  assert.equal(other.status, 'in_progress', 'the download leaves the memory to it');
  engine.answer();
  await clock.settle();
  assert.equal((await service.get('op-1'))?.status, 'pending');
  engine.loadedOn(box1).add('m:1');
  await clock.advance(1000);
  assert.equal((await service.get('op-1'))?.status, 'in_progress');
});

test('a migration closes the target alone, stands on both, and the source serves on', async () => {
  const world = started();
  const { service, engine, clock, fleet } = world;
  const request = { modelId: 'm:1', sourceBackendId: box1, targetBackendId: box2 };
  const operation = await service.migrate(request, actor);
  assert.equal(operation.operationId, 'op-migrate-1');
  assert.deepEqual([closed(world, box1), closed(world, box2)], [[], ['m:1 loading']]);
  for (const id of [box1, box2]) {
    assert.equal(fleet.getBackend(id)?.currentOperation?.operationId, 'op-migrate-1');
  }
  const unload = { modelId: 'm:1', backendId: box1, drain: true };
  assert.equal(await codeOf(service.unload(unload, actor)), 'operation_in_progress');
  engine.loadedOn(box2).add('m:1');
  await clock.advance(1000);
  assert.deepEqual([closed(world, box1), closed(world, box2)], [[], []]);
  assert.deepEqual(world.refreshed, [box2, box1]);
});

test('a migration that cannot be is refused: to itself, of what the source does not offer', async () => {
  const { service } = started();
  const migrate = (modelId: string, targetBackendId: string) =>
    codeOf(service.migrate({ modelId, sourceBackendId: box1, targetBackendId }, actor));
  assert.equal(await migrate('m:1', box1), 'invalid_request');
  assert.equal(await migrate('nobody:1', box2), 'model_not_loaded');
  assert.equal(await migrate('m:1', 'box-9'), 'backend_not_found');
});

test('an unload is refused for what is not loaded and while requests run', async () => {
  const world = started();
  const unload = () =>
    codeOf(world.service.unload({ modelId: 'm:1', backendId: box1, drain: false }, actor));
  assert.equal(await unload(), 'model_not_loaded');
  world.engine.loadedOn(box1).add('m:1');
  world.inFlight = 2;
  assert.equal(await unload(), 'backend_busy');
  assert.deepEqual([world.engine.asked, world.store.events], [[], []]);
});

test('a draining unload closes the model, waits for its requests, and then unloads', async () => {
  const world = started();
  const { service, engine, clock } = world;
  engine.loadedOn(box1).add('m:1');
  world.inFlight = 2;
  const unloaded = service.unload({ modelId: 'm:1', backendId: box1, drain: true }, actor);
  await clock.advance(5000);
  assert.deepEqual([closed(world), engine.asked.length], [['m:1 unloading'], 0]);
  world.inFlight = 0;
  await clock.advance(250);
  assert.deepEqual(
    engine.asked.map(({ kind }) => kind),
    ['unload'],
  );
  engine.loadedOn(box1).delete('m:1');
  engine.answer();
  await clock.settle();
  const { operation } = await unloaded;
  assert.deepEqual([operation.operationId, operation.status], ['op-unload-1', 'completed']);
  assert.deepEqual(closed(world), []);
});

test('an unload that waits long is answered while it goes on; one that fails is told', async () => {
  const world = started();
  const { service, engine, clock } = world;
  engine.loadedOn(box1).add('m:1');
  world.inFlight = 1;
  const waiting = service.unload({ modelId: 'm:1', backendId: box1, drain: true }, actor);
  await clock.advance(50_000);
  assert.equal((await waiting).operation.status, 'in_progress');
  await clock.advance(260_000);
  assert.equal((await service.get('op-unload-1'))?.errorDetails, 'it did not end within 300 s');
  world.inFlight = 0;
  const refused = codeOf(service.unload({ modelId: 'm:1', backendId: box1, drain: true }, actor));
  await clock.settle();
  engine.answer({ ok: false, words: 'HTTP error: 500' });
  await clock.settle();
  assert.equal(await refused, 'bad_gateway');
});

test('a stop leaves what runs in progress, and the next start sees it through', async () => {
  const world = started();
  await load(world.service);
  await world.clock.settle();
  await world.service.stop();
  assert.equal(world.engine.asked[0]?.call.signal.aborted, true);
  assert.equal(world.store.rows.get('op-1')?.status, 'in_progress');
  assert.equal(world.clock.timers.size, 0);
  world.fleet.add(backendFixture(box1));
  const next = new LifecycleService(world.ports);
  await next.start();
  assert.deepEqual(closed(world), ['m:1 loading'], 'closed before anything is served');
  world.engine.loadedOn(box1).add('m:1');
  await world.clock.advance(1000);
  assert.equal((await next.get('op-1'))?.status, 'completed');
  assert.deepEqual(closed(world), []);
});

test('what the engine did meanwhile is seen without asking it again', async () => {
  const world = started();
  await load(world.service);
  await world.clock.settle();
  await world.service.stop();
  world.engine.loadedOn(box1).add('m:1');
  const next = new LifecycleService(world.ports);
  await next.start();
  await world.clock.settle();
  assert.equal((await next.get('op-1'))?.status, 'completed');
  assert.equal(world.engine.asked.length, 1);
});

test('what is found too old, or of a backend that is gone, fails with words', async () => {
  for (const isGone of [false, true]) {
    const world = started();
    await load(world.service);
    await world.clock.settle();
    await world.service.stop();
    if (isGone) world.fleet.backends.delete(box1);
    else await world.clock.advance(400_000);
    const next = new LifecycleService(world.ports);
    await next.start();
    await world.clock.advance(1000);
    const words = isGone ? 'the backend was removed' : 'it did not end within 300 s';
    assert.equal((await next.get('op-1'))?.errorDetails, words);
  }
});

test('a load whose download ended just before the stop is taken up by the next start', async () => {
  const world = started();
  const { engine, clock, store } = world;
  engine.known.set(box1, new Set());
  await load(world.service, { modelId: 'big:1', download: true });
  await clock.settle();
  await world.service.stop();
  const download = store.rows.get('op-2');
  assert.ok(download);
  store.rows.set('op-2', { ...download, status: 'completed', completedAt: clock.now() });
  const next = new LifecycleService(world.ports);
  await next.start();
  await clock.settle();
  assert.equal((await next.get('op-1'))?.status, 'in_progress');
  assert.equal(engine.asked.at(-1)?.kind, 'load');
});

test('a clock that went back is told of and ends nothing', async () => {
  const world = started();
  const row = { ...(await load(world.service)), after: undefined, actor };
  await world.service.stop();
  const { etaMs: _, ...stored } = row;
  const initiatedAt = world.clock.now();
  world.store.rows.set('op-1', {
    ...stored,
    initiatedAt: (initiatedAt + 90_000) as typeof initiatedAt,
  });
  const next = new LifecycleService(world.ports);
  await next.start();
  await world.clock.advance(2000);
  assert.equal((await next.get('op-1'))?.status, 'in_progress');
  assert.match(world.warnings[0] ?? '', /the clock went back/);
  await next.stop();
});

test('lists show what runs as it is now, and what ended from the table', async () => {
  const { service, engine, clock } = started();
  engine.known.set(box1, new Set());
  await load(service, { modelId: 'big:1', download: true });
  await clock.settle();
  engine.onProgress?.(40);
  const listed = await service.list({ limit: 10 });
  assert.deepEqual(
    listed.map((one) => [one.operationId, one.status, one.progressPercent]),
    [
      ['op-2', 'in_progress', 40],
      ['op-1', 'pending', 0],
    ],
  );
  assert.equal(await service.get('op-9'), undefined);
});
