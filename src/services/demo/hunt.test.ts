// Goal: the hunt kills in the tick in which it saw the moment, adds requests only when the load does
// not bring it, and without it kills nothing and says what it last saw.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SimState } from '../../protocol/sim/schemas.ts';
import type { Engine } from './engines.ts';
import { demoEngines } from './engines.ts';
import { type HuntOptions, huntAndKill, huntPlan } from './hunt.ts';

const [spec] = demoEngines;
assert.ok(spec !== undefined);

function stateOf(streams: number, silent: number): SimState {
  return {
    simulated: true,
    as: 'ollama',
    name: 'sim-big',
    models: [],
    profile: 'a100-7b',
    speed: 1,
    uptime_ms: 1,
    running: streams,
    waiting: 0,
    without_first_byte: silent,
    streams_running: streams,
    requests_total: 0,
    requests_finished: 0,
    requests_refused: 0,
    requests_faulted: 0,
    aborted_total: 0,
    streams: { started: 0, finished: 0, aborted: 0, cut: 0 },
    kv_used_tokens: 0,
    kv_total_tokens: 0,
    prefix_queried_tokens: 0,
    prefix_hit_tokens: 0,
    prompt_tokens_total: 0,
    generated_tokens_total: 0,
    faults: [],
  };
}

/** What a look takes on the clock of these tests, ms. */
const lookTakesMs = 1;

/** An engine that answers one state after the other, the last one for ever. Only its looks take time. */
function hunted(states: readonly SimState[]) {
  assert.ok(spec !== undefined);
  let asked = 0;
  let kills = 0;
  let clockMs = 0;
  const engine: Engine = {
    spec,
    url: 'http://127.0.0.1:1',
    state: async () => {
      clockMs += lookTakesMs;
      return states[Math.min(asked++, states.length - 1)] ?? stateOf(0, 0);
    },
    child: {
      name: spec.name,
      pid: 1,
      exited: new Promise(() => {}),
      isRunning: () => kills === 0,
      tail: () => '',
      says: () => Promise.reject(new Error('not asked')),
      kill: () => {
        kills++;
      },
    },
  };
  return { engine, kills: () => kills, nowMs: () => clockMs };
}

function options(target: ReturnType<typeof hunted>, more: Partial<HuntOptions>): HuntOptions {
  return {
    engine: target.engine,
    plan: { fromMs: 0, addFromMs: 60_000, untilMs: 60_000 },
    nowMs: target.nowMs,
    clientStreams: () => [4, 5, 6],
    add: () => assert.fail('nothing was to be added'),
    signal: new AbortController().signal,
    ...more,
  };
}

test('it waits through moments that do not do and kills at the first that does', async () => {
  const target = hunted([stateOf(3, 1), stateOf(4, 4), stateOf(2, 8), stateOf(3, 5)]);
  const kill = await huntAndKill(options(target, {}));
  assert.equal(target.kills(), 1);
  assert.deepEqual([kill.engineStreams, kill.engineSilent, kill.addedRequests], [3, 5, 0]);
  assert.deepEqual(kill.clientStreams, [4, 5, 6]);
});

test('requests are added once their time has come, and counted', async () => {
  const target = hunted([stateOf(0, 0)]);
  const plan = { fromMs: 0, addFromMs: 0, untilMs: 60_000 };
  let added = 0;
  const add = (count: number): void => {
    added += count;
    target.engine.state = async () => stateOf(3, 3);
  };
  const kill = await huntAndKill(options(target, { plan, add }));
  assert.ok(added > 0);
  assert.equal(kill.addedRequests, added);
});

test('without the moment nothing is killed, and the failure says what was seen', async () => {
  const target = hunted([stateOf(2, 1)]);
  const plan = { fromMs: 0, addFromMs: 60_000, untilMs: 3 };
  await assert.rejects(
    huntAndKill(options(target, { plan })),
    /no engine was killed.*at last 2 streams of 3/,
  );
  assert.equal(target.kills(), 0);
});

test('the hunt begins early in a long load and leaves a short one time to add', () => {
  assert.deepEqual(huntPlan(45_000), { fromMs: 9000, addFromMs: 22_500, untilMs: 37_500 });
  assert.deepEqual(huntPlan(3_600_000), { fromMs: 10_000, addFromMs: 25_000, untilMs: 40_000 });
  assert.deepEqual(huntPlan(1000), { fromMs: 200, addFromMs: 500, untilMs: 15_500 });
});
