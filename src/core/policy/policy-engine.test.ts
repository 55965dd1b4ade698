// Goal: the engine keeps an exact story and never skips a mode (RP1), a burst cannot make it swing
// (RP3, RP4), and the same events give the same story (RP7). Method: calls by hand, then random
// ticks through engine, cooldown and runs together, as whoever owns the mode will put them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { effectiveCooldown, judgeEscalation } from './cooldown.ts';
import { type ModeChange, PolicyEngine } from './policy-engine.ts';
import { burstThreshold, deescalate, mayDeescalate, modeIndex } from './serving-mode.ts';
import {
  countTick,
  noRuns,
  runsAfterDeescalation,
  runsAfterEscalation,
  type TickRuns,
  type TickVerdict,
} from './tick-runs.ts';

/** A tick, and whether risk stands above its threshold, which counts as a burst of 2. */
type Tick = { readonly verdict: TickVerdict; readonly highRisk: boolean };

type Story = {
  readonly history: readonly ModeChange[];
  /** The tick of each change. */
  readonly changedAt: readonly number[];
  readonly suppressed: number;
};

const minCooldown = 3;

function play(ticks: readonly Tick[]): Story {
  const engine = new PolicyEngine();
  const changedAt: number[] = [];
  let runs: TickRuns = noRuns;
  let lastEscalation = Number.NEGATIVE_INFINITY;
  let suppressed = 0;
  for (const [now, { verdict, highRisk }] of ticks.entries()) {
    runs = countTick(runs, verdict);
    const burst = highRisk ? Math.max(runs.failureBurst, burstThreshold) : runs.failureBurst;
    const cooldown = effectiveCooldown(engine.current, minCooldown);
    const judged = judgeEscalation(engine.current, burst, lastEscalation, now, cooldown);
    if (judged.kind === 'suppressed') suppressed += 1;
    if (judged.kind === 'escalated') {
      assert.equal(engine.escalate(burst), judged.to);
      runs = runsAfterEscalation(runs);
      lastEscalation = now;
      changedAt.push(now);
    } else if (verdict === 'good' && mayDeescalate(runs.successStreak, engine.current)) {
      engine.deescalate();
      runs = runsAfterDeescalation(runs);
      changedAt.push(now);
    }
  }
  return { history: engine.history(), changedAt, suppressed };
}

const tick = fc.record({
  verdict: fc.oneof(
    { arbitrary: fc.constant<TickVerdict>('good'), weight: 6 },
    { arbitrary: fc.constantFrom<TickVerdict>('bad', 'empty'), weight: 4 },
  ),
  highRisk: fc.integer({ min: 0, max: 19 }).map((draw) => draw === 0),
});
const ticks = fc.array(tick, { maxLength: 120 });

describe('policy', () => {
  test('the engine starts normal, and only a real change is told, with its reason', () => {
    const engine = new PolicyEngine();
    assert.equal(engine.current, 'normal');
    assert.equal(engine.deescalate(), 'normal');
    assert.equal(engine.escalate(1), 'normal');
    assert.deepEqual(engine.history(), []);
    assert.equal(engine.escalate(2), 'watch');
    assert.equal(engine.escalate(5), 'restricted');
    assert.equal(engine.escalate(3), 'halted');
    assert.equal(engine.escalate(9), 'halted');
    assert.equal(engine.deescalate(), 'restricted');
    assert.equal(engine.current, 'restricted');
    assert.deepEqual(engine.history(), [
      { from: 'normal', to: 'watch', reason: 'escalation: 2 failures' },
      { from: 'watch', to: 'restricted', reason: 'escalation: 5 failures' },
      { from: 'restricted', to: 'halted', reason: 'escalation: 3 failures' },
      { from: 'halted', to: 'restricted', reason: 'deescalation: conditions improved' },
    ]);
  });

  test('a reset returns to normal and clears the history', () => {
    const engine = new PolicyEngine();
    engine.escalate(2);
    engine.reset();
    assert.equal(engine.current, 'normal');
    assert.deepEqual(engine.history(), []);
    assert.equal(engine.escalate(2), 'watch');
  });

  test('a history handed out is a copy', () => {
    const engine = new PolicyEngine();
    engine.escalate(2);
    const handedOut = engine.history();
    engine.escalate(2);
    assert.equal(handedOut.length, 1);
    assert.ok(Object.isFrozen(handedOut[0]));
  });

  test('runs count ticks in a row, and an empty tick changes nothing', () => {
    const verdicts: readonly TickVerdict[] = ['bad', 'empty', 'bad', 'good', 'empty', 'good'];
    const seen: TickRuns[] = [];
    let runs = noRuns;
    for (const verdict of verdicts) {
      runs = countTick(runs, verdict);
      seen.push(runs);
    }
    assert.deepEqual(
      seen.map(({ failureBurst, successStreak }) => [failureBurst, successStreak]),
      [
        [1, 0],
        [1, 0],
        [2, 0],
        [0, 1],
        [0, 1],
        [0, 2],
      ],
    );
  });

  test('a change restarts the run that would undo it (RP4)', () => {
    const runs = { failureBurst: 3, successStreak: 8 };
    assert.deepEqual(runsAfterEscalation(runs), { failureBurst: 3, successStreak: 0 });
    assert.deepEqual(runsAfterDeescalation(runs), { failureBurst: 0, successStreak: 8 });
  });

  test('a lasting burst escalates once per cooldown, and the rest is told as suppressed', () => {
    const bad: Tick = { verdict: 'bad', highRisk: false };
    const story = play(Array.from({ length: 21 }, () => bad));
    // Burst 2 at tick 1; then 3 x 2 ticks of rest in watch, and 3 x 4 in restricted.
    assert.deepEqual(story.changedAt, [1, 7, 19]);
    assert.equal(story.suppressed, 5 + 11);
  });

  holds(
    'the mode moves one step at a time along its history and never wraps (RP1)',
    fc.property(ticks, (events) => {
      let at: string = 'normal';
      for (const { from, to } of play(events).history) {
        assert.equal(from, at);
        assert.equal(Math.abs((modeIndex(to) ?? 9) - (modeIndex(from) ?? 9)), 1);
        at = to;
      }
    }),
  );

  holds(
    'between two opposite changes lies a whole run, so a burst cannot swing (RP4)',
    fc.property(ticks, (events) => {
      const { history, changedAt } = play(events);
      for (const [index, { from, to }] of history.entries()) {
        const previous = history[index - 1];
        if (previous === undefined || previous.from !== to) continue;
        const between = events.slice((changedAt[index - 1] ?? 0) + 1, (changedAt[index] ?? 0) + 1);
        const count = (verdict: TickVerdict): number =>
          between.filter((event) => event.verdict === verdict).length;
        const escalated = (modeIndex(to) ?? 0) > (modeIndex(from) ?? 0);
        if (!escalated) assert.ok(mayDeescalate(count('good'), from), `${from} left too early`);
        else assert.ok(count('bad') >= burstThreshold || between.at(-1)?.highRisk === true);
      }
    }),
  );

  holds(
    'stepping down is never held up by the cooldown (RP3)',
    fc.property(ticks, (events) => {
      const calm: Tick = { verdict: 'good', highRisk: false };
      const { history } = play(events);
      const mode = history.at(-1)?.to ?? 'normal';
      const later = play([...events, ...Array.from({ length: 10 }, () => calm)]).history;
      const next = later[history.length];
      assert.equal(next?.from, mode === 'normal' ? undefined : mode);
      assert.equal(next?.to, mode === 'normal' ? undefined : deescalate(mode));
    }),
  );

  holds(
    'the same events give the same history (RP7)',
    fc.property(ticks, (events) => assert.deepEqual(play(events), play(structuredClone(events)))),
  );
});
