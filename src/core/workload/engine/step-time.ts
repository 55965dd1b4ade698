// How long one step of the engine takes. A step runs the layers once over a batch: one token for
// each sequence that decodes, and a chunk of the prompt for sequences still in prefill. The layers
// cost what the profile says for that many tokens; attention is added on top (see constants.ts).

import { assert } from '../../../base/assert.ts';
import type { EngineProfile } from './constants.ts';

export type StepWork = {
  /** Tokens of all kinds in the batch. */
  readonly tokens: number;
  /** KV tokens that the decoding sequences read. */
  readonly decodeContextTokens: number;
  /** Pairs of a new prompt token and a token before it or itself. */
  readonly prefillPairs: number;
};

/** Whole microseconds for `work`, at least the time of a step with one token. */
export function stepTimeUs(profile: EngineProfile, work: StepWork): number {
  const attentionPs =
    work.decodeContextTokens * profile.kvReadPs + work.prefillPairs * profile.prefillPairPs;
  return Math.round(layersUs(profile.stepTable, work.tokens) + attentionPs / 1e6);
}

/** Pairs in a chunk of `chunkTokens` after `contextTokens` that are in the cache already. */
export function prefillPairs(contextTokens: number, chunkTokens: number): number {
  return chunkTokens * contextTokens + (chunkTokens * (chunkTokens + 1)) / 2;
}

/** Linear between the points; beyond the last point along its last slope. */
function layersUs(table: EngineProfile['stepTable'], tokens: number): number {
  const first = table[0];
  assert(first !== undefined, 'a profile has points');
  let [fromTokens, fromUs] = first;
  if (tokens <= fromTokens) return fromUs;
  let slope = 0;
  for (const [toTokens, toUs] of table) {
    if (toTokens > fromTokens) slope = (toUs - fromUs) / (toTokens - fromTokens);
    if (toTokens >= tokens) break;
    [fromTokens, fromUs] = [toTokens, toUs];
  }
  return fromUs + slope * (tokens - fromTokens);
}
