// Goal: what was observed reaches the audit trail in order, once, also over a database that is away.
// Method: a store and a clock in the hand of the test.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestFleet } from '../../../test/registry/fleet.test-support.ts';
import { modelOf } from '../../../test/registry/records.test-support.ts';
import { instant } from '../../base/time.ts';
import type { Backend } from '../../core/backends/backend.ts';
import type { EventToAppend } from '../../io/postgres/control-events.ts';
import { ObservedEvents } from './observed-events.ts';

class Scene {
  readonly written: EventToAppend[] = [];
  readonly failures: unknown[] = [];
  readonly timers: { readonly delayMs: number; readonly callback: () => void }[] = [];
  lost = 0;
  isAway = false;
  readonly backend: Backend = new TestFleet().add('box', { models: [modelOf('m')] });
  readonly observed = new ObservedEvents({
    append: async (events) => {
      if (this.isAway) throw new Error('away');
      this.written.push(...events);
    },
    now: () => instant(7),
    after: (delayMs, callback) => {
      const timer = { delayMs, callback };
      this.timers.push(timer);
      return () => this.timers.splice(this.timers.indexOf(timer), 1);
    },
    onFailed: (error) => this.failures.push(error),
    onLost: (events) => {
      this.lost += events;
    },
  });

  moved(status: Backend['status'], lastError?: string): void {
    this.observed.statusMoved({
      before: this.backend,
      after: { ...this.backend, status, lastError },
    });
  }

  async tick(): Promise<void> {
    for (const { callback } of this.timers.splice(0)) callback();
    await this.observed.write();
  }
}

test('a state that moved is told with where from, where to and why; what comes together is one write', async () => {
  const s = new Scene();
  s.moved('unhealthy', 'HTTP error: 500');
  s.moved('healthy');
  assert.equal(s.timers.length, 1);
  assert.deepEqual(s.written, []);
  await s.tick();
  assert.deepEqual(
    s.written.map(({ kind, subject, data }) => [kind, subject, data]),
    [
      [
        'backend_status_changed',
        'backend:box',
        { from: 'unknown', to: 'unhealthy', reason: 'HTTP error: 500' },
      ],
      ['backend_status_changed', 'backend:box', { from: 'unknown', to: 'healthy', reason: null }],
    ],
  );
});

test('a list of models that changed is told by what came and what went; other windows are no change', async () => {
  const s = new Scene();
  const { backend } = s;
  s.observed.modelsMoved({ before: backend, after: { ...backend, models: [modelOf('n')] } });
  const wider = [modelOf('m', { contextLength: 1 })];
  s.observed.modelsMoved({ before: backend, after: { ...backend, models: wider } });
  await s.tick();
  assert.deepEqual(
    s.written.map(({ data }) => data),
    [{ added: ['n'], removed: ['m'] }],
  );
});

test('a very long list is cut and says so', async () => {
  const s = new Scene();
  const models = Array.from({ length: 103 }, (_, i) => modelOf(`x${i}`));
  s.observed.modelsMoved({ before: s.backend, after: { ...s.backend, models } });
  await s.tick();
  const added = s.written[0]?.data['added'];
  assert.ok(Array.isArray(added));
  assert.equal(added.length, 101);
  assert.equal(added.at(-1), 'and 3 more');
});

test('while the database is away everything waits in order, is told once, and is written then', async () => {
  const s = new Scene();
  s.isAway = true;
  s.moved('unhealthy');
  await s.tick();
  s.moved('healthy');
  await s.tick();
  assert.equal(s.failures.length, 1);
  s.isAway = false;
  await s.tick();
  assert.deepEqual(
    s.written.map(({ data }) => data['to']),
    ['unhealthy', 'healthy'],
  );
});

test('what waits is bounded, and what was let go is told', async () => {
  const s = new Scene();
  s.isAway = true;
  for (let i = 0; i < 20_003; i++) s.moved('unhealthy');
  assert.equal(s.lost, 3);
  s.isAway = false;
  await s.observed.stop();
  assert.equal(s.written.length, 20_000);
  assert.equal(s.timers.length, 0);
});
