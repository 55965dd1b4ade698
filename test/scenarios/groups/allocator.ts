// Group 4, allocation: documented samples, admission against a ranking by counting, plans as
// partitions of their input, and the cost formula.

import type { AllocatorOrder } from '../../support/documents.ts';
import { equal, exactly, near, permutation, that } from '../expectations.ts';
import { bestByCounting } from '../oracles.ts';
import { series } from '../series.ts';
import type { Group } from './group.ts';

/** The urgency of the documents, written out once more. */
function urgency(priorityClass: number, sloMinutes: number): number {
  return priorityClass * 10 + (sloMinutes < 120 ? 120 - sloMinutes : 0);
}

/** More urgent first, then the earlier estimate, then the smaller id. */
function goesFirst(a: AllocatorOrder, b: AllocatorOrder): boolean {
  if (a[1] !== b[1]) return a[1] > b[1];
  if (a[2] !== b[2]) return Number(a[2]) < Number(b[2]);
  return a[0] < b[0];
}

/** The factor of the cost by how soon the work must be done, as a table. */
function costFactor(sloMinutes: number): number {
  const [, factor] = [
    [15, 3],
    [30, 2],
    [60, 1.5],
  ].find(([most = 0]) => sloMinutes <= most) ?? [0, 1];
  return factor ?? 1;
}

function candidates(index: number): AllocatorOrder[] {
  const next = series(index);
  return Array.from({ length: 3 + next(5) }, (_, at) => [
    `job-${(at * 5 + index) % 8}`,
    next(6),
    next(3),
  ]);
}

export const allocatorGroup: Group = {
  name: 'allocator',
  check({ allocator }, i) {
    const [priorityClass, slo] = [1 + (i % 7), 20 + (i % 90)];
    const orders: AllocatorOrder[] = [
      ['first', urgency(priorityClass, slo), 30],
      ['second', 5 + (i % 50), 20],
      ['third', 2 + (i % 30), 10],
    ];
    const admitted = allocator.allocate_orders(orders, 2);
    that('one or two are admitted', admitted.length === 1 || admitted.length === 2);
    that('urgency descends', (admitted[0]?.[1] ?? 0) >= (admitted[1]?.[1] ?? 0));
    for (const order of admitted) equal('valid', allocator.validate_order(order), null);
    equal('the most urgent two', admitted, bestByCounting(orders, 2, goesFirst));

    const plan = allocator.dispatch_batch(orders.slice(0, 2), 1);
    const first = bestByCounting(orders.slice(0, 2), 1, goesFirst);
    const other = orders.slice(0, 2).filter((order) => !first.includes(order));
    equal('one is planned, one rejected', plan, { planned: first, rejected: other });

    const weighted = allocator.weighted_allocate(
      orders.map(([id, urgent], at) => [id, urgent, at + 1] as const),
      2,
    );
    that('weighted admission is not empty', weighted.length > 0);
    const scores = orders.map(([, urgent], at) => urgent * (at + 1));
    equal('scores are products', weighted[0]?.[1], Math.max(...scores));

    const half = (i % 50) + 0.5;
    equal('halves round away from zero', allocator.round_allocation(half), (i % 50) + 1);
    equal('below zero too', allocator.round_allocation(-half), -(i % 50) - 1);
    const [cost, quantity] = [100 + (i % 50), 4 + (i % 5)];
    exactly('unit cost times quantity', allocator.cost_per_unit(cost, quantity) * quantity, cost);
    const raw = 50 + (i % 50);
    exactly('a share of the most', allocator.normalize_urgency(raw, 100) * 100, raw);
    equal('never above one', allocator.normalize_urgency(raw + 100, 100), 1);

    const load = 150 + (i % 20);
    that('over capacity', allocator.is_over_capacity(load, 100));
    that('exactly full is over', allocator.is_over_capacity(load, load));
    equal('one below is not', allocator.is_over_capacity(load - 1, load), false);
    that('exactly full fits', allocator.check_capacity(load, load));
    that('a spike', allocator.demand_spike(load, 100, 40));
    equal('a spike is strict', allocator.demand_spike(load, 100, load - 100), false);

    const reserved = [
      { berth_id: 'gpu-01', start_hour: 8, end_hour: 12, occupied: true, vessel_id: 'd-1' },
    ];
    const conflicts = (start: number, end: number): boolean =>
      allocator.berth_schedule_conflict_window(reserved, start, end, 'gpu-01', 1);
    equal(
      'the guard stands on both sides',
      [conflicts(12, 15), conflicts(13, 15), conflicts(5, 8), conflicts(3, 7)],
      [true, false, true, false],
    );

    const estimate = allocator.estimate_cost(priorityClass, slo, 10);
    that('a cost is not negative', estimate >= 0);
    near('the cost formula', estimate, 10 * priorityClass * costFactor(slo), 1e-9);

    const many = candidates(i);
    const unique = many.filter(([id], at) => many.findIndex(([other]) => other === id) === at);
    const capacity = i % 5;
    const best = bestByCounting(unique, capacity, goesFirst);
    equal('the best of any list', allocator.allocate_orders(unique, capacity), best);
    const { planned, rejected } = allocator.dispatch_batch(unique, capacity);
    equal('planned as admitted', planned, best);
    equal(
      'the others in input order',
      rejected,
      unique.filter((order) => !best.includes(order)),
    );
    permutation('nobody is lost', [...planned, ...rejected], unique);
  },
};
