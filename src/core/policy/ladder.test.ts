// Goal: each rule by which the ladder moves, at its border: what makes a tick bad, bursts and alarms,
// cooldown, hold time, recovery, grace, missing data, halted with probes, pins.
// Method: rows of ticks by hand, ten seconds apart.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { minuteOf } from './burn-rate.ts';
import { answered, Player, settings, start, tickMs, tickWith } from './ladder.test-support.ts';
import { stepLadder } from './ladder.ts';
import { initialLadder, isPinOver, type LadderState, modeInForce } from './ladder-state.ts';
import type { ServingMode } from './serving-mode.ts';
import { riskOf } from './tick-evidence.ts';

/** Counting alone: burn rates have tests of their own. */
const noBurn = { slo: { ...settings.slo, minRequests: 1e9 } };
const calm = answered(100);
const failing = answered(100, 50);

/** A player in this mode since long, with its cooldown over. */
function in_(mode: ServingMode, over: Partial<LadderState> = {}): Player {
  const long = start - 3_600_000;
  const state = { ...initialLadder(long, mode), lastChange: long, ...over };
  return new Player(noBurn, state);
}

describe('policy', () => {
  test('two bad ticks in a row escalate, and one does not', () => {
    const player = new Player(noBurn);
    player.repeat(3, calm).play(failing);
    player.play(calm);
    player.play(failing);
    assert.deepEqual(player.moves, []);
    const [escalated] = player.play(failing);
    assert.deepEqual(escalated, {
      kind: 'mode_escalated',
      from: 'normal',
      to: 'watch',
      reason: 'escalation: 2 failures',
      evidence: {
        cause: '50 of 100 requests failed or were late (50.0 %, limit 5 %)',
        burst: 2,
        streak: 0,
        risk: 0,
      },
    });
    assert.equal(player.state.since, start + 6 * tickMs);
  });

  test('a tick is bad from two failures on whose share is strictly above the limit', () => {
    const bursts = (...outcomes: readonly (readonly [number, number])[]) =>
      outcomes.map(([requests, failures]) => {
        const player = new Player(noBurn);
        player.play(answered(requests, failures));
        return player.state.runs.failureBurst;
      });
    assert.deepEqual(
      bursts([40, 2], [39, 2], [1, 1], [2, 2], [100, 5], [100, 6]),
      [0, 1, 0, 1, 0, 1],
    );
    const late = new Player(noBurn);
    late.play({ outcomes: { requests: 20, failures: 1, slow: 1 } });
    assert.equal(late.state.runs.failureBurst, 1, 'late answers are failures of the objective');
  });

  test('a tripped backend makes a tick bad, and names itself', () => {
    const player = new Player(noBurn);
    const trip = { ...calm, trips: ['box-2'], backends: { known: 3, routable: 2 } };
    player.repeat(2, trip);
    assert.equal(player.state.mode, 'watch');
    assert.equal(player.state.cause, 'backends went down: box-2');
  });

  test('no backend left is a burst at once, but only while something happens', () => {
    const none = { backends: { known: 3, routable: 0 } };
    const player = new Player(noBurn);
    player.repeat(50, none);
    assert.deepEqual(player.moves, [], 'an idle fleet that is down moves nothing');
    player.play({ ...none, ...answered(1, 1) });
    assert.deepEqual(player.moves, [{ tick: 50, from: 'normal', to: 'watch' }]);
    assert.equal(player.state.cause, 'no backend takes requests');
    const tripped = new Player(noBurn);
    tripped.play({ ...none, trips: ['box-1'] });
    assert.equal(tripped.state.mode, 'watch');
    const bare = new Player(noBurn);
    bare.play({ ...answered(1, 1), backends: { known: 0, routable: 0 } });
    assert.equal(bare.state.mode, 'normal', 'without backends there is nothing to lose');
  });

  test('risk strictly above its threshold is a burst at once, at it is not (RP6)', () => {
    const risky = (routable: number, short: number) =>
      tickWith({
        outcomes: { requests: 100, failures: 1, slow: 0 },
        backends: { known: 10, routable },
        burn: [
          {
            name: 'fast',
            factor: 14.4,
            longMinutes: 60,
            longBurn: 1,
            shortBurn: short,
            firing: false,
            moves: true,
          },
        ],
      });
    assert.equal(riskOf(risky(8, 14.4)), 0.6);
    const at = { ...settings, riskThreshold: riskOf(risky(8, 14.4)) };
    assert.deepEqual(stepLadder(at, initialLadder(start), risky(8, 14.4)).effects, []);
    const [effect] = stepLadder(at, initialLadder(start), risky(7, 20)).effects;
    assert.equal(effect?.kind, 'mode_escalated');
    assert.equal(effect?.evidence.cause, 'risk 0.65 is above 0.6');
  });

  test('availability is the product of gateway, database and fleet', () => {
    const risk = (gateway: number, databaseThere: boolean, routable: number) =>
      riskOf(tickWith({ gateway, databaseThere, backends: { known: 4, routable } }));
    assert.equal(risk(1, true, 4), 0);
    assert.equal(risk(1, true, 2), 0.25);
    assert.equal(risk(0.5, true, 2), 0.375);
    assert.equal(risk(1, false, 4), 0.5);
  });

  test('a lasting failure escalates once per cooldown, 60, 120 and 240 s', () => {
    const player = new Player(noBurn).repeat(60, failing);
    assert.deepEqual(
      player.moves.map(({ tick, to }) => [tick, to]),
      [
        [1, 'watch'],
        [13, 'restricted'],
        [37, 'halted'],
      ],
    );
  });

  test('an escalation inside the cooldown is told once, and counted (RP3)', () => {
    const player = new Player(noBurn).repeat(13, failing);
    const told = player.effects.filter(({ kind }) => kind === 'mode_escalation_suppressed');
    assert.deepEqual(told.length, 1);
    assert.ok(told[0]?.kind === 'mode_escalation_suppressed');
    assert.equal(told[0].cooldownLeftMs, 110_000);
    assert.equal(player.state.suppressed, 11);
    player.play(failing);
    assert.equal(player.state.mode, 'restricted');
    assert.equal(player.state.suppressed, 0);
  });

  test('past watch leads only a share that noise at the limit does not reach', () => {
    const slightly = in_('watch').repeat(60, answered(100, 6));
    assert.deepEqual(slightly.moves, []);
    assert.equal(slightly.effects.length, 0, 'nor is it told as suppressed');
    assert.equal(in_('watch').repeat(3, answered(100, 20)).state.mode, 'restricted');
    const gone = { ...answered(100, 6), backends: { known: 3, routable: 0 } };
    assert.equal(in_('watch').repeat(1, gone).state.mode, 'restricted', 'a grave alarm does');
  });

  test('5, 7 and 10 good ticks lead one step down each', () => {
    for (const [mode, needed] of [
      ['watch', 5],
      ['restricted', 7],
      ['halted', 10],
    ] as const) {
      const player = in_(mode).repeat(needed - 1, calm);
      assert.deepEqual(player.moves, [], mode);
      assert.equal(player.play(calm)[0]?.kind, 'mode_deescalated');
    }
  });

  test('no step down before the hold time is over', () => {
    const player = in_('watch', { since: start, lastChange: start });
    player.repeat(12, calm);
    assert.equal(player.state.mode, 'watch');
    player.play(calm);
    assert.deepEqual(player.moves, [{ tick: 12, from: 'watch', to: 'normal' }]);
  });

  test('a share at half of the limit is good enough to stay, not to recover', () => {
    const hovering = in_('watch').repeat(400, answered(100, 2));
    assert.equal(hovering.state.runs.successStreak, 400);
    assert.deepEqual(hovering.moves, []);
    hovering.repeat(20, answered(100, 0));
    assert.equal(hovering.state.mode, 'normal', 'what was long ago in the streak is forgotten');
  });

  test('no step down while a pair may fire again: half of its factor is the border', () => {
    const player = new Player({}, { ...initialLadder(start, 'watch'), lastChange: start });
    player.repeat(6 * 20, calm).repeat(6 * 4, failing);
    player.state = { ...initialLadder(start, 'watch'), lastChange: start };
    // 4 of 24 minutes were half bad: long 8.3x and more. The short window must come below 7.2x.
    let waited = 0;
    while (player.state.mode === 'watch') {
      player.play(calm);
      waited += 1;
      assert.ok(waited < 400, 'it comes back');
    }
    assert.ok(waited > 6 * 4, `${waited} ticks`);
  });

  test('a firing pair is a burst at once, through a tick that burns at its pace itself', () => {
    const player = new Player({ failureShare: 0.5 }).repeat(6 * 400, calm);
    // 14.4x over 61 minutes of 600 requests needs 5270 bad ones; a share of 20 % is no bad tick here.
    player.repeat(240, answered(100, 20));
    assert.deepEqual(player.moves, []);
    player.minutes.add(minuteOf(start) + 395, { total: 800, bad: 800 });
    player.play(answered(100, 14));
    assert.equal(player.lastTick.burn[0]?.firing, true);
    assert.deepEqual(player.moves, [], 'a tick at 14x does not burn at 14.4x');
    player.play(answered(1, 1));
    assert.deepEqual(player.moves, [], 'one bad outcome is none');
    player.repeat(1, answered(100, 20));
    assert.deepEqual(player.moves, [{ tick: player.ticks - 1, from: 'normal', to: 'watch' }]);
    assert.match(player.state.cause, /^budget burns 1[45]\.[0-9]x over 1 h$/);
    player.repeat(60, answered(100, 20));
    assert.equal(player.state.mode, 'watch', 'burn alone leads no further');
  });

  test('few outcomes are no recovery, but many ticks without a failure are', () => {
    const player = in_('watch').repeat(49, answered(1));
    assert.equal(player.state.mode, 'watch');
    player.play(answered(1));
    assert.equal(player.state.mode, 'normal');
    assert.deepEqual(in_('watch').repeat(12, answered(20)).moves, []);
    assert.equal(in_('watch').repeat(13, answered(20)).state.mode, 'normal');
    assert.deepEqual(in_('restricted').repeat(9, answered(1)).moves, []);
    assert.equal(in_('restricted').repeat(10, answered(1)).state.mode, 'watch');
  });

  test('one failure after the other in thin traffic is good by count, but no recovery', () => {
    const player = in_('restricted').repeat(60, answered(1, 1));
    assert.equal(player.state.runs.failureBurst, 0);
    assert.equal(player.state.mode, 'restricted');
  });

  test('in the grace period nothing escalates, nor does what was bad in it count later', () => {
    const player = new Player({ ...noBurn, graceMs: 60_000 });
    player.repeat(6, failing);
    assert.deepEqual(player.moves, []);
    assert.deepEqual(player.state.runs, { failureBurst: 0, successStreak: 0 });
    player.play(failing);
    assert.deepEqual(player.moves, []);
    player.play(failing);
    assert.deepEqual(player.moves, [{ tick: 7, from: 'normal', to: 'watch' }]);
  });

  test('without data the level is frozen, and since when is told', () => {
    const player = in_('restricted').repeat(2, calm);
    assert.equal(player.state.noDataSince, null);
    player.repeat(500, {});
    assert.equal(player.state.mode, 'restricted');
    assert.equal(player.state.noDataSince, start + 2 * tickMs);
    assert.equal(player.state.runs.successStreak, 2);
    player.play(calm);
    assert.equal(player.state.noDataSince, null);
    assert.equal(player.state.runs.successStreak, 3);
  });

  test('halted comes back by probes, which count in no other mode', () => {
    const probed = { probes: { good: 2, failed: 0 } };
    const halted = in_('halted').repeat(9, probed);
    assert.deepEqual(halted.moves, []);
    halted.play(probed);
    assert.deepEqual(halted.moves, [{ tick: 9, from: 'halted', to: 'restricted' }]);
    halted.repeat(50, probed);
    assert.equal(halted.state.mode, 'restricted');
    assert.equal(halted.state.noDataSince, start + 10 * tickMs);
  });

  test('a dead backend does not hold halted, and a dead fleet does', () => {
    const mixed = { probes: { good: 1, failed: 3 }, backends: { known: 4, routable: 1 } };
    assert.equal(in_('halted').repeat(10, mixed).state.mode, 'restricted');
    const dead = { probes: { good: 0, failed: 4 }, backends: { known: 4, routable: 0 } };
    const player = in_('halted').repeat(9, mixed).repeat(1, dead);
    assert.equal(player.state.runs.successStreak, 0);
    assert.equal(player.repeat(100, dead).state.mode, 'halted');
    const silent = { probes: { good: 0, failed: 2 }, backends: { known: 4, routable: 2 } };
    assert.equal(in_('halted').repeat(100, silent).state.mode, 'halted');
  });

  test('without the database nothing steps down, and escalations go on', () => {
    const away = { ...calm, databaseThere: false };
    const player = in_('watch').repeat(30, away);
    assert.equal(player.state.mode, 'watch');
    player.play(calm);
    assert.equal(player.state.mode, 'normal');
    assert.equal(in_('normal').repeat(2, { ...failing, databaseThere: false }).state.mode, 'watch');
  });

  test('a pin overrides the mode in force while the ladder goes on below it', () => {
    const pin = {
      mode: 'halted',
      by: 'user:ana',
      reason: 'move',
      since: start,
      until: null,
    } as const;
    const player = new Player(noBurn, { ...initialLadder(start), pin }).repeat(2, failing);
    assert.equal(modeInForce(player.state), 'halted');
    assert.equal(player.state.mode, 'watch');
    assert.equal(isPinOver(player.state, start + 1e12), false);
    const dated = { ...player.state, pin: { ...pin, until: start + 5 } };
    assert.deepEqual([isPinOver(dated, start + 4), isPinOver(dated, start + 5)], [false, true]);
  });

  test('a clock that was set back starts cooldown and hold anew instead of for ever', () => {
    const future = start + 86_400_000;
    const player = in_('watch', { since: future, lastChange: future });
    player.repeat(12, calm);
    assert.equal(player.state.mode, 'watch');
    assert.equal(player.state.since, start);
    player.play(calm);
    assert.equal(player.state.mode, 'normal');
  });
});
