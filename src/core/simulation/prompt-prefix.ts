// The prefix ids of a trace as the engine's KV blocks: one id stands for 512 tokens, a block of the
// engine holds 16, so an id becomes 32 blocks of which the whole ones inside the prompt count.
// Blocks of different ids differ, and equal ids give equal blocks, which is all that a cache asks.

import { kvBlockTokens } from '../workload/engine/constants.ts';
import { scramble } from '../workload/engine/prompt-digest.ts';

/** Tokens of one prefix id (Mooncake, FAST'25 traces). */
const prefixIdTokens = 512;

const blocksOfId = prefixIdTokens / kvBlockTokens;
const none: readonly number[] = [];

/** Hashes of the full blocks of a prompt with `promptTokens` tokens. */
export function promptBlocks(
  prefixIds: readonly number[],
  promptTokens: number,
): readonly number[] {
  if (prefixIds.length === 0) return none;
  const full = Math.floor(promptTokens / kvBlockTokens);
  const count = Math.min(full, prefixIds.length * blocksOfId);
  const blocks = new Array<number>(count);
  for (let block = 0; block < count; block++) {
    const id = prefixIds[Math.floor(block / blocksOfId)] ?? 0;
    blocks[block] = id * blocksOfId + (block % blocksOfId);
  }
  return blocks;
}

/**
 * The key that prefix affinity would have of the prompt: 32 bits of its first id, which is the id that
 * covers the 256 tokens that the gateway hashes; undefined for a prompt that shares nothing.
 */
export function prefixKeyOf(prefixIds: readonly number[]): number | undefined {
  const [first] = prefixIds;
  return first === undefined ? undefined : scramble(first);
}
