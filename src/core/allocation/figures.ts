// Single figures by which an allocation is judged and shown. Rows of the specification A.5.

import { ceilDivide, clamp, roundHalfAway } from '../../base/numbers.ts';

/** To the nearest integer, halves away from zero. Not cut off. */
export function roundAllocation(value: number): number {
  return roundHalfAway(value);
}

/** raw / max within 0..1 (not 0..100); a maximum of 0 or less gives 0. */
export function normalizeUrgency(raw: number, max: number): number {
  return max <= 0 ? 0 : clamp(raw / max, 0, 1);
}

/** Urgency that falls on each slot, rounded up; without slots the urgency itself. */
export function priorityPerSlot(urgency: number, slots: number): number {
  return slots <= 0 ? urgency : ceilDivide(urgency, slots);
}

/** allocated / requested; 0 when nothing was requested. */
export function allocationEfficiency(allocated: number, requested: number): number {
  return requested === 0 ? 0 : allocated / requested;
}

/** Is demand more than `threshold` above the average? Strict, in the units of demand. */
export function demandSpike(current: number, average: number, threshold: number): boolean {
  return current - average > threshold;
}
