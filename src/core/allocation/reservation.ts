// Reservations of GPU slots over half-open hours [start, end): hours that touch do not conflict
// (ruling C3); wanted distance is said by guard hours. Rows of the platform specification A.5.
//
//   [8 ........ 12)
//                [12 ..... 15)     no overlap; with a guard of 1 hour a conflict
//
// Invariant of a created reservation
//   R1  endHour > startHour, both whole hours since 1970 UTC.

import { type Fault, invalid, type Violation } from '../../base/fault.ts';
import { isCount, saturatingDifference } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';

export type SlotReservation = {
  readonly slotId: string;
  /** Whole hours since 1970 UTC, the first one held. */
  readonly startHour: number;
  /** The first hour not held any more. */
  readonly endHour: number;
  readonly occupied: boolean;
  readonly deploymentId?: string;
};

/**
 * The reservation as a frozen copy, or every field at fault; an end at or before the start is one.
 */
export function createReservation(
  asked: SlotReservation,
): Result<SlotReservation, Fault<'invalid_reservation'>> {
  const { slotId, startHour, endHour, deploymentId } = asked;
  const violations: Violation[] = [];
  const hours = 'a whole number of hours since 1970';
  if (slotId === '') violations.push({ field: 'slotId', value: slotId, bound: 'not empty' });
  if (!isCount(startHour)) violations.push({ field: 'startHour', value: startHour, bound: hours });
  if (!isCount(endHour)) violations.push({ field: 'endHour', value: endHour, bound: hours });
  else if (endHour <= startHour) {
    violations.push({ field: 'endHour', value: endHour, bound: `after startHour ${startHour}` });
  }
  if (deploymentId === '') {
    violations.push({ field: 'deploymentId', value: deploymentId, bound: 'absent or not empty' });
  }
  if (violations.length === 0) return ok(Object.freeze({ ...asked }));
  return err(invalid('invalid_reservation', `reservation of slot "${slotId}"`, violations));
}

/** Do both hold an hour of one slot? Whether they are occupied does not matter. */
export function overlaps(a: SlotReservation, b: SlotReservation): boolean {
  return a.slotId === b.slotId && a.startHour < b.endHour && b.startHour < a.endHour;
}

/**
 * Would hours [start, end) of the slot come nearer than `guardHours` to an occupied reservation?
 * The guard is the time to load, unload and drain, and holds on both sides. Free reservations
 * never conflict; with a guard of 0 the rule is that of {@link overlaps}.
 */
export function conflictsWithGuard(
  reservations: readonly SlotReservation[],
  start: number,
  end: number,
  slotId: string,
  guardHours: number,
): boolean {
  return reservations.some(
    (held) =>
      held.occupied &&
      held.slotId === slotId &&
      start < held.endHour + guardHours &&
      end + guardHours > held.startHour,
  );
}

/** Those not occupied, in the order of the input. */
export function availableReservations(
  reservations: readonly SlotReservation[],
): readonly SlotReservation[] {
  return reservations.filter(({ occupied }) => !occupied);
}

function totalHours(reservations: readonly SlotReservation[]): number {
  return reservations.reduce(
    (sum, { startHour, endHour }) => sum + saturatingDifference(endHour, startHour),
    0,
  );
}

/** The hours of the reservations that are not occupied. */
export function idleSlotHours(reservations: readonly SlotReservation[]): number {
  return totalHours(availableReservations(reservations));
}

/** Occupied hours over all hours, within 0..1; 0 when there are no hours. */
export function slotUtilization(reservations: readonly SlotReservation[]): number {
  const all = totalHours(reservations);
  return all === 0 ? 0 : totalHours(reservations.filter(({ occupied }) => occupied)) / all;
}
