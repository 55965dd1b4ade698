// Why a candidate would have chosen otherwise, in words that name the setting that did it and the
// scores before and after. Computed from the terms of the score, never guessed.

import type { Consideration, Decision } from '../routing/decide.ts';
import { type ScoreTerms, scoreTerms, smartScore } from '../routing/score.ts';
import type { RoutingSettings } from '../routing/snapshot.ts';

/** One considered backend under both policies. */
export type Sides = {
  /** What the log chose. */
  readonly was: Consideration;
  /** What the candidate chooses. */
  readonly wouldBe: Consideration;
};

const weightNames = ['priority', 'load', 'latency'] as const;

function termsOf({ target, reading }: Consideration): ScoreTerms {
  const { pending, capacity, latencyMs } = reading;
  return scoreTerms({ priority: target.priority, pending, capacity, latencyMs });
}

function scoreWords({ target, reading }: Consideration, settings: RoutingSettings): string {
  const { pending, capacity, latencyMs } = reading;
  const input = { priority: target.priority, pending, capacity, latencyMs };
  return (smartScore(input, settings.weights) / 100).toFixed(1);
}

/** The weight whose change moved the two most apart in favour of the candidate's choice. */
function movedWeight(sides: Sides, from: RoutingSettings, to: RoutingSettings): string | undefined {
  const was = termsOf(sides.was);
  const wouldBe = termsOf(sides.wouldBe);
  let most = 0;
  let words: string | undefined;
  for (const name of weightNames) {
    const moved = (to.weights[name] - from.weights[name]) * (wouldBe[name] - was[name]);
    if (moved <= most) continue;
    most = moved;
    words = `${name} weight ${from.weights[name]} -> ${to.weights[name]}`;
  }
  return words;
}

/** `latency weight 40 -> 10: score of sim-a 71.0 -> 64.2, of sim-b 60.0 -> 66.0`. */
export function choiceWords(sides: Sides, from: RoutingSettings, to: RoutingSettings): string {
  if (from.strategy !== to.strategy) return `strategy ${from.strategy} -> ${to.strategy}`;
  if (from.strategy !== 'smart') return 'another turn among level backends';
  const cause = movedWeight(sides, from, to) ?? 'weights';
  const scores = [sides.was, sides.wouldBe].map(
    (item) => `of ${item.target.id} ${scoreWords(item, from)} -> ${scoreWords(item, to)}`,
  );
  return `${cause}: score ${scores.join(', ')}`;
}

const ordinals = ['no', 'first', 'second', 'third', 'fourth', 'fifth'] as const;

/** `max_retries 2 -> 0: no second attempt`. */
export function retryWords(attempt: number, from: number, to: number): string {
  return `max_retries ${from} -> ${to}: no ${ordinals[attempt] ?? `${attempt}th`} attempt`;
}

/** Where a decision goes, as the diff names it: a backend id, or `refused`. */
export function destinationOf(decision: Decision): string {
  return decision.kind === 'route' ? decision.target.id : 'refused';
}
