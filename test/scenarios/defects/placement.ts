// Defects of allocation, contracts, jobs and routing.

import { type Defect, planted } from './defect.ts';

export const placementDefects: readonly Defect[] = [
  planted(
    'the urgency weighs a class by 8',
    'models',
    'urgency_score',
    () => (order) => order.severity * 8 + Math.max(0, 120 - order.sla_minutes),
  ),
  planted('100 000 MB are of the largest class', 'models', 'weight_class', (sound) => (mb) => {
    return mb === 100_000 ? 'super-heavy' : sound(mb);
  }),
  planted(
    'the size classes of 10 000 MB begin at it',
    'models',
    'weight_class',
    (sound) => (mb) => sound(mb === 10_000 ? mb + 1 : mb),
  ),
  planted(
    'the guard stands behind a reservation only',
    'allocator',
    'berth_schedule_conflict_window',
    (sound) => (slots, start, end, slot, guard) => sound(slots, start + guard, end, slot, guard),
  ),
  planted('admission takes the least urgent', 'allocator', 'allocate_orders', (sound) => {
    return (orders, capacity) => sound(orders, orders.length).slice(-capacity || orders.length);
  }),
  planted('the rejected are told in sorted order', 'allocator', 'dispatch_batch', (sound) => {
    return (orders, capacity) => {
      const { planned, rejected } = sound(orders, capacity);
      return { planned, rejected: rejected.toSorted((a, b) => b[1] - a[1]) };
    };
  }),
  planted('exactly full does not fit', 'allocator', 'check_capacity', () => (a, b) => a < b),
  planted('exactly full is not over', 'allocator', 'is_over_capacity', () => (a, b) => a > b),
  planted('halves round up', 'allocator', 'round_allocation', () => (value) => Math.round(value)),
  planted('a spike is inclusive', 'allocator', 'demand_spike', () => (now, mean, threshold) => {
    return now - mean >= threshold;
  }),
  planted('urgency is normalised to 0..100', 'allocator', 'normalize_urgency', (sound) => {
    return (raw, max) => 100 * sound(raw, max);
  }),
  planted('the cost is of the whole, not of a unit', 'allocator', 'cost_per_unit', () => {
    return (total, quantity) => total * quantity;
  }),
  planted(
    'priority per slot is cut, not rounded up',
    'allocator',
    'priority_score',
    () => {
      return (urgency, slots) => Math.trunc(urgency / slots);
    },
    'examples',
  ),
  planted('a completion is told in hours', 'models', 'eta_minutes', (sound) => (work, rate) => {
    return rate > 0 ? sound(work, rate) / 60 : sound(work, rate);
  }),
  planted(
    'availability in parallel',
    'models',
    'effective_sla',
    () => (a, b) => 1 - (1 - a) * (1 - b),
  ),
  planted('C4: the comparison is turned round', 'models', 'order_priority_compare', (sound) => {
    return (a, b) => sound(b, a);
  }),
  planted('C7: a latency of 0 is not selected', 'routing', 'choose_route', (sound) => {
    return (routes, blocked) =>
      sound(
        routes.filter(({ latency }) => latency > 0),
        blocked,
      );
  }),
  planted('E.1: the slowest route is selected', 'routing', 'choose_route', (sound) => {
    return (routes, blocked) => {
      const turned = routes.map((route) => ({ ...route, latency: 1000 - route.latency }));
      const chosen = sound(turned, blocked);
      return chosen && { ...chosen, latency: 1000 - chosen.latency };
    };
  }),
  planted('a blocked route is selected', 'routing', 'choose_route', (sound) => (routes) => {
    return sound(routes, []);
  }),
  planted('a mile is a statute mile', 'routing', 'knots_to_kmh', () => (miles) => miles * 1.609),
  planted('energy per work', 'routing', 'fuel_efficiency', () => (work, energy) => energy / work),
  planted('adjusted latency is rounded', 'routing', 'congestion_adjusted_latency', () => {
    return (base, load) => Math.round(base * (1 + load));
  }),
  planted(
    'dependencies are the direct ones',
    'contracts',
    'dependency_count',
    () => (list, id) => {
      return list.find((service) => service.id === id)?.dependencies.length ?? 0;
    },
    'examples',
  ),
  planted(
    'critical means to depend on others',
    'contracts',
    'is_critical_path',
    () => (list, id) => {
      return (list.find((service) => service.id === id)?.dependencies.length ?? 0) > 0;
    },
    'examples',
  ),
  planted(
    'a version matches by its beginning',
    'contracts',
    'service_version_check',
    () => {
      return (list, id, expected) =>
        list.find((service) => service.id === id)?.version.startsWith(expected) === true;
    },
    'examples',
  ),
  planted(
    'the collision flag is inverted',
    'contracts',
    'port_collision_check',
    (sound) => {
      return (list) => !sound(list);
    },
    'examples',
  ),
];
