// The nearest backend: of the client's region first, then by great-circle distance between the regions
// (haversine on a sphere of 6 371 km), then by load. Regions and their places stand in
// `routing.regions`, those of backends in `routing.backend_regions`.

import type { Place } from '../snapshot.ts';
import { highest, loadOf } from './ranking.ts';
import type { Candidate, Choice, RoutingPolicy } from './routing-policy.ts';

const earthRadiusKm = 6371;
/** Farther than anything on Earth: a region without a place, or no region at all. */
const nowhereKm = 20_038;

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

/** Kilometres along the surface, 0 to about 20 015. */
export function distanceKm(a: Place, b: Place): number {
  const latitude = Math.sin(radians(b.latitude - a.latitude) / 2) ** 2;
  const longitude = Math.sin(radians(b.longitude - a.longitude) / 2) ** 2;
  const along =
    latitude + Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * longitude;
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(along)));
}

function kmOf({ target }: Candidate, { features, settings }: Choice): number {
  const { regions, backendRegions } = settings;
  const from = features.region;
  const to = Object.hasOwn(backendRegions, target.id) ? backendRegions[target.id] : undefined;
  if (from === undefined || to === undefined) return nowhereKm;
  if (from === to) return 0;
  const a = Object.hasOwn(regions, from) ? regions[from] : undefined;
  const b = Object.hasOwn(regions, to) ? regions[to] : undefined;
  return a === undefined || b === undefined ? nowhereKm : Math.round(distanceKm(a, b));
}

/** Whole kilometres decide; among equals the load does. */
export const geographic: RoutingPolicy = {
  reads: 0,
  rank(candidates, choice) {
    for (const candidate of candidates) {
      // A load is told in hundredths of a kilometre, so it never outweighs one.
      const load = Math.min(Math.round(loadOf(candidate) * 100), 99);
      candidate.score = -(kmOf(candidate, choice) * 100 + load);
    }
  },
  pick: (candidates, { input }) => highest(candidates, input.cursor),
  reason: ({ target, score }) => `nearest:${target.name}:${Math.floor(-score / 100)}`,
};
