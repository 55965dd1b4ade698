// Has the level of a series moved? A two-sided cumulative sum (CUSUM, Page 1954): how far the values
// have run above, and below, what is normal, forgetting what normal scatter explains. It finds a
// small lasting shift that no single value betrays, and one wild value does not set it off forever.
//
//     above  <-  max(0, above + z - slack)      z = (value - mean) / sd of normal operation
//     below  <-  max(0, below - z - slack)      alarm when one exceeds the limit
//
// With slack 0.5 and limit 5 a shift of one deviation is found after about 10 values, and normally
// distributed values without any shift give one false alarm in about 465 (Montgomery, Introduction
// to Statistical Quality Control, table 9.3); limit 4: 8 and 168. After an alarm both sums start
// again at 0. NaN changes nothing.

import type { Trend } from './series.ts';
import { zScore } from './spread.ts';

export type ChangeBaseline = {
  /** Mean and standard deviation of normal operation; without deviation nothing is an alarm. */
  readonly mean: number;
  readonly sd: number;
  /** In deviations: half the shift that is to be found; 0.5 if not given. */
  readonly slack?: number;
  /** In deviations; 5 if not given. */
  readonly limit?: number;
};

export type ChangeState = {
  readonly above: number;
  readonly below: number;
  /** What the newest value gave away. */
  readonly alarm: Trend;
};

const slackUsual = 0.5;
const limitUsual = 5;

export const noChange: ChangeState = Object.freeze({ above: 0, below: 0, alarm: 'stable' });

/** The state after one more value. */
export function withChange(
  state: ChangeState,
  value: number,
  { mean, sd, slack = slackUsual, limit = limitUsual }: ChangeBaseline,
): ChangeState {
  const z = zScore(value, mean, sd);
  if (Number.isNaN(z)) return { ...state, alarm: 'stable' };
  const above = Math.max(0, state.above + z - slack);
  const below = Math.max(0, state.below - z - slack);
  if (above > limit) return { above: 0, below: 0, alarm: 'rising' };
  if (below > limit) return { above: 0, below: 0, alarm: 'falling' };
  return { above, below, alarm: 'stable' };
}

/** Where a series gives an alarm, and in which direction. */
export function changesIn(
  values: ArrayLike<number>,
  baseline: ChangeBaseline,
): readonly { readonly at: number; readonly alarm: Trend }[] {
  const found: { readonly at: number; readonly alarm: Trend }[] = [];
  let state = noChange;
  for (let at = 0; at < values.length; at += 1) {
    state = withChange(state, values[at] ?? 0, baseline);
    if (state.alarm !== 'stable') found.push({ at, alarm: state.alarm });
  }
  return found;
}
