// Traffic splits (platform specification D.4): a named experiment gives each of its arms a share of the
// requests for a model, in basis points that sum to 10 000. Who belongs together stays together: the arm
// follows from the salt of the experiment and the sticky key of the client, so that the same client gets
// the same arm on every thread and in every replay.
//
//   bucket = hash(salt, sticky key) mod 10 000
//
//   0         R        2R        3R    10 000      R = 10 000 / (arms - 1), rounded down
//   |b b b    |c       |d d      |     |           each arm but the first has a region and fills it from
//      base      base     base    base             its start; the first, the base, has what is left
//
//   S1  Every arm has exactly its basis points of the 10 000 buckets.
//   S2  Raising an arm at the cost of the base moves keys from the base into it, and no other key, as
//       long as no arm but the base is larger than R: with two arms always. An arm that is larger
//       takes the rest from free buckets, in their order. (No rule without memory does better for three
//       arms: with one bucket each of two, moving b to c, a to c and a to b contradict each other.)

import { matchesGlob } from '../security/glob.ts';
import { drawOf } from './rendezvous.ts';

export type SplitArm = {
  readonly name: string;
  /** Asked for in the place of the model; aliases are followed. */
  readonly model: string;
  readonly basisPoints: number;
};

export type TrafficSplit = {
  readonly name: string;
  /** Glob of resolved models. */
  readonly model: string;
  /** Another salt draws all clients anew. */
  readonly salt: string;
  /** At least two; the first is the base. */
  readonly arms: readonly SplitArm[];
};

/** Which arm a request got. */
export type SplitAssignment = {
  readonly experiment: string;
  readonly arm: string;
  /** The sticky key, hashed with a secret: 32 bits that say nothing about the client. */
  readonly stickyHash: number;
};

export const splitPoints = 10_000;

/** The first experiment for this model. */
export function splitFor(splits: readonly TrafficSplit[], model: string): TrafficSplit | undefined {
  // Hardly anybody has any.
  if (splits.length === 0) return undefined;
  return splits.find((split) => matchesGlob(split.model, model));
}

/** The bucket of a sticky key, 0 to 9 999. */
export function bucketOf(split: TrafficSplit, stickyHash: number): number {
  return drawOf(stickyHash, split.salt) % splitPoints;
}

/** The arm that has this bucket. */
export function armOfBucket({ arms }: TrafficSplit, bucket: number): SplitArm | undefined {
  const region = Math.floor(splitPoints / Math.max(arms.length - 1, 1));
  const home = 1 + Math.floor(bucket / region);
  const offset = bucket % region;
  const owner = arms[home];
  if (owner !== undefined && offset < owner.basisPoints) return owner;
  // How many buckets before this one are not taken by the arm of their region.
  let free = owner === undefined ? offset : offset - owner.basisPoints;
  for (let i = 1; i < home; i++) free += Math.max(region - (arms[i]?.basisPoints ?? 0), 0);
  for (let i = 1; i < arms.length; i++) {
    const over = Math.max((arms[i]?.basisPoints ?? 0) - region, 0);
    if (free < over) return arms[i];
    free -= over;
  }
  return arms[0];
}

/** The arm of a sticky key. */
export function armOf(split: TrafficSplit, stickyHash: number): SplitArm | undefined {
  return armOfBucket(split, bucketOf(split, stickyHash));
}

/** The name of the arm that these splits draw; undefined when they have no such experiment. */
export function armAgain(
  splits: readonly TrafficSplit[],
  { experiment, stickyHash }: SplitAssignment,
): string | undefined {
  const split = splits.find(({ name }) => name === experiment);
  return split === undefined ? undefined : armOf(split, stickyHash)?.name;
}
