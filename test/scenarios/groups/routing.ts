// Group 9, routing: documented samples and the exact winner, found by looking at every route.

import type { RouteRecord } from '../../support/documents.ts';
import { equal, exactly, that } from '../expectations.ts';
import { bestByCounting } from '../oracles.ts';
import type { Group } from './group.ts';

/** The one that no other beats: lower latency, then the smaller name. */
function fastest(routes: readonly RouteRecord[]): RouteRecord | null {
  const beats = (a: RouteRecord, b: RouteRecord): boolean =>
    a.latency < b.latency || (a.latency === b.latency && a.channel < b.channel);
  return bestByCounting(routes, 1, beats)[0] ?? null;
}

export const routingGroup: Group = {
  name: 'routing',
  check({ routing }, i) {
    const routes: RouteRecord[] = [
      { channel: 'alpha', latency: 2 + (i % 9) },
      { channel: 'beta', latency: i % 3 },
      { channel: 'gamma', latency: 4 + (i % 4) },
    ];
    const blocked = i % 5 === 0 ? ['beta'] : [];
    const chosen = routing.choose_route(routes, blocked);
    that('some route', chosen !== null);
    that('never a blocked one', !blocked.includes(chosen?.channel ?? ''));
    const open = routes.filter(({ channel }) => !blocked.includes(channel));
    equal('the exact winner', chosen, fastest(open));
    equal('whatever the order', routing.choose_route(routes.toReversed(), blocked), chosen);
    equal('all blocked, none chosen', routing.choose_route(open, ['alpha', 'beta', 'gamma']), null);
    equal('the best of all', routing.best_route(routes), fastest(routes));
    const next = routes.find(({ channel }) => channel !== chosen?.channel);
    equal('failover in list order', routing.route_failover(routes, chosen?.channel ?? ''), next);
    for (const route of routes) {
      const available = !blocked.includes(route.channel) && route.latency > 0;
      equal('available', routing.route_available(route, blocked), available);
    }

    const latency = 5 + (i % 10);
    const score = routing.channel_score(latency, 0.9, 3);
    that('a score', score > 0);
    exactly('score by latency', score * latency, 2.7);
    exactly('weighted alike', routing.weighted_route_score(latency, 0.9, 3) * latency, 2.7);
    const work = 100 + (i % 100);
    exactly('hours of a stage', routing.estimate_transit_time(work, 10) * 10, work);
    const legs = [
      { port: 'embed', distance: work },
      { port: 'generate', distance: 2 * work },
    ];
    const plan = routing.plan_multi_leg(legs, 30);
    exactly('hours of a pipeline', plan.estimated_hours * 10, work);
    const { estimated_hours } = plan;
    equal('a pipeline', plan, { legs, total_distance: 3 * work, estimated_hours });
    const pair = [
      { channel: 'slow', latency: 10 + (i % 5) },
      { channel: 'quick', latency: 2 },
    ];
    equal('the lowest wins', routing.best_route(pair)?.channel, 'quick');
    const position = 10 + (i % 20);
    equal(
      'a gap is absolute',
      routing.distance_between(position, 15),
      Math.max(position - 15, 15 - position),
    );
    const energy = 20 + (i % 10);
    exactly('work per energy', routing.fuel_efficiency(work, energy) * energy, work);
    const fee = 100 + (i % 50);
    equal('fees add up', routing.total_port_fees([fee, 50, 25]), fee + 75);
    exactly('cost of a pipeline', routing.estimate_route_cost(work, 2, fee), 2 * work + fee);
    const miles = 10 + (i % 20);
    exactly('nautical miles', routing.knots_to_kmh(miles) * 1000, miles * 1852);
    const successes = 8 + (i % 3);
    exactly('reliability', routing.route_reliability(successes, 10) * 10, successes);
    const baseMs = 100 + (i % 50);
    const adjusted = routing.congestion_adjusted_latency(baseMs, 0.5);
    equal('adjusted latency is cut to whole ms', adjusted, (3 * baseMs - (baseMs % 2)) / 2);
    const chunks = routing.optimal_stop_count(work, 16);
    that('chunks hold the work, no more', chunks * 16 >= work && (chunks - 1) * 16 < work);
  },
};
