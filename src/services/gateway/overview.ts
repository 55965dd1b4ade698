// The overview: one verdict the server computed, what wants a person, and the live series.

import { type Instant, toRfc3339 } from '../../base/time.ts';
import type { AlertWire } from '../../protocol/control/platform-schemas.ts';
import type { OverviewWire } from '../../protocol/control/schemas.ts';
import type { Traffic } from './traffic.ts';

/** What the overview needs to know of one backend. */
export type BackendBrief = {
  readonly id: string;
  readonly routable: boolean;
  readonly status: string;
  readonly approved: boolean;
  readonly simulated: boolean;
  readonly statusWords: string;
};

export type Attention = OverviewWire['attention'][number];

export type OverviewInput = {
  readonly now: Instant;
  readonly uptimeSeconds: number;
  readonly inFlight: number;
  readonly backends: readonly BackendBrief[];
  readonly alerts: readonly AlertWire[];
  /** What else wants a person: a strict serving mode, a broken audit trail, a full log. */
  readonly notices: readonly Attention[];
  readonly traffic: Traffic;
};

const attentionMax = 7;

function attentionOf(backend: BackendBrief): Attention | undefined {
  const why = `tensorforge explain backend ${backend.id}`;
  if (!backend.approved) {
    const words = `backend ${backend.id}: ${backend.statusWords}`;
    return { level: 'attention', words, action: `tensorforge backends approve ${backend.id}` };
  }
  if (backend.status === 'unhealthy') {
    return { level: 'bad', words: `backend ${backend.id}: ${backend.statusWords}`, action: why };
  }
  return undefined;
}

function attentionOfAlert({ name, value, threshold, since }: AlertWire): Attention {
  const score = `health score ${value.toFixed(3)} below ${threshold} since ${since}`;
  return { level: 'attention', words: `service ${name}: ${score}`, action: 'tensorforge status' };
}

function verdictOf(
  input: OverviewInput,
  wants: number,
): Pick<OverviewWire, 'verdict' | 'verdict_level'> {
  const nowSeconds = Math.floor(input.now / 1000);
  const recent = input.traffic.recent(60, nowSeconds);
  const routable = input.backends.filter((backend) => backend.routable).length;
  const total = input.backends.length;
  if (total === 0) {
    return { verdict: 'Not serving: no backend yet.', verdict_level: 'attention' };
  }
  if (routable === 0) {
    return {
      verdict: `Not serving: none of ${total} backends takes requests.`,
      verdict_level: 'bad',
    };
  }
  const failed = recent.errors === 0 ? 'none failed' : `${recent.errors} failed`;
  const traffic =
    recent.requests === 0
      ? 'No request in the last minute.'
      : `${recent.requests} requests in the last minute, ${failed}.`;
  const head = `Serving. ${routable} of ${total} backends take requests. ${traffic}`;
  const isBad = recent.requests > 0 && recent.errors / recent.requests > 0.25;
  const level = isBad ? 'bad' : wants > 0 || recent.errors > 0 ? 'attention' : 'ok';
  return { verdict: head, verdict_level: level };
}

export function overviewOf(input: OverviewInput): OverviewWire {
  const wants = [
    ...input.notices,
    ...input.backends.map(attentionOf),
    ...input.alerts.map(attentionOfAlert),
  ]
    .filter((item) => item !== undefined)
    .sort((a, b) => Number(b.level === 'bad') - Number(a.level === 'bad'));
  const { total, succeeded, failed } = input.traffic.totals;
  return {
    at: toRfc3339(input.now),
    ...verdictOf(input, wants.length),
    attention: wants.slice(0, attentionMax),
    uptime_seconds: input.uptimeSeconds,
    requests: { total, succeeded, failed },
    in_flight: input.inFlight,
    series: input.traffic.series(Math.floor(input.now / 1000)),
    backends: {
      total: input.backends.length,
      routable: input.backends.filter((backend) => backend.routable).length,
    },
    simulated: input.backends.some((backend) => backend.simulated),
  };
}
