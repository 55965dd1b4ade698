// Goal: what protects acts before it is written and what loosens is written first (K1, K2); a
// database that is away or loses answers costs no event, doubles none and changes no order (K3); a
// restart goes on where the last program stood. Method: a store in memory that can be away or deaf.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../base/canonical.ts';
import { instant } from '../../base/time.ts';
import { evaluateAgain } from '../../core/policy/mode-record.ts';
import { Bench, MemoryStore, start } from './keeper.test-support.ts';

function pinOf(bench: Bench, until: number | null = null) {
  const { now: since } = bench;
  return { mode: 'halted', by: 'user:ana', reason: 'move', since, until } as const;
}

test('failures that were noted escalate, with an event that holds the evidence', async () => {
  const store = new MemoryStore();
  const bench = await new Bench(store).open();
  assert.deepEqual(bench.published, ['normal']);
  await bench.ticks(2, 20, 10);
  assert.equal(bench.mode, 'watch');
  assert.deepEqual(store.kinds, ['mode_escalated']);
  const { stream, actor, data } = store.events[0] ?? {};
  assert.deepEqual([stream, actor], ['policy', 'service:policy']);
  assert.deepEqual(data, {
    from: 'normal',
    to: 'watch',
    reason: 'escalation: 2 failures',
    evidence: {
      cause: '10 of 20 requests failed or were late (50.0 %, limit 5 %)',
      burst: 2,
      streak: 0,
      risk: 0,
      requests: 20,
      failures: 10,
      slow: 0,
      trips: [],
      backends: { known: 3, routable: 3 },
      burn: {
        fast: { long: null, short: null, firing: false },
        slow: { long: null, short: null, firing: false },
        ticket: { long: null, short: null, firing: false },
      },
    },
  });
});

test('an escalation acts while the database is away, and its event comes later, once', async () => {
  const store = new MemoryStore();
  const bench = await new Bench(store).open();
  store.state = 'away';
  await bench.ticks(16, 20, 20);
  assert.equal(bench.mode, 'restricted');
  assert.equal(store.saves, 0);
  assert.equal(bench.failures.length, 16);
  store.state = 'there';
  await bench.tick(20, 20);
  assert.deepEqual(store.kinds, [
    'mode_escalated',
    'mode_escalation_suppressed',
    'mode_escalated',
    'mode_escalation_suppressed',
  ]);
  assert.equal(store.row?.mode, 'restricted');
});

test('a write whose answer was lost is not written twice', async () => {
  const store = new MemoryStore();
  const bench = await new Bench(store).open();
  await bench.tick(20, 20);
  store.state = 'deaf';
  await bench.ticks(3, 20, 20);
  store.state = 'there';
  await bench.tick(20, 20);
  assert.deepEqual(store.kinds, ['mode_escalated', 'mode_escalation_suppressed']);
});

test('a step down waits for the database, and is recorded only when it took place', async () => {
  const store = new MemoryStore();
  const bench = await new Bench(store).open();
  await bench.ticks(2, 20, 20);
  await bench.ticks(4, 100);
  store.state = 'away';
  const records = bench.records.length;
  await bench.ticks(3, 100);
  assert.equal(bench.mode, 'watch');
  assert.equal(bench.records.length, records);
  store.state = 'there';
  await bench.tick(100);
  assert.equal(bench.mode, 'normal');
  assert.equal(bench.records.length, records + 1);
  assert.deepEqual(store.kinds, ['mode_escalated', 'mode_deescalated']);
});

test('a step down whose answer was lost is found out, and not made again', async () => {
  const store = new MemoryStore();
  const bench = await new Bench(store).open();
  await bench.ticks(2, 20, 20);
  await bench.ticks(4, 100);
  // The flush before the change is answered; the change itself is not.
  const save = store.save.bind(store);
  store.save = async (write) => {
    await save(write);
    if (write.events.some(({ kind }) => kind === 'mode_deescalated')) throw new Error('lost');
  };
  await bench.tick(100);
  assert.equal(bench.mode, 'watch');
  store.save = save;
  await bench.tick(100);
  await bench.tick(100);
  assert.equal(bench.mode, 'normal');
  assert.deepEqual(store.kinds, ['mode_escalated', 'mode_deescalated']);
});

test('a pin is written before it is in force, and refused when it cannot be', async () => {
  const store = new MemoryStore();
  const bench = await new Bench(store).open();
  store.state = 'away';
  await assert.rejects(bench.keeper.pin(pinOf(bench), bench.now), /away/);
  assert.equal(bench.mode, 'normal');
  store.state = 'there';
  await bench.tick(10);
  assert.equal(bench.mode, 'normal', 'what was refused does not come later');
  await bench.keeper.pin(pinOf(bench), bench.now);
  assert.equal(bench.mode, 'halted');
  assert.equal(bench.keeper.state.mode, 'normal');
  assert.deepEqual(store.events.at(-1)?.data, {
    from: 'normal',
    to: 'halted',
    by: 'user:ana',
    until: null,
    reason: 'move',
  });
  await bench.keeper.unpin('user:bo', 'moved', bench.now);
  assert.equal(bench.mode, 'normal');
  await bench.keeper.unpin('user:bo', 'again', bench.now);
  assert.deepEqual(store.kinds, ['mode_pinned', 'mode_unpinned']);
});

test('a pin runs out by itself, with an event, and the ladder below it went on', async () => {
  const store = new MemoryStore();
  const bench = await new Bench(store).open();
  await bench.keeper.pin(pinOf(bench, start + 35_000), bench.now);
  await bench.ticks(3, 20, 20);
  assert.equal(bench.mode, 'halted');
  assert.equal(bench.keeper.state.mode, 'watch');
  await bench.tick(20, 20);
  assert.equal(bench.mode, 'watch');
  const over = store.events.at(-1);
  assert.deepEqual([over?.kind, over?.actor], ['mode_unpinned', 'system']);
  assert.deepEqual(over?.data['to'], 'watch');
});

test('probes and trips reach the ladder', async () => {
  const bench = await new Bench(new MemoryStore()).open();
  bench.fleet = { ...bench.fleet, backends: { known: 3, routable: 0 } };
  bench.keeper.tripped('box-1');
  await bench.tick(0);
  assert.equal(bench.mode, 'watch');
  bench.keeper.probed(true);
  bench.keeper.probed(false);
  await bench.tick(0);
  assert.deepEqual(bench.records.at(-1)?.input.tick.probes, { good: 1, failed: 1 });
  assert.deepEqual(bench.records.at(-1)?.input.tick.trips, []);
});

test('after a restart state, runs, burn windows, budget and pin go on', async () => {
  const store = new MemoryStore();
  const first = await new Bench(store).open();
  const twin = await new Bench(new MemoryStore()).open();
  for (const bench of [first, twin]) {
    await bench.ticks(3, 90, 40);
    await bench.keeper.pin(pinOf(bench), bench.now);
    await bench.ticks(2, 100);
  }
  const second = new Bench(store);
  second.now = first.now;
  await second.open();
  assert.equal(second.mode, 'halted');
  assert.deepEqual(second.keeper.state, twin.keeper.state);
  assert.deepEqual(second.keeper.burn(second.now), twin.keeper.burn(twin.now));
  assert.deepEqual(second.keeper.period(second.now, 30), { total: 470, bad: 120 });
  for (const bench of [second, twin]) await bench.ticks(20, 100);
  assert.deepEqual(second.keeper.state, twin.keeper.state);
});

test('a stored state that cannot be read is set aside and told, and its mode is kept', async () => {
  const store = new MemoryStore();
  store.row = { mode: 'restricted', state: { since: 'yesterday' }, pin: null, id: 'x' };
  const bench = await new Bench(store).open();
  assert.equal(bench.mode, 'restricted');
  assert.equal(store.aside.length, 1);
  assert.match(bench.problems[0] ?? '', /cannot be read .* going on in restricted/);
  const other = new MemoryStore();
  other.row = { mode: 'gone', state: null, pin: 7, id: 'x' };
  assert.equal((await new Bench(other).open()).mode, 'normal');
});

test('an idle keeper writes nothing', async () => {
  const store = new MemoryStore();
  const bench = await new Bench(store).open();
  await bench.ticks(5, 0);
  assert.equal(store.saves, 1, 'that there is no data is written once');
});

test('every record made again gives what was done (RP7)', async () => {
  const bench = await new Bench(new MemoryStore()).open();
  await bench.ticks(5, 20, 10);
  await bench.keeper.pin(pinOf(bench, bench.now + 20_000), bench.now);
  await bench.ticks(30, 100);
  assert.equal(bench.mode, 'normal');
  for (const record of bench.records) {
    const kept: { readonly input: Json; readonly output: Json } = JSON.parse(
      JSON.stringify(record),
    );
    const again = evaluateAgain(kept.input);
    assert.ok(again.ok);
    assert.deepEqual(JSON.parse(JSON.stringify(again.value)), kept.output);
  }
});

test('a tick that falls into a write that loosens leaves its counts to the next', async () => {
  const store = new MemoryStore();
  const bench = await new Bench(store).open();
  const { promise, resolve } = Promise.withResolvers<void>();
  const save = store.save.bind(store);
  store.save = async (write) => {
    await promise;
    await save(write);
  };
  const pinned = bench.keeper.pin(pinOf(bench), bench.now);
  bench.keeper.note({ requests: 9, failures: 9, slow: 0 });
  await bench.keeper.tick(instant(bench.now + 10_000));
  assert.equal(bench.records.length, 0);
  resolve();
  await pinned;
  await bench.tick(1);
  assert.equal(bench.records[0]?.input.tick.outcomes.requests, 10);
});
