// Goal: the engine loses no request, and its timing answers to load, cache and memory as a real
// batching engine does. Method: drive it from deadline to deadline, on cases small enough to see
// through and on sampled histories of arrivals and aborts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { engineProfiles } from './constants.ts';
import { type EngineEffect, EngineModel, type EngineSettings } from './engine-model.ts';

const settings: EngineSettings = {
  profile: engineProfiles['a100-7b'],
  maxRunning: 8,
  maxWaiting: 1000,
  kvTokens: 16_000,
  contextTokens: 4096,
};

function request(id: number, promptTokens: number, outputTokens: number, prefix = id) {
  const promptBlocks = Array.from(
    { length: Math.floor(promptTokens / 16) },
    (_, block) => prefix * 1000 + block,
  );
  return { id, promptTokens, promptBlocks, outputTokens, slowness: 1 };
}

/** Runs until nothing is due; returns everything that happened. */
function drain(engine: EngineModel): EngineEffect[] {
  const effects: EngineEffect[] = [];
  for (;;) {
    const deadline = engine.nextDeadlineUs();
    if (deadline === undefined) return effects;
    effects.push(...engine.advance(deadline));
  }
}

function submit(engine: EngineModel, spec: ReturnType<typeof request>, nowUs: number) {
  const result = engine.submit(spec, nowUs);
  assert.ok(result.ok);
  return result.value;
}

function timeOf(effects: readonly EngineEffect[], kind: EngineEffect['kind'], id: number): number {
  const found = effects.find((effect) => effect.kind === kind && effect.id === id);
  assert.ok(found, `${kind} of ${id}`);
  return found.atUs;
}

test('a lone request takes its prompt once and then one step a token', () => {
  const engine = new EngineModel(settings);
  submit(engine, request(1, 1024, 3), 0);
  const effects = drain(engine);
  const tokens = effects.filter((effect) => effect.kind === 'TokenProduced');
  assert.equal(tokens.length, 3);
  // 68,514 us for 1024 tokens in the profile, and attention among 1024 x 1025 / 2 pairs.
  assert.equal(tokens[0]?.atUs, 68_514 + Math.round((524_800 * 2572) / 1e6));
  const step = (tokens[1]?.atUs ?? 0) - (tokens[0]?.atUs ?? 0);
  assert.ok(step > 9085 && step < 9700, `a decode step took ${step} us`);
  assert.equal(timeOf(effects, 'Finished', 1), tokens[2]?.atUs);
});

test('a prompt that was seen before is prefilled faster, and the cache says so', () => {
  const engine = new EngineModel(settings);
  submit(engine, request(1, 2000, 1, 7), 0);
  const firstUs = timeOf(drain(engine), 'TokenProduced', 1);
  const admitted = submit(engine, request(2, 2000, 1, 7), firstUs);
  const secondUs = timeOf(drain(engine), 'TokenProduced', 2) - firstUs;
  assert.deepEqual(admitted, [{ kind: 'Admitted', id: 2, cachedTokens: 1984, atUs: firstUs }]);
  assert.ok(secondUs * 5 < firstUs, `${secondUs} us against ${firstUs} us`);
  assert.equal(engine.stats().prefixHitTokens, 1984);
});

test('two requests with one prompt at the same time do not find each other half computed', () => {
  const engine = new EngineModel(settings);
  submit(engine, request(9, 16, 1), 0); // Its step lets the two be admitted together.
  submit(engine, request(1, 512, 2, 7), 0);
  submit(engine, request(2, 512, 2, 7), 0);
  drain(engine);
  assert.equal(engine.stats().prefixHitTokens, 0);
  assert.equal(engine.stats().kvUsedTokens, 0);
});

test('a decode step takes longer the more requests run', () => {
  const gapUs = (running: number): number => {
    const engine = new EngineModel({ ...settings, maxRunning: 256, kvTokens: 120_000 });
    for (let id = 1; id <= running; id++) submit(engine, request(id, 16, 400), 0);
    const tokens = drain(engine).filter(
      (effect) => effect.kind === 'TokenProduced' && effect.id === 1,
    );
    return (tokens[300]?.atUs ?? 0) - (tokens[299]?.atUs ?? 0);
  };
  const gaps = [1, 16, 64, 128, 256].map(gapUs);
  for (let i = 1; i < gaps.length; i++) assert.ok((gaps[i] ?? 0) > (gaps[i - 1] ?? 0), `${gaps}`);
});

test('a request that finds no free slot waits for one', () => {
  const engine = new EngineModel({ ...settings, maxRunning: 1 });
  submit(engine, request(1, 16, 5), 0);
  submit(engine, request(2, 16, 5), 0);
  assert.deepEqual([engine.stats().running, engine.stats().waiting], [1, 1]);
  const effects = drain(engine);
  assert.equal(timeOf(effects, 'Admitted', 2), timeOf(effects, 'Finished', 1));
});

test('a request that finds no room in the KV cache waits, and those behind it wait too', () => {
  const engine = new EngineModel({ ...settings, kvTokens: 1600 });
  submit(engine, request(1, 1000, 100), 0);
  submit(engine, request(2, 1000, 100), 0);
  submit(engine, request(3, 16, 1), 0);
  engine.advance(1);
  assert.deepEqual([engine.stats().running, engine.stats().waiting], [1, 2]);
  const effects = drain(engine);
  assert.equal(timeOf(effects, 'Admitted', 2), timeOf(effects, 'Finished', 1));
  assert.equal(timeOf(effects, 'Admitted', 3), timeOf(effects, 'Admitted', 2));
});

test('an abort frees slot and cache at once for the next step', () => {
  const engine = new EngineModel({ ...settings, maxRunning: 1 });
  submit(engine, request(1, 2000, 100), 0);
  submit(engine, request(2, 16, 1), 0);
  engine.advance(50_000);
  assert.equal(engine.abort(1, 50_000), true);
  assert.deepEqual([engine.stats().running, engine.stats().kvUsedTokens], [0, 0]);
  const effects = drain(engine);
  assert.ok(!effects.some((effect) => effect.id === 1));
  assert.equal(engine.stats().finishedTotal, 1);
  assert.equal(engine.abort(1, 10_000_000), false);
});

test('what cannot fit or may not wait is refused with its reason', () => {
  const engine = new EngineModel({ ...settings, maxRunning: 1, maxWaiting: 1 });
  assert.deepEqual(engine.submit(request(1, 4000, 97), 0), { ok: false, error: 'too_long' });
  submit(engine, request(2, 16, 5), 0);
  submit(engine, request(3, 16, 5), 0);
  assert.deepEqual(engine.submit(request(4, 16, 5), 0), { ok: false, error: 'queue_full' });
  assert.equal(engine.stats().refusedTotal, 2);
});

test('a slow request slows every batch that it is in, and no other', () => {
  const gap = (slowness: number): number => {
    const engine = new EngineModel(settings);
    submit(engine, { ...request(1, 16, 3), slowness }, 0);
    return timeOf(drain(engine), 'Finished', 1);
  };
  assert.equal(gap(10), 10 * gap(1));
});

test('a request without output ends with its prompt', () => {
  const engine = new EngineModel(settings);
  submit(engine, request(1, 100, 0), 0);
  assert.deepEqual(
    drain(engine).map((effect) => effect.kind),
    ['Finished'],
  );
});

type Arrival = { gapUs: number; prompt: number; output: number; prefix: number; abort: boolean };

const arrival: fc.Arbitrary<Arrival> = fc.record({
  gapUs: fc.integer({ min: 0, max: 200_000 }),
  prompt: fc.integer({ min: 1, max: 3000 }),
  output: fc.integer({ min: 0, max: 60 }),
  prefix: fc.integer({ min: 0, max: 3 }),
  abort: fc.boolean(),
});

function play(arrivals: readonly Arrival[]): { effects: EngineEffect[]; engine: EngineModel } {
  const engine = new EngineModel({ ...settings, maxRunning: 3, maxWaiting: 4, kvTokens: 6400 });
  const effects: EngineEffect[] = [];
  let nowUs = 0;
  arrivals.forEach((next, index) => {
    nowUs += next.gapUs;
    effects.push(...engine.advance(nowUs));
    const result = engine.submit(request(index, next.prompt, next.output, next.prefix), nowUs);
    if (result.ok) effects.push(...result.value);
    if (next.abort) engine.abort(Math.floor(index / 2), nowUs);
  });
  effects.push(...drain(engine));
  return { effects, engine };
}

test('every request ends exactly once, with all its tokens, and the cache is empty then', () => {
  fc.assert(
    fc.property(fc.array(arrival, { maxLength: 60 }), (arrivals) => {
      const { effects, engine } = play(arrivals);
      const stats = engine.stats();
      assert.equal(stats.submittedTotal, stats.finishedTotal + stats.abortedTotal);
      assert.equal(stats.submittedTotal + stats.refusedTotal, arrivals.length);
      assert.deepEqual([stats.running, stats.waiting, stats.kvUsedTokens], [0, 0, 0]);
      const finished = effects.filter((effect) => effect.kind === 'Finished');
      assert.equal(new Set(finished.map((effect) => effect.id)).size, finished.length);
      for (const { id } of finished) {
        const tokens = effects.filter((e) => e.kind === 'TokenProduced' && e.id === id);
        assert.equal(tokens.length, arrivals[id]?.output);
      }
      for (let i = 1; i < effects.length; i++) {
        assert.ok((effects[i]?.atUs ?? 0) >= (effects[i - 1]?.atUs ?? 0), 'I4');
      }
    }),
    { seed: 20261121, numRuns: 300 },
  );
});

test('the same events give the same effects', () => {
  fc.assert(
    fc.property(fc.array(arrival, { maxLength: 40 }), (arrivals) => {
      assert.deepEqual(play(arrivals).effects, play(arrivals).effects);
    }),
    { seed: 20261121, numRuns: 50 },
  );
});

test('one late call gives what many timely calls give', () => {
  const timely = new EngineModel(settings);
  const late = new EngineModel(settings);
  for (let id = 1; id <= 12; id++) {
    submit(timely, request(id, 100 * id, 20), 0);
    submit(late, request(id, 100 * id, 20), 0);
  }
  assert.deepEqual(late.advance(60_000_000), drain(timely));
});
