// Goal: RP1 to RP7 hold for the ladder as a whole, whatever the ticks. Method: random rows of ticks,
// grave and calm ones mixed, played as in the product; invariants looked at after every tick.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import type { Json } from '../../base/canonical.ts';
import { effectiveCooldown } from './cooldown.ts';
import { answered, Player, type Said, start, tickMs } from './ladder.test-support.ts';
import type { LadderState } from './ladder-state.ts';
import { admits } from './mode-gates.ts';
import { evaluateAgain, modeRecord } from './mode-record.ts';
import { OutcomeCounts } from './outcome-counts.ts';
import { mayDeescalate, modeIndex, modes, modeWeight } from './serving-mode.ts';

const said: fc.Arbitrary<Said> = fc.oneof(
  { arbitrary: fc.constant(answered(50)), weight: 6 },
  { arbitrary: fc.constant(answered(50, 40)), weight: 4 },
  { arbitrary: fc.constant<Said>({}), weight: 2 },
  {
    arbitrary: fc
      .record({
        outcomes: fc.record({
          requests: fc.integer({ min: 0, max: 200 }),
          failures: fc.integer({ min: 0, max: 60 }),
          slow: fc.integer({ min: 0, max: 60 }),
        }),
        probes: fc.record({
          good: fc.integer({ min: 0, max: 3 }),
          failed: fc.integer({ min: 0, max: 3 }),
        }),
        trips: fc.array(fc.constantFrom('box-1', 'box-2'), { maxLength: 1 }),
        routable: fc.integer({ min: 0, max: 3 }),
        databaseThere: fc.boolean(),
      })
      .map(({ routable, ...rest }) => {
        const { failures, slow } = rest.outcomes;
        const requests = rest.outcomes.requests + failures + slow;
        const outcomes = { requests, failures, slow };
        return { ...rest, outcomes, backends: { known: 3, routable } };
      }),
    weight: 2,
  },
);
/** Rows in which the same tick comes several times, so that streaks become long enough. */
const row = fc
  .array(fc.tuple(said, fc.integer({ min: 1, max: 14 })), { maxLength: 12 })
  .map((runs) => runs.flatMap(([one, count]) => Array.from({ length: count }, () => one)));

/**
 * The longest row is 28 minutes, and one property adds 17: with counts for three days, nearly all of
 * them empty, reading the windows would be most of what these properties cost.
 */
const minutesPlayedMax = 60;

/** Plays the row and looks at the state before and after each tick. */
function watchAll(
  ticks: readonly Said[],
  look: (before: LadderState, player: Player, said: Said) => void,
): Player {
  const minutes = new OutcomeCounts(minutesPlayedMax);
  const player = new Player({ holdMs: 30_000, minCooldownMs: 20_000 }, undefined, minutes);
  for (const one of ticks) {
    const before = player.state;
    player.play(one);
    look(before, player, one);
  }
  return player;
}

describe('policy', () => {
  holds(
    'RP1: one step at a time, never around an end, and one effect for each real change',
    fc.property(row, (ticks) => {
      const player = watchAll(ticks, (before, { state, moves }) => {
        const step = (modeIndex(state.mode) ?? 9) - (modeIndex(before.mode) ?? 9);
        assert.ok(Math.abs(step) <= 1);
        const told = moves.filter(({ tick }) => tick * tickMs + start === state.since);
        if (step !== 0) assert.deepEqual(told.length, 1);
      });
      let at = 'normal';
      for (const { from, to } of player.moves) {
        assert.equal(from, at);
        at = to;
      }
      assert.equal(at, player.state.mode);
    }),
  );

  holds(
    'RP2: what the mode reached refuses, every stricter one refuses too',
    fc.property(row, fc.constantFrom(1, 2, 3, 4, 5), (ticks, priorityClass) => {
      const { mode } = watchAll(ticks, () => {}).state;
      for (const stricter of modes().filter((each) => modeWeight(each) >= modeWeight(mode))) {
        if (!admits(mode, priorityClass)) assert.equal(admits(stricter, priorityClass), false);
      }
    }),
  );

  holds(
    'RP3: between a change and the next escalation lies the whole cooldown, and suppressions count',
    fc.property(row, (ticks) => {
      const player = watchAll(ticks, (before, { state, effects }) => {
        assert.ok(state.suppressed - before.suppressed <= 1);
        if (before.suppressed === 0 && state.suppressed === 1) {
          assert.equal(effects.at(-1)?.kind, 'mode_escalation_suppressed');
        }
      });
      for (const [index, { tick, from }] of player.moves.entries()) {
        const earlier = player.moves[index - 1];
        const isUp = (modeIndex(player.moves[index]?.to ?? '') ?? 0) > (modeIndex(from) ?? 0);
        if (earlier === undefined || !isUp) continue;
        assert.ok((tick - earlier.tick) * tickMs >= effectiveCooldown(from, 20_000));
      }
    }),
  );

  holds(
    'RP4: after a change the run that would undo it starts anew',
    fc.property(row, (ticks) => {
      watchAll(ticks, (before, { state }) => {
        const weight = modeWeight(state.mode) - modeWeight(before.mode);
        if (weight > 0) assert.equal(state.runs.successStreak, 0);
        if (weight >= 0) return;
        assert.equal(state.runs.failureBurst, 0);
        // The tick that stepped down was good itself, so the streak it stood on is one longer.
        assert.ok(mayDeescalate(before.runs.successStreak + 1, before.mode));
      });
    }),
  );

  holds(
    'RP5: no backend left and a request failing escalates in that very tick',
    fc.property(row, (ticks) => {
      const player = watchAll(ticks, () => {});
      const { lastChange, mode } = player.state;
      if (lastChange !== null) player.repeat(100, {});
      player.play({ ...answered(1, 1), backends: { known: 3, routable: 0 } });
      const expected = mode === 'halted' ? [] : [player.ticks - 1];
      assert.deepEqual(
        player.moves.filter(({ tick }) => tick === player.ticks - 1).map(({ tick }) => tick),
        expected,
      );
    }),
  );

  holds(
    'a tick without a bad outcome and without a trip never escalates, an empty one changes nothing',
    fc.property(row, (ticks) => {
      watchAll(ticks, (before, { state }, { outcomes, trips, probes }) => {
        const bad = (outcomes?.failures ?? 0) + (outcomes?.slow ?? 0);
        if (bad > 0 || (trips ?? []).length > 0) return;
        assert.ok(modeWeight(state.mode) <= modeWeight(before.mode));
        if ((outcomes?.requests ?? 0) > 0 || probes !== undefined) return;
        assert.deepEqual({ ...state, noDataSince: null }, { ...before, noDataSince: null });
      });
    }),
  );

  holds(
    'RP7: every evaluation made again from its record, through JSON, gives the same',
    fc.property(row, (ticks) => {
      const player = new Player();
      const first = new Player();
      for (const one of ticks) {
        const state = player.state;
        const effects = player.play(one);
        const tick = player.lastTick;
        const record = modeRecord(
          { settings: player.settings, state, tick },
          { state: player.state, effects },
        );
        const kept: { readonly input: Json; readonly output: Json } = JSON.parse(
          JSON.stringify(record),
        );
        const again = evaluateAgain(kept.input);
        assert.ok(again.ok);
        assert.deepEqual(JSON.parse(JSON.stringify(again.value)), kept.output);
        first.play(one);
      }
      assert.deepEqual(first.moves, player.moves);
    }),
    { runs: 200 },
  );
});
