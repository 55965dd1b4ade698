// The burn rates as a chart: three lines of one point per minute, on a logarithmic scale, because 1
// and 14.4 matter alike. A minute without a point, and a window without enough requests, are gaps.

import type { BurnPairWire, BurnPointWire } from '../api/wire.ts';
import { formatSignificant } from '../format/numbers.ts';
import { formatClock, formatSpan } from '../format/time.ts';
import type { Columns } from './traffic.ts';

const minuteSeconds = 60;
const hourSeconds = 3600;

/** Minutes that the chart shows. */
export const burnWindowSeconds = 6 * hourSeconds;

export function formatBurn(burn: number): string {
  return `${formatSignificant(burn)}×`;
}

/** The points with an empty one for each minute that is missing between two of them. */
function withGaps(points: readonly BurnPointWire[]): readonly BurnPointWire[] {
  const filled: BurnPointWire[] = [];
  for (const point of points) {
    const last = filled.at(-1);
    const first = Math.max((last?.t ?? point.t) + minuteSeconds, point.t - burnWindowSeconds);
    for (let t = first; t < point.t; t += minuteSeconds) {
      filled.push({ t, five_minutes: null, hour: null, six_hours: null });
    }
    filled.push(point);
  }
  return filled;
}

export function burnColumns(points: readonly BurnPointWire[]): Columns {
  const filled = withGaps(points);
  return {
    times: filled.map(({ t }) => t),
    lines: [
      filled.map(({ five_minutes }) => five_minutes),
      filled.map(({ hour }) => hour),
      filled.map(({ six_hours }) => six_hours),
    ],
  };
}

/** Where the lines across the chart are: the factors of the pairs, the highest first. */
export function burnFactors(pairs: readonly BurnPairWire[]): readonly number[] {
  return [...new Set(pairs.map(({ factor }) => factor))].sort((a, b) => b - a);
}

/** `fast: 14.4× over 1 h and 5 m, moves the mode` */
export function pairWords(pair: BurnPairWire): string {
  const long = formatSpan(pair.long_seconds * 1000);
  const short = formatSpan(pair.short_seconds * 1000);
  const effect = pair.moves ? 'moves the mode' : 'only tells';
  return `${pair.name}: ${formatBurn(pair.factor)} over ${long} and ${short}, ${effect}`;
}

function peak(points: readonly BurnPointWire[]): { readonly burn: number; readonly t: number } {
  let most = { burn: Number.NEGATIVE_INFINITY, t: 0 };
  for (const { t, five_minutes: burn } of points) {
    if (burn !== null && burn > most.burn) most = { burn, t };
  }
  return most;
}

/** What the chart shows, in one sentence. */
export function burnWords(points: readonly BurnPointWire[]): string {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) return 'No minute was recorded yet.';
  const span = `From ${formatClock(first.t * 1000)} to ${formatClock(last.t * 1000)}`;
  const { burn, t } = peak(points);
  if (burn === Number.NEGATIVE_INFINITY) {
    return `${span}: never enough requests in 5 minutes to say how fast the budget burns.`;
  }
  return `${span}: the budget burnt at most ${formatBurn(burn)} over 5 minutes, at ${formatClock(t * 1000)}.`;
}
