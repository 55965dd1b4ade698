// Shadow traffic (platform specification D.4): a share of the answered requests for a model is sent once
// more, to a backend or a model that is being tried out. Nobody waits for the copy and nobody gets its
// answer; the two answers are compared, and what is kept of them are figures and a distance.

import { matchesGlob } from '../security/glob.ts';
import { drawOf } from './rendezvous.ts';

export type ShadowRule = {
  readonly name: string;
  /** Glob of the models that served the requests. */
  readonly model: string;
  /** Which backend gets the copy; undefined: whichever a decision takes. */
  readonly toBackend: string | undefined;
  /** Which model is asked for there; undefined: the one that served. */
  readonly toModel: string | undefined;
  /** Share of the requests, 0 to 10 000. */
  readonly basisPoints: number;
  /** Groups whose requests are never copied. */
  readonly exceptGroups: readonly string[];
};

/** What became of one copy; `dropped` never left for want of room, `refused` for want of a backend. */
export const shadowOutcomes = ['compared', 'failed', 'timed_out', 'dropped', 'refused'] as const;
export type ShadowOutcome = (typeof shadowOutcomes)[number];

/**
 * The first rule for this model and group, if `draw` (32 bits, any for each request) falls into its
 * share; undefined where no copy is sent.
 */
export function shadowFor(
  rules: readonly ShadowRule[],
  of: { readonly model: string; readonly groupName: string },
  draw: number,
): ShadowRule | undefined {
  const rule = rules.find((one) => matchesGlob(one.model, of.model));
  if (rule === undefined || rule.exceptGroups.includes(of.groupName)) return undefined;
  return drawOf(draw, rule.name) % 10_000 < rule.basisPoints ? rule : undefined;
}
