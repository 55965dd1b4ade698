// The cheapest backend: what prompt and expected answer cost there, by the price rules of the snapshot.
// A self-hosted backend without a price costs nothing and comes first; a cloud backend without one may
// cost anything and comes last. Seconds of work, where they have a price, are not known before: the
// average of the first byte stands in for them, which is too little for long answers and the same for
// all. Among equals the load decides, then the cursor.

import { isCloudType } from '../../../base/backend-type.ts';
import { matchesGlob } from '../../security/glob.ts';
import { headerUsd } from '../../usage/money.ts';
import { findPrice, type PriceRule } from '../../usage/price-table.ts';
import { costOf } from '../../usage/request-cost.ts';
import { type RouteFeatures, usualOutputTokens } from '../decision-input.ts';
import { highest } from './ranking.ts';
import type { Candidate, RoutingPolicy } from './routing-policy.ts';

/** Of a cloud backend that no rule prices; below every cost, and exact in a record. */
const unknownScore = -Number.MAX_SAFE_INTEGER;

/** Micro-USD; undefined where nobody knows. */
function costAt(
  { target, reading }: Candidate,
  rules: readonly PriceRule[],
  { resolvedModel, operation, estimatedTokens, maxOutputTokens }: RouteFeatures,
): number | undefined {
  const isCloud = isCloudType(target.backendType);
  const price = findPrice({ rules }, { model: resolvedModel, backend: target.id, isCloud });
  if (price === undefined) return isCloud ? undefined : 0;
  const completionTokens = operation === 'embeddings' ? 0 : (maxOutputTokens ?? usualOutputTokens);
  const use = { promptTokens: estimatedTokens, completionTokens, cachedTokens: 0 };
  return costOf(price, use, Math.round(reading.latencyMs));
}

export const cost: RoutingPolicy = {
  reads: 0,
  rank(candidates, { features, settings }) {
    const rules = settings.prices.filter(
      ({ model }) => model === undefined || matchesGlob(model, features.resolvedModel),
    );
    for (const candidate of candidates) {
      const microUsd = costAt(candidate, rules, features);
      // Not -0, which a record would tell from 0.
      candidate.score = microUsd === undefined ? unknownScore : 0 - microUsd;
    }
  },
  pick: (candidates, { input }) => highest(candidates, input.cursor),
  reason: ({ target, score }) =>
    score === unknownScore
      ? `cost_unknown:${target.name}`
      : `lowest_cost:${target.name}:${headerUsd(0 - score)}`,
};
