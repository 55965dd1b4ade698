// Model id -> its offers, as a value: changing a few models gives another one that shares all the rest,
// and whoever holds the old one sees nothing of it. 10 000 model ids are spread over 256 maps; a change
// of ten models copies ten of them, some 400 entries, instead of 10 000.
//
//   O1  An entry has at least one offer.
//   O2  No map that an OfferShards holds changes after it was made.
//
// A chain of differences to the newest would copy less, but one long request that keeps an old state
// would keep all differences since.

import { textHash } from '../../base/text-hash.ts';
import type { Offer, OffersByModel } from './snapshot.ts';

const shardCount = 256;
/** Names differ at their ends: `:70b`, `-v0.3`. */
const hashedCharacters = 16;

type Shard = ReadonlyMap<string, readonly Offer[]>;

function shardOf(modelId: string): number {
  const hash = textHash(modelId.slice(-hashedCharacters), modelId.length);
  return (hash ^ (hash >>> 16)) & (shardCount - 1);
}

export class OfferShards implements OffersByModel {
  readonly #shards: readonly (Shard | undefined)[];
  readonly size: number;

  private constructor(shards: readonly (Shard | undefined)[], size: number) {
    this.#shards = shards;
    this.size = size;
  }

  static readonly empty = new OfferShards(new Array<undefined>(shardCount).fill(undefined), 0);

  get(modelId: string): readonly Offer[] | undefined {
    return this.#shards[shardOf(modelId)]?.get(modelId);
  }

  has(modelId: string): boolean {
    return this.#shards[shardOf(modelId)]?.has(modelId) ?? false;
  }

  /** Shard after shard; no order to rely on. */
  *[Symbol.iterator](): Generator<readonly [string, readonly Offer[]]> {
    for (const shard of this.#shards) if (shard !== undefined) yield* shard;
  }

  /** The offers of each of these models in the place of its old ones; none removes the model. */
  with(changes: ReadonlyMap<string, readonly Offer[]>): OfferShards {
    if (changes.size === 0) return this;
    const shards = [...this.#shards];
    const own = new Map<number, Map<string, readonly Offer[]>>();
    let { size } = this;
    for (const [modelId, offers] of changes) {
      const at = shardOf(modelId);
      const shard = own.get(at) ?? new Map(shards[at]);
      own.set(at, shard);
      shards[at] = shard;
      size -= shard.delete(modelId) ? 1 : 0;
      if (offers.length === 0) continue;
      shard.set(modelId, offers);
      size += 1;
    }
    for (const [at, shard] of own) if (shard.size === 0) shards[at] = undefined;
    return new OfferShards(shards, size);
  }
}
