// Goal: every transition is in the audit once, what was open is tried after a restart, a reset is written
// before it acts, and what threads that died left behind is mended. Method: the real table with the steps
// of gateway threads on it, a store in memory, and time as a number.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instant, instant } from '../../base/time.ts';
import {
  breakerFacts,
  breakerSteps,
  closedWord,
  isClosedWord,
  termOf,
} from '../../core/resilience/breaker-word.ts';
import type { BreakerStore, BreakerWrite, StoredBreaker } from '../../io/postgres/breaker-store.ts';
import {
  BreakerTable,
  type BreakerTableParts,
  breakerKey,
} from '../../io/shared-memory/breaker-table.ts';
import type { BreakerNews } from './breaker-event.ts';
import { ControlBreakers } from './control-breakers.ts';

const rule = { failures: 2, successes: 1, openMs: 30_000, probes: 1 };
const steps = breakerSteps(rule);
const startMs = 1_800_000_000_000;

class MemoryStore implements BreakerStore {
  readonly rows = new Map<string, StoredBreaker>();
  readonly events: BreakerWrite['event'][] = [];
  isAway = false;

  async load(since: number): Promise<readonly StoredBreaker[]> {
    return [...this.rows.values()].filter((row) => row.state !== 'closed' && row.movedAt >= since);
  }

  async append(writes: readonly BreakerWrite[]): Promise<void> {
    if (this.isAway) throw new Error('away');
    for (const { row, event } of writes) {
      this.rows.set(row.subject, row);
      this.events.push(event);
    }
  }

  async forget(subject: string): Promise<void> {
    for (const known of [...this.rows.keys()]) {
      if (known === subject || known.startsWith(`${subject}/model:`)) this.rows.delete(known);
    }
  }
}

/** A control thread and one gateway thread over one table. */
class Stage {
  readonly parts: BreakerTableParts = BreakerTable.create({ buckets: 16, ways: 4 });
  readonly store: MemoryStore;
  readonly opened: string[] = [];
  readonly control: ControlBreakers;
  readonly #table = BreakerTable.open(this.parts, {
    termOf,
    isClosed: isClosedWord,
    renewed: closedWord,
  });
  nowMs = startMs;
  #later: (() => void)[] = [];

  constructor(store = new MemoryStore()) {
    this.store = store;
    this.control = new ControlBreakers({
      table: this.parts,
      rule,
      store,
      fleet: () => [{ id: 'box', models: ['m', 'org/n'] }],
      now: () => this.now(),
      after: (_, callback) => {
        this.#later.push(callback);
        return () => {
          this.#later = this.#later.filter((one) => one !== callback);
        };
      },
      onMoved: () => {},
      onOpened: (name) => this.opened.push(name),
      onFailed: () => {},
      onLost: () => assert.fail('events were lost'),
    });
  }

  now(): Instant {
    return instant(this.nowMs);
  }

  /** What a thread does: a step on one breaker, and the news of it. */
  act(step: 'take' | 'success' | 'failure', model?: string, isTold = true): void {
    const key = breakerKey('box', model);
    const index = this.#table.insert(key);
    const term = termOf(this.#table.breaker(index));
    this.#table.step(index, key, steps[step], this.nowMs, term);
    const { before, after } = this.#table.last;
    if (termOf(before) === termOf(after) || !isTold) return;
    const news: BreakerNews = {
      backend: 'box',
      model,
      from: breakerFacts(before).state,
      to: breakerFacts(after).state,
      at: this.nowMs,
      words: step === 'failure' ? 'it failed' : undefined,
    };
    this.control.told(news);
  }

  open(model?: string, isTold = true): void {
    this.act('failure', model, isTold);
    this.act('failure', model, isTold);
  }

  async written(): Promise<void> {
    for (const callback of this.#later.splice(0)) callback();
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }

  kinds(): readonly string[] {
    return this.store.events.map(({ kind, subject }) => `${kind} ${subject}`);
  }
}

test('an opened breaker is told with its cause, its row, and to the serving mode', async () => {
  const stage = new Stage();
  stage.open('m');
  await stage.written();
  assert.deepEqual(stage.kinds(), ['breaker_opened backend:box/model:m']);
  assert.deepEqual(stage.store.events[0]?.data, {
    from: 'closed',
    cause: 'attempts',
    failures: 2,
    words: 'it failed',
  });
  assert.deepEqual(stage.opened, ['box/m']);
  const [shown] = stage.control.list(false);
  assert.equal(shown?.state, 'open');
  assert.equal(Date.parse(shown?.probe_at ?? ''), startMs + 30_000);
  assert.equal(shown?.last_failure, 'it failed');
  assert.equal(stage.store.rows.get('backend:box/model:m')?.state, 'open');
  assert.deepEqual(stage.control.gateOf('box', ['m', 'org/n']).modelsOut, ['m']);
  assert.ok(!stage.control.isOpen('box'));
  stage.open();
  assert.ok(stage.control.isOpen('box'));
});

test('what has been open for long enough half-opens although nobody asks, and closes by a success', async () => {
  const stage = new Stage();
  stage.open();
  stage.nowMs += 29_999;
  stage.control.tend();
  assert.equal(stage.control.list(false)[0]?.state, 'open');
  stage.nowMs += 1;
  stage.control.tend();
  assert.equal(stage.control.list(false)[0]?.state, 'half_open');
  assert.equal(Date.parse(stage.control.list(false)[0]?.opened_at ?? ''), startMs);
  stage.act('take');
  assert.equal(stage.control.list(false)[0]?.probes_out, 1);
  stage.act('success');
  assert.deepEqual(stage.control.list(false), []);
  assert.deepEqual(
    stage.control.list(true).map(({ id, state }) => `${id} ${state}`),
    ['backend:box closed'],
  );
  await stage.written();
  assert.deepEqual(stage.kinds(), [
    'breaker_opened backend:box',
    'breaker_half_opened backend:box',
    'breaker_closed backend:box',
  ]);
  assert.deepEqual(stage.control.transitions, { open: 1, half_open: 1, closed: 1 });
});

test('what is told while the database is away is written once, in order, when it is back', async () => {
  const stage = new Stage();
  stage.store.isAway = true;
  stage.open();
  await stage.written();
  stage.open('m');
  await stage.written();
  assert.deepEqual(stage.kinds(), []);
  stage.store.isAway = false;
  await stage.written();
  assert.deepEqual(stage.kinds(), [
    'breaker_opened backend:box',
    'breaker_opened backend:box/model:m',
  ]);
});

test('one that was open at the end begins half open, one that is a day old is closed', async () => {
  const store = new MemoryStore();
  const row = { failures: 2, successes: 0, openedAt: startMs, lastFailure: 'it failed' };
  const subject = 'backend:box/model:org/n';
  store.rows.set(subject, { ...row, subject, state: 'open', movedAt: startMs - 1000 });
  const old = { ...row, subject: 'backend:box', state: 'open' as const };
  store.rows.set(old.subject, { ...old, movedAt: startMs - 86_400_001 });
  const stage = new Stage(store);
  await stage.control.restore();
  assert.deepEqual(
    stage.control.list(false).map(({ id, state, last_failure: words }) => [id, state, words]),
    [[subject, 'half_open', 'it failed']],
  );
  await stage.written();
  assert.deepEqual(stage.kinds(), [`breaker_half_opened ${subject}`]);
  assert.equal(store.events[0]?.data['cause'], 'start');
});

test('a reset is written with who asked before it acts, and not done when that fails', async () => {
  const stage = new Stage();
  stage.open();
  stage.store.isAway = true;
  await assert.rejects(stage.control.reset('backend:box', 'user:ana'), /away/);
  assert.equal(stage.control.list(false)[0]?.state, 'open');
  stage.store.isAway = false;
  const shown = await stage.control.reset('backend:box', 'user:ana');
  assert.equal(shown?.state, 'half_open');
  const last = stage.store.events.at(-1);
  assert.deepEqual([last?.kind, last?.actor], ['breaker_half_opened', 'user:ana']);
  assert.deepEqual(stage.kinds().length, 2);
});

test('a reset of a closed breaker does nothing, and of one that is not there is no breaker', async () => {
  const stage = new Stage();
  const closed = await stage.control.reset('backend:box/model:org/n', 'user:ana');
  assert.equal(closed?.state, 'closed');
  for (const id of ['backend:other', 'backend:box/model:x', 'box', 'service:gateway', '']) {
    assert.equal(await stage.control.reset(id, 'user:ana'), undefined, id);
  }
  assert.deepEqual(stage.kinds(), []);
});

test('a thread that died leaves its probe to the next, and what it did not tell is found', async () => {
  const stage = new Stage();
  stage.open();
  stage.nowMs += 30_000;
  stage.act('take');
  stage.open('m', false);
  assert.equal(stage.control.list(false).length, 1);
  stage.control.threadDied();
  const [box, m] = stage.control.list(false);
  assert.deepEqual([box?.state, box?.probes_out], ['half_open', 0]);
  assert.deepEqual([m?.id, m?.state], ['backend:box/model:m', 'open']);
  await stage.written();
  assert.equal(stage.store.events.at(-1)?.data['cause'], 'found');
});

test('a backend that is gone leaves no breaker in memory and no row', async () => {
  const stage = new Stage();
  stage.open();
  stage.open('m');
  await stage.written();
  stage.control.removed({ backend: 'box', model: undefined });
  await stage.written();
  assert.deepEqual(stage.control.list(true), []);
  assert.equal(stage.store.rows.size, 0);
});
