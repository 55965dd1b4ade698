// Goal: demand is counted once and not lost (D1, D2), analysed now and then, and turned into advice for
// the fleet as it is when somebody asks. Method: a table in memory and a clock that the test moves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Backend } from '../../core/backends/backend.ts';
import type { DemandCount, DemandStore } from '../../io/postgres/demand-store.ts';
import { recommendationListSchema } from '../../protocol/control/fleet-schemas.ts';
import { FleetAdvice, type FleetAdviceOptions } from './fleet-advice.ts';
import { DemandRecorder } from './fleet-advice-demand.ts';
import { backendFixture, TestClock } from './lifecycle.test-support.ts';

const hourMs = 3_600_000;

class TestDemand implements DemandStore {
  readonly counts = new Map<string, number>();
  isAway = false;
  firstHour = 0;

  add(counts: readonly DemandCount[], firstHour: number): Promise<void> {
    if (this.isAway) return Promise.reject(new Error('away'));
    this.firstHour = firstHour;
    for (const { modelId, hour, requests } of counts) {
      const key = `${modelId} ${hour}`;
      this.counts.set(key, requests + (this.counts.get(key) ?? 0));
    }
    return Promise.resolve();
  }

  load(): Promise<readonly DemandCount[]> {
    if (this.isAway) return Promise.reject(new Error('away'));
    return Promise.resolve(
      [...this.counts].map(([key, requests]) => {
        const [modelId = '', hour] = key.split(' ');
        return { modelId, hour: Number(hour), requests };
      }),
    );
  }
}

function recorder(store: TestDemand) {
  const told: string[] = [];
  const demand = new DemandRecorder({
    store,
    now: () => 800 * hourMs,
    onWriteFailed: (error) => told.push(String(error)),
    onFull: (words) => told.push(words),
  });
  return { demand, told };
}

test('requests of one hour are one count, and 30 days before now are kept', async () => {
  const store = new TestDemand();
  const { demand } = recorder(store);
  demand.served('m', 10 * hourMs);
  demand.served('m', 11 * hourMs - 1, 4);
  demand.served('m', 11 * hourMs);
  demand.served('n', 10 * hourMs, 0);
  await demand.flush();
  assert.deepEqual(Object.fromEntries(store.counts), { 'm 10': 5, 'm 11': 1 });
  assert.equal(store.firstHour, 800 - 720);
});

test('what could not be written is written with the next news, once', async () => {
  const store = new TestDemand();
  const { demand, told } = recorder(store);
  store.isAway = true;
  demand.served('m', 0);
  await Promise.all([demand.flush(), demand.flush()]);
  demand.served('m', 0);
  store.isAway = false;
  await demand.flush();
  await demand.flush();
  assert.deepEqual(Object.fromEntries(store.counts), { 'm 0': 2 });
  assert.deepEqual(told, ['Error: away']);
});

test('waiting counts are bounded, that is told once, and known ones go on counting', async () => {
  const store = new TestDemand();
  const { demand, told } = recorder(store);
  for (let i = 0; i < 20_002; i++) demand.served(`m${i}`, 0);
  demand.served('m0', 0);
  assert.deepEqual([told.length, /20000/.test(told[0] ?? '')], [1, true]);
  await demand.flush();
  assert.deepEqual([store.counts.size, store.counts.get('m0 0')], [20_000, 2]);
});

test('a name that the database cannot hold keeps no other from it', async () => {
  const store = new TestDemand();
  const { demand } = recorder(store);
  for (const name of ['\ud800', 'a\0b', 'good']) demand.served(name, 0);
  await demand.flush();
  assert.deepEqual([...store.counts.keys()], ['good 0']);
});

function advised(over: Partial<FleetAdviceOptions> = {}) {
  const store = new TestDemand();
  const clock = new TestClock();
  const fleet: Backend[] = [];
  const failures: unknown[] = [];
  const advice = new FleetAdvice({
    isEnabled: true,
    rules: {
      minSampleDays: 7,
      minRequestCount: 100,
      maxRecommendations: 5,
      vramHeadroomPercent: 20,
      vramHeuristicMaxGb: 16,
    },
    analysisIntervalMs: hourMs,
    store,
    backends: () => fleet,
    clock,
    onFailed: (error) => failures.push(error),
    onWarning: () => assert.fail('nothing to warn of'),
    ...over,
  });
  /** 90, 20 and 10 requests at 9, 10 and 11 o'clock of each of the last 14 days. */
  const busy = (modelId: string): void => {
    const midnight = Math.floor(clock.now() / (24 * hourMs)) * 24;
    for (let day = 1; day <= 14; day++) {
      for (const [hour, requests] of [
        [9, 90],
        [10, 20],
        [11, 10],
      ] as const) {
        advice.served(modelId, (midnight - 24 * day + hour) * hourMs, requests);
      }
    }
  };
  return { advice, store, clock, fleet, failures, busy };
}

test('advice follows the fleet as it is when asked, from the last analysis', async () => {
  const { advice, clock, fleet, busy } = advised();
  busy('m:1');
  await advice.start();
  assert.deepEqual(advice.recommendations().recommendations, []);
  const runtime = {
    id: 'm:1',
    kind: undefined,
    sizeBytes: 4e9,
    vramBytes: undefined,
    quantization: undefined,
  };
  fleet.push(backendFixture('box-1', { runtime: [{ ...runtime, loaded: false }] }));
  const told = recommendationListSchema.parse(advice.recommendations());
  const [one] = told.recommendations;
  assert.deepEqual([one?.model_id, one?.target_backend_ids], ['m:1', ['box-1']]);
  assert.match(one?.recommendation_id ?? '', /^rec-[0-9a-f]{16}$/);
  assert.equal(
    advice.recommendations().recommendations[0]?.recommendation_id,
    one?.recommendation_id,
  );
  assert.equal(Date.parse(one?.expires_at ?? '') - Date.parse(one?.generated_at ?? ''), hourMs);
  fleet[0] = backendFixture('box-1', { runtime: [{ ...runtime, loaded: true, vramBytes: 5e9 }] });
  assert.deepEqual(advice.recommendations().recommendations, [], 'it is loaded now');
  await clock.advance(hourMs);
  assert.notEqual(advice.recommendations().generated_at, told.generated_at);
  await advice.stop();
  assert.equal(clock.timers.size, 0);
});

test('switched off it recommends nothing and counts all the same', async () => {
  const { advice, store, clock, busy } = advised({ isEnabled: false });
  await advice.start();
  busy('m:1');
  await clock.advance(60_000);
  assert.equal(store.counts.size, 42);
  const { fleet_enabled: enabled, recommendations } = advice.recommendations();
  assert.deepEqual([enabled, recommendations], [false, []]);
  await advice.stop();
});

test('an analysis that fails leaves the last one, and a stop writes what was counted', async () => {
  const { advice, store, clock, failures, busy } = advised();
  await advice.start();
  const before = advice.recommendations().generated_at;
  store.isAway = true;
  await clock.advance(hourMs);
  assert.ok(failures.length > 0);
  assert.equal(advice.recommendations().generated_at, before);
  store.isAway = false;
  busy('m:1');
  await advice.stop();
  assert.equal(store.counts.size, 42);
});
