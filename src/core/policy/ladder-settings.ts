// What the serving-mode ladder is set to, in the units it computes with, made of the section `policy`
// of the configuration. Recorded with every evaluation, so that it can be made again.

import type { ServiceObjective } from './burn-rate.ts';

export type LadderSettings = {
  /** Share of failures, 0 to 1, strictly above which an evaluation is bad. */
  readonly failureShare: number;
  /** Least time between two escalations out of `normal`; multiplied in the other modes. */
  readonly minCooldownMs: number;
  /** Least time in a mode before a step down. */
  readonly holdMs: number;
  /** Aggregate risk, 0 to 1, strictly above which an evaluation is a burst. */
  readonly riskThreshold: number;
  /** Time after a start in which nothing escalates. */
  readonly graceMs: number;
  readonly slo: ServiceObjective;
};

/** The section `policy` of the configuration, as far as the ladder reads it. */
export type LadderOptions = {
  readonly failurePercent: number;
  readonly cooldownSeconds: number;
  readonly holdSeconds: number;
  readonly riskPercent: number;
  readonly graceSeconds: number;
  readonly objective: number;
  readonly minRequests: number;
  readonly minBad: number;
};

export function ladderSettings(options: LadderOptions): LadderSettings {
  const { objective, minRequests, minBad } = options;
  return {
    failureShare: options.failurePercent / 100,
    minCooldownMs: options.cooldownSeconds * 1000,
    holdMs: options.holdSeconds * 1000,
    riskThreshold: options.riskPercent / 100,
    graceMs: options.graceSeconds * 1000,
    slo: { objective, minRequests, minBad },
  };
}
