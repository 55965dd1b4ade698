// Goal: services start in the order of the specification (CP B.2) and stop in reverse, a set that
// cannot be ordered is refused by name, and one that fails to stop does not keep the others running.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ServiceDefinition, serviceCatalog } from '../../core/topology/service-catalog.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { ServiceBoard, type ServiceLife } from './service-board.ts';

const startOrder =
  'gateway allocator audit fulfillment identity intake notifications policy reporting resilience routing analytics security'.split(
    ' ',
  );

const options = { monotonicMs: () => 0, build: 'test' };

/** A board of all thirteen whose services write down what is asked of them. */
function recorded(failing?: string): { readonly board: ServiceBoard; readonly log: string[] } {
  const log: string[] = [];
  const lives: Record<string, ServiceLife> = {};
  for (const { id } of serviceCatalog()) {
    lives[id] = {
      start: async () => {
        log.push(`start ${id}`);
      },
      stop: async () => {
        log.push(`stop ${id}`);
        if (id === failing) throw new Error('it hangs on');
      },
    };
  }
  return { board: new ServiceBoard(serviceCatalog(), lives, options), log };
}

const started = startOrder.map((id) => `start ${id}`);
const stopped = startOrder.map((id) => `stop ${id}`).reverse();

test('the thirteen start in the order of the specification and stop in reverse', async () => {
  const { board, log } = recorded();
  assert.equal(board.isReady, false);
  await board.start();
  assert.equal(board.isReady, true);
  assert.deepEqual(log, started);
  board.drain();
  assert.equal(board.health('audit')?.state, 'draining');
  await board.stop(() => assert.fail('nothing fails'));
  assert.deepEqual(log, [...started, ...stopped]);
  assert.equal(board.health('gateway')?.state, 'stopped');
});

test('a service that fails to stop is told, and all others stop', async () => {
  const { board, log } = recorded('routing');
  await board.start();
  const failures: string[] = [];
  await board.stop((id, error) => failures.push(`${id}: ${String(error)}`));
  assert.deepEqual(failures, ['routing: Error: it hangs on']);
  assert.deepEqual(log, [...started, ...stopped]);
});

test('a service that fails to start ends the start, and is not active', async () => {
  const lives = { audit: { start: () => Promise.reject(new Error('no')) } };
  const board = new ServiceBoard(serviceCatalog(), lives, options);
  await assert.rejects(board.start(), /no/);
  assert.equal(board.isReady, false);
  assert.equal(board.health('gateway')?.state, 'active');
  assert.equal(board.health('audit')?.state, 'starting');
});

test('a cycle and an unknown dependency are refused with the names of the services', () => {
  const service = (id: string, dependencies: readonly string[]): ServiceDefinition => ({
    id,
    port: undefined,
    healthPath: '/health',
    version: '1.0.0',
    dependencies,
  });
  const refused = (definitions: readonly ServiceDefinition[], words: RegExp): void => {
    assert.throws(
      () => new ServiceBoard(definitions, {}, options),
      (error) =>
        error instanceof TensorForgeError &&
        error.code === 'config_invalid' &&
        words.test(error.message),
    );
  };
  refused([service('alpha', ['beta']), service('beta', ['alpha'])], /alpha.*beta/);
  refused([service('alpha', ['gamma'])], /alpha.*gamma/);
});

test('health names every service, and an unknown one has none', () => {
  const { board } = recorded();
  assert.deepEqual(
    board.list().map(({ service }) => service),
    startOrder,
  );
  assert.equal(board.health('nobody'), undefined);
  assert.equal(Object.keys(board.gateway({ total: 0, healthy: 0, models: 0 }).services).length, 13);
});
