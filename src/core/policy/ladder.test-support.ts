// For tests of the ladder: ticks with everything calm but what a test names, and a player that feeds
// a row of them, with burn rates read from the same outcomes as in the product.

import { burnMinutes, minuteOf, readBurn } from './burn-rate.ts';
import { type LadderEffect, stepLadder } from './ladder.ts';
import { type LadderSettings, ladderSettings } from './ladder-settings.ts';
import { initialLadder, type LadderState } from './ladder-state.ts';
import { OutcomeCounts } from './outcome-counts.ts';
import type { ServingMode } from './serving-mode.ts';
import type { LadderTick } from './tick-evidence.ts';

/** The settings of the product, without a grace period. */
export const settings: LadderSettings = ladderSettings({
  failurePercent: 5,
  cooldownSeconds: 60,
  holdSeconds: 120,
  riskPercent: 60,
  graceSeconds: 0,
  objective: 0.99,
  minRequests: 50,
  minBad: 10,
});

export const tickMs = 10_000;
export const start = 1_700_000_040_000;

/** A tick without any outcome on a whole fleet of three. */
export function tickWith(over: Partial<LadderTick> = {}): LadderTick {
  return {
    at: start,
    uptimeMs: 1,
    outcomes: { requests: 0, failures: 0, slow: 0 },
    probes: { good: 0, failed: 0 },
    trips: [],
    backends: { known: 3, routable: 3 },
    gateway: 1,
    databaseThere: true,
    burn: [],
    ...over,
  };
}

/** What a test says of one tick; the rest is calm. */
export type Said = Partial<Omit<LadderTick, 'at' | 'burn'>>;

export function answered(requests: number, failures = 0): Said {
  return { outcomes: { requests, failures, slow: 0 } };
}

export type Moved = {
  readonly tick: number;
  readonly from: ServingMode;
  readonly to: ServingMode;
};

/** Plays ticks at a distance of ten seconds, from the state of a fresh start. */
export class Player {
  state: LadderState;
  readonly settings: LadderSettings;
  readonly moves: Moved[] = [];
  readonly effects: LadderEffect[] = [];
  readonly minutes: OutcomeCounts;
  ticks = 0;
  /** The tick that was played last. */
  lastTick: LadderTick = tickWith();

  /** `minutes` may hold fewer than the longest window where all that is played is shorter. */
  constructor(
    over: Partial<LadderSettings> = {},
    state: LadderState = initialLadder(start),
    minutes = new OutcomeCounts(burnMinutes),
  ) {
    this.minutes = minutes;
    this.settings = { ...settings, ...over };
    this.state = state;
  }

  play(said: Said): readonly LadderEffect[] {
    const at = start + this.ticks * tickMs;
    const bare = tickWith({ at, uptimeMs: 1 + this.ticks * tickMs, ...said });
    const bad = bare.outcomes.failures + bare.outcomes.slow;
    this.minutes.add(minuteOf(at), { total: bare.outcomes.requests, bad });
    const tick = { ...bare, burn: readBurn(this.minutes, at, this.settings.slo) };
    const { state, effects } = stepLadder(this.settings, this.state, tick);
    this.state = state;
    this.lastTick = tick;
    this.effects.push(...effects);
    for (const effect of effects) {
      if (effect.kind === 'mode_escalation_suppressed') continue;
      this.moves.push({ tick: this.ticks, from: effect.from, to: effect.to });
    }
    this.ticks += 1;
    return effects;
  }

  /** The same tick `count` times. */
  repeat(count: number, said: Said): this {
    for (let index = 0; index < count; index++) this.play(said);
    return this;
  }
}
