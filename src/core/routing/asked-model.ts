// Which model a recorded request would have been asked of under other settings: aliases, then the arm of
// an experiment. An arm can be drawn where the record holds the sticky key, which it does of requests
// that an experiment had.

import type { RouteFeatures } from './decision-input.ts';
import { type RoutingSnapshot, resolveModel } from './snapshot.ts';
import { armOf, splitFor } from './split.ts';

/**
 * `recorded` is the snapshot that was decided on, `other` the one in question. Undefined where an
 * experiment would have drawn by a sticky key that nobody wrote down.
 */
export function modelUnder(
  { model, split }: Pick<RouteFeatures, 'model' | 'split'>,
  recorded: RoutingSnapshot,
  other: RoutingSnapshot,
): string | undefined {
  const named = resolveModel(other, model);
  const experiment = splitFor(other.settings.splits, named);
  if (experiment === undefined) return named;
  if (split === undefined) {
    // Its key may not use the model of the arm, then and now.
    const was = splitFor(recorded.settings.splits, resolveModel(recorded, model));
    return was?.name === experiment.name ? named : undefined;
  }
  const arm = armOf(experiment, split.stickyHash);
  return arm === undefined ? named : resolveModel(other, arm.model);
}
