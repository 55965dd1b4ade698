// Goal: one transition for each true change and no flap, over square waves, noise right at the limit,
// and 24 hours of real arrivals; a burn at 14.4 times moves the mode within two evaluations.
// Method: outcomes drawn from a seed, burn rates read from the same outcomes. The arrivals are those
// of the Azure conversation trace (TENSORFORGE_TRACES, else ../shared/data), told where it is absent.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type Random, seededRandom } from '../../base/random.ts';
import { requests } from '../workload/requests.ts';
import { answered, Player, tickMs } from './ladder.test-support.ts';
import { modeIndex } from './serving-mode.ts';

const dayTicks = 8640;

/** How many of `requests` fail when each does with this probability. */
function failuresOf(random: Random, requests: number, probability: number): number {
  let failures = 0;
  for (let index = 0; index < requests; index++) {
    if (random.nextUnit() < probability) failures += 1;
  }
  return failures;
}

/** Moves up that follow a move down, or the other way round. */
/** Milliseconds at which requests of the Azure conversation trace came, or some drawn like them. */
function arrivalTimes(context: TestContext): readonly number[] {
  const folder = process.env['TENSORFORGE_TRACES'] ?? '../shared/data';
  const file = join(folder, 'azure-llm-2023/AzureLLMInferenceTrace_conv.dev.csv.gz');
  if (!existsSync(file)) {
    context.diagnostic('generated arrivals: the Azure conversation trace is not at hand');
    return requests(20_261_121, { ratePerSecond: 5.92, durationS: 2180 }).map(({ atMs }) => atMs);
  }
  const lines = gunzipSync(readFileSync(file)).toString('utf8').trim().split(/\r?\n/).slice(1);
  return lines.map((line) => Date.parse(`${line.slice(0, 23).replace(' ', 'T')}Z`));
}

function reversals(player: Player): number {
  const ups = player.moves.map(({ from, to }) => (modeIndex(to) ?? 0) > (modeIndex(from) ?? 0));
  return ups.filter((isUp, index) => index > 0 && isUp !== ups[index - 1]).length;
}

describe('policy', () => {
  test('a square wave moves the mode once up and once down for each of its periods', () => {
    // Two minutes of failures, then an hour and eight minutes of calm, twelve times.
    const player = new Player();
    player.repeat(360, answered(100));
    for (let period = 0; period < 12; period++) {
      player.repeat(12, answered(100, 30)).repeat(408, answered(100));
    }
    const names = player.moves.map(({ from, to }) => `${from} ${to}`);
    assert.deepEqual(
      names,
      Array.from({ length: 12 }, () => ['normal watch', 'watch normal']).flat(),
    );
    for (const [index, { tick }] of player.moves.entries()) {
      const began = 360 + Math.floor(index / 2) * 420;
      if (index % 2 === 0) assert.ok(tick - began < 2, `up at tick ${tick}`);
    }
  });

  test('a square wave as quick as two ticks costs one move, not one for each edge', () => {
    const player = new Player();
    for (let edge = 0; edge < 500; edge++) {
      player.repeat(2, answered(100, edge % 2 === 0 ? 8 : 0));
    }
    assert.ok(player.moves.length <= 1, JSON.stringify(player.moves));
  });

  for (const requests of [20, 100, 400]) {
    test(`a day of noise right at the limit costs at most one move, ${requests} per tick`, () => {
      for (const seed of [1, 2, 3, 4]) {
        const random = seededRandom(seed);
        // An objective of one half, so that this is the limit of the ladder and not that of the SLO.
        const slo = { objective: 0.5, minRequests: 50, minBad: 10 };
        const player = new Player({ slo });
        for (let tick = 0; tick < dayTicks / 4; tick++) {
          player.play(answered(requests, failuresOf(random, requests, 0.05)));
        }
        assert.ok(player.moves.length <= 1, `seed ${seed}: ${JSON.stringify(player.moves)}`);
      }
    });
  }

  test('a burn of 14.4 times and more escalates within two evaluations, at any objective', () => {
    for (const objective of [0.99, 0.999]) {
      const player = new Player({ slo: { objective, minRequests: 50, minBad: 10 } });
      const random = seededRandom(7);
      player.repeat(6 * 75, answered(1000));
      let firing = 0;
      while (player.state.mode === 'normal') {
        player.play(answered(1000, failuresOf(random, 1000, (1 - objective) * 20)));
        if (player.lastTick.burn[0]?.firing === true) firing += 1;
        assert.ok(firing <= 2, `${firing} evaluations with the fast pair firing`);
        assert.ok(player.ticks < 2000);
      }
    }
  });

  test('an old incident in the long windows never moves a calm fleet', () => {
    const player = new Player().repeat(6 * 60, answered(100));
    player.repeat(6 * 30, answered(100, 50));
    const before = player.moves.length;
    player.repeat(6 * 60 * 8, answered(100, 1));
    const later = player.moves.slice(before);
    assert.ok(later.every(({ from, to }) => (modeIndex(to) ?? 0) < (modeIndex(from) ?? 0)));
    assert.equal(player.state.mode, 'normal');
  });

  test('24 hours of real arrivals: no move in calm, one up and one down per incident', (context) => {
    const times = arrivalTimes(context);
    const perTick: number[] = [];
    for (const at of times) {
      const tick = Math.floor((at - (times[0] ?? 0)) / tickMs);
      perTick[tick] = (perTick[tick] ?? 0) + 1;
    }
    const incidents = [1500, 4000, 7000];
    const random = seededRandom(20_261_121);
    const player = new Player();
    const calm = new Player();
    for (let tick = 0; tick < dayTicks; tick++) {
      const requests = perTick[tick % perTick.length] ?? 0;
      const isIncident = incidents.some((began) => tick >= began && tick < began + 12);
      const usual = failuresOf(random, requests, 0.002);
      calm.play(answered(requests, usual));
      player.play(answered(requests, isIncident ? failuresOf(random, requests, 0.5) : usual));
    }
    assert.deepEqual(calm.moves, []);
    assert.deepEqual(
      player.moves.map(({ to }) => to),
      incidents.flatMap(() => ['watch', 'normal']),
    );
    assert.equal(reversals(player), 2 * incidents.length - 1, 'each reversal is a true change');
    for (const [index, began] of incidents.entries()) {
      assert.ok((player.moves[2 * index]?.tick ?? 0) <= began + 2);
    }
  });
});
