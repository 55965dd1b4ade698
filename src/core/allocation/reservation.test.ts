// Goal: slot reservations of A.5 on half-open hours. Method: tables with hours that touch, that
// overlap by one, and that are one apart; the self-check values of A.15; overlap against shared
// hours counted one by one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import {
  availableReservations,
  conflictsWithGuard,
  createReservation,
  idleSlotHours,
  overlaps,
  type SlotReservation,
  slotUtilization,
} from './reservation.ts';

function reservation(
  startHour: number,
  endHour: number,
  changes: Partial<SlotReservation> = {},
): SlotReservation {
  return { slotId: 'gpu-01', startHour, endHour, occupied: true, ...changes };
}

const reservations = fc
  .tuple(
    fc.constantFrom('a', 'b'),
    fc.nat({ max: 12 }),
    fc.integer({ min: 1, max: 6 }),
    fc.boolean(),
  )
  .map(([slotId, start, hours, occupied]) =>
    reservation(start, start + hours, { slotId, occupied }),
  );

function hoursOf({ startHour, endHour }: SlotReservation): readonly number[] {
  return Array.from({ length: endHour - startHour }, (_, at) => startHour + at);
}

test('a reservation is created as a frozen copy', () => {
  const asked = reservation(0, 1, { deploymentId: 'd-1', occupied: false });
  const created = createReservation(asked);
  assert.deepEqual(created, { ok: true, value: asked });
  assert.ok(created.ok && Object.isFrozen(created.value) && created.value !== asked);
});

test('a reservation is refused with field, value and bound', () => {
  const hours = /endHour is 8, but must be after startHour 8$/;
  const rows = [
    [reservation(8, 8), hours],
    [reservation(8, 7), /endHour is 7, but must be after startHour 8$/],
    [reservation(-1, 8), /startHour is -1, but must be a whole number of hours since 1970$/],
    [reservation(0.5, 8), /startHour is 0.5/],
    [reservation(0, 8.5), /endHour is 8.5/],
    [reservation(Number.NaN, 8), /startHour is NaN/],
    [reservation(0, Number.POSITIVE_INFINITY), /endHour is Infinity/],
    [reservation(0, 2 ** 53), /endHour is 9007199254740992/],
    [reservation(0, 1, { slotId: '' }), /^reservation of slot "": slotId is ""/],
    [reservation(0, 1, { deploymentId: '' }), /deploymentId is "", but must be absent or not/],
  ] as const;
  for (const [asked, words] of rows) {
    const refused = createReservation(asked);
    assert.ok(!refused.ok, String(words));
    assert.equal(refused.error.code, 'invalid_reservation');
    assert.match(refused.error.message, words);
  }
});

test('reservations of one slot overlap when they share an hour', () => {
  const held = reservation(8, 12);
  const rows: readonly (readonly [SlotReservation, boolean, string])[] = [
    [reservation(12, 15), false, 'touches at the end'],
    [reservation(5, 8), false, 'touches at the start'],
    [reservation(11, 15), true, 'shares the last hour'],
    [reservation(5, 9), true, 'shares the first hour'],
    [reservation(9, 10), true, 'lies within'],
    [reservation(0, 24), true, 'holds it'],
    [reservation(8, 12), true, 'is the same'],
    [reservation(8, 12, { slotId: 'gpu-02' }), false, 'is of another slot'],
    [reservation(8, 12, { occupied: false }), true, 'is free'],
  ];
  for (const [other, expected, name] of rows) assert.equal(overlaps(held, other), expected, name);
});

test('a guard keeps its distance on both sides of an occupied reservation', () => {
  const list = [reservation(8, 12)];
  const rows = [
    [12, 15, 1, true],
    [13, 15, 1, false],
    [3, 7, 1, false],
    [3, 8, 1, true],
    [5, 8, 1, true],
    [12, 15, 0, false],
    [5, 8, 0, false],
    [11, 15, 0, true],
    [15, 20, 4, true],
    [16, 20, 4, false],
    [0, 4, 4, false],
    [0, 5, 4, true],
  ] as const;
  for (const [start, end, guard, expected] of rows) {
    const conflict = conflictsWithGuard(list, start, end, 'gpu-01', guard);
    assert.equal(conflict, expected, `[${start}, ${end}) with ${guard}`);
  }
});

test('free reservations and other slots never conflict', () => {
  const list = [reservation(8, 12, { occupied: false }), reservation(8, 12, { slotId: 'gpu-02' })];
  assert.ok(!conflictsWithGuard(list, 8, 12, 'gpu-01', 9));
  assert.ok(conflictsWithGuard(list, 8, 12, 'gpu-02', 0));
  assert.ok(!conflictsWithGuard([], 8, 12, 'gpu-01', 1));
});

test('those not occupied are available, in the order of the input', () => {
  const free = [reservation(9, 10, { occupied: false }), reservation(1, 2, { occupied: false })];
  const [first, second] = free;
  assert.ok(first !== undefined && second !== undefined);
  assert.deepEqual(availableReservations([first, reservation(3, 4), second]), free);
  assert.deepEqual(availableReservations([]), []);
});

test('utilization is occupied hours over all hours', () => {
  const idle = { occupied: false };
  const rows: readonly (readonly [readonly SlotReservation[], number, string])[] = [
    [[], 0, 'no reservations'],
    [[reservation(5, 5)], 0, 'no hours'],
    [[reservation(0, 8), reservation(8, 24)], 1, 'everything occupied'],
    [[reservation(0, 8, idle)], 0, 'nothing occupied'],
    [[reservation(0, 6), reservation(6, 24, idle)], 0.25, 'a quarter, by hours not by number'],
    [[reservation(0, 6), reservation(9, 3)], 1, 'a reversed one has no hours'],
  ];
  for (const [list, expected, name] of rows) assert.equal(slotUtilization(list), expected, name);
});

test('idle hours are the hours of what is not occupied', () => {
  const idle = { occupied: false };
  assert.equal(
    idleSlotHours([reservation(0, 6), reservation(6, 24, idle), reservation(0, 2, idle)]),
    20,
  );
  assert.equal(idleSlotHours([reservation(0, 6)]), 0);
  assert.equal(idleSlotHours([]), 0);
});

holds(
  'overlap is symmetric and means a shared hour of one slot',
  fc.property(reservations, reservations, (a, b) => {
    assert.equal(overlaps(a, b), overlaps(b, a));
    const shared = hoursOf(a).some((hour) => hoursOf(b).includes(hour));
    assert.equal(overlaps(a, b), a.slotId === b.slotId && shared);
  }),
);

holds(
  'a guard of 0 conflicts exactly with the occupied reservations that overlap',
  fc.property(fc.array(reservations, { maxLength: 6 }), reservations, (list, asked) => {
    const { startHour, endHour, slotId } = asked;
    const conflict = conflictsWithGuard(list, startHour, endHour, slotId, 0);
    assert.equal(
      conflict,
      list.some((held) => held.occupied && overlaps(held, asked)),
    );
  }),
);

holds(
  'a guard conflicts exactly when the hours grown by it on both sides overlap',
  fc.property(reservations, reservations, fc.nat({ max: 4 }), (held, asked, guard) => {
    const { startHour, endHour, slotId } = asked;
    const grown = { ...asked, startHour: startHour - guard, endHour: endHour + guard };
    const conflict = conflictsWithGuard([held], startHour, endHour, slotId, guard);
    assert.equal(conflict, held.occupied && overlaps(held, grown));
  }),
);

holds(
  'utilization is within 0..1, and idle and occupied hours are all hours',
  fc.property(fc.array(reservations, { maxLength: 8 }), (list) => {
    const utilization = slotUtilization(list);
    assert.ok(utilization >= 0 && utilization <= 1);
    const all = list.flatMap(hoursOf).length;
    const busy = list.filter(({ occupied }) => occupied).flatMap(hoursOf).length;
    assert.equal(idleSlotHours(list), all - busy);
    assert.equal(utilization, all === 0 ? 0 : busy / all);
  }),
);
