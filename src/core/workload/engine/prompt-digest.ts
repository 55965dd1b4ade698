// What the engine needs to know of a prompt: how many tokens it has, hashes of its blocks for the
// prefix cache, and one digest from which the answer is derived. Each block hash covers all text
// before it, so two prompts share a block exactly when they share everything up to its end.

import { charactersPerToken, kvBlockTokens } from './constants.ts';

export type PromptDigest = {
  readonly tokens: number;
  /** One hash for each full block, each an integer below 2^53. */
  readonly blocks: readonly number[];
  /** 32 bits that depend on the whole prompt and the salt. */
  readonly digest: number;
};

/** Digests `text`; `salt` (model, seed) keeps equal texts of different models apart. */
export function digestPrompt(text: string, salt: string, extraTokens = 0): PromptDigest {
  const blockCharacters = kvBlockTokens * charactersPerToken;
  const lanes = new Lanes();
  for (let i = 0; i < salt.length; i++) lanes.mix(salt.charCodeAt(i));
  const blocks: number[] = [];
  for (let i = 0; i < text.length; i++) {
    lanes.mix(text.charCodeAt(i));
    if ((i + 1) % blockCharacters === 0) blocks.push(lanes.wide());
  }
  const tokens = Math.max(1, Math.ceil(text.length / charactersPerToken)) + extraTokens;
  return { tokens, blocks, digest: scramble(lanes.wide() >>> 0) };
}

/** A well mixed 32-bit integer from any 32-bit integer (finaliser of MurmurHash3). */
export function scramble(value: number): number {
  let z = value >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

/** Two multiplicative hashes side by side: 64 bits of state, of which 53 are shown. */
class Lanes {
  #a = 0x811c9dc5;
  #b = 0x9747b28c;

  mix(code: number): void {
    this.#a = Math.imul(this.#a ^ code, 0x01000193);
    this.#b = Math.imul(this.#b ^ code ^ (this.#b >>> 15), 0x85ebca6b);
  }

  wide(): number {
    return (scramble(this.#a) >>> 11) * 2 ** 32 + scramble(this.#b ^ (this.#a >>> 7));
  }
}
