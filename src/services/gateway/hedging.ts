// When a second backend is asked beside a slow one, as each gateway thread goes by it.

import { HedgeBudget } from '../../core/resilience/hedge-budget.ts';

export type HedgingSettings = {
  /** A first attempt that has not begun to answer after so many ms; 0 never asks two. */
  readonly afterMs: number;
  /** Expected tokens of second attempts per hundred of requests, 1 to 100. */
  readonly budgetPercent: number;
};

export type Hedging = {
  /** Looked at every 100 ms. */
  readonly afterMs: number;
  /** Of this thread: a share of its own tokens is a share of all. */
  readonly budget: HedgeBudget;
};

/** Undefined where no second backend is asked. */
export function hedgingOf({ afterMs, budgetPercent }: HedgingSettings): Hedging | undefined {
  return afterMs === 0 ? undefined : { afterMs, budget: new HedgeBudget(budgetPercent) };
}
