// How many may wait, and for how long must somebody stay away who found no place? Progressive
// holdback: the less urgent the class, the fewer of the places are open to it, so that the last ones
// are kept for who is more urgent; and a group takes at most what leaves room for another.

import type { PriorityClass } from '../jobs/priority-class.ts';
import { estimateWait } from './waiting-time.ts';

/** Share of the places that is open to a class, in per cent. */
const openPercent: Readonly<Record<PriorityClass, number>> = { 5: 100, 4: 95, 3: 90, 2: 75, 1: 50 };

/**
 * Places that a class may fill of `sizeMax`: 0 to `sizeMax`, rounded up. In an emergency (serving
 * mode restricted or halted) those that `shouldShed` fills before it turns the next away.
 */
export function placesFor(
  sizeMax: number,
  priorityClass: PriorityClass,
  isEmergency: boolean,
): number {
  const places = Math.ceil((sizeMax * openPercent[priorityClass]) / 100);
  if (!isEmergency) return places;
  return Math.max(0, Math.floor((places * 8) / 10) - 1);
}

/** A group holds at most so many times the places that are free. */
const groupShare = 9;

/**
 * May a group that holds `held` places take one more, when `depth` of `sizeMax` are taken? Alone it
 * may fill nine tenths; of two that ask for all, each gets less than half (dynamic thresholds: A.
 * Choudhury, E. Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998).
 */
export function mayHoldMore(held: number, depth: number, sizeMax: number): boolean {
  return held < groupShare * (sizeMax - depth);
}

/** What is read when a request asks for a place to wait. */
export type PlaceReading = {
  /** Places taken, of all groups. */
  readonly depth: number;
  /** Places in all. */
  readonly sizeMax: number;
  /** Places that its group holds. */
  readonly held: number;
  /** Does the serving mode shed early? */
  readonly isEmergency: boolean;
};

/** Why a request may not wait: its group holds too many places, or no place is open to its class. */
export type NoPlace = 'group' | 'class';

/** Undefined when it may wait. */
export function noPlace(
  priorityClass: PriorityClass,
  { depth, sizeMax, held, isEmergency }: PlaceReading,
): NoPlace | undefined {
  if (!mayHoldMore(held, depth, sizeMax)) return 'group';
  return depth < placesFor(sizeMax, priorityClass, isEmergency) ? undefined : 'class';
}

const guessMsPerReason = 5000;
const retryMaxSeconds = 30;

/**
 * Whole seconds, 1 to 30, after which a place is likely: what waits, served at the rate that was
 * seen. Without a rate 5 s for each reason why backends were excluded, at least one (BR 14).
 */
export function retrySeconds(
  depth: number,
  ratePerSecond: number | undefined,
  exclusionReasons: number,
): number {
  const seconds =
    ratePerSecond === undefined || ratePerSecond <= 0
      ? (guessMsPerReason * Math.max(1, exclusionReasons)) / 1000
      : estimateWait(depth, ratePerSecond);
  return Math.min(retryMaxSeconds, Math.max(1, Math.ceil(seconds)));
}
