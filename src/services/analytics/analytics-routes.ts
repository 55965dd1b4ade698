// What the platform measured lately, as one document: rates, latencies with what they are worth, the
// health of each service and the alerts that stand.

import { type Instant, toRfc3339 } from '../../base/time.ts';
import type { LogSketch } from '../../core/statistics/log-sketch.ts';
import { errorRate } from '../../core/telemetry/health-score.ts';
import { throughput } from '../../core/telemetry/service-level.ts';
import { type ControlRoute, json, needs } from '../../io/http/control-route.ts';
import {
  type AlertWire,
  type QuantilesWire,
  type TelemetryWire,
  telemetryQuerySchema,
  telemetrySchema,
} from '../../protocol/control/platform-schemas.ts';

/** What the other services measured; a window is the last so many whole seconds. */
export type TelemetrySources = {
  readonly now: () => Instant;
  /** Resolves once the gateway threads have reported what they know. */
  readonly flush: () => Promise<void>;
  readonly recent: (windowSeconds: number) => {
    readonly requests: number;
    readonly errors: number;
  };
  /** First-byte latencies, ms. */
  readonly firstByte: (windowSeconds: number) => LogSketch;
  readonly services: () => TelemetryWire['services'];
  readonly alerts: () => readonly AlertWire[];
};

/** Base-2 buckets of 1.1 %: the finest that Prometheus and OpenTelemetry both take without rescaling. */
const histogramScale = 6;

function quantilesOf(sketch: LogSketch): QuantilesWire {
  const { count } = sketch;
  if (count === 0) {
    return { count, p50: null, p95: null, p99: null, min: null, max: null, relative_error: 0 };
  }
  const [p50, p95, p99] = [sketch.answer(0.5), sketch.answer(0.95), sketch.answer(0.99)] as const;
  return {
    count,
    p50: p50.value,
    p95: p95.value,
    p99: p99.value,
    min: sketch.min,
    max: sketch.max,
    relative_error: Math.max(p50.relativeError, p95.relativeError, p99.relativeError),
  };
}

function histogramOf(sketch: LogSketch): TelemetryWire['first_byte_histogram'] {
  const { scale, count, sum, zeroThreshold, zeroCount, positive } =
    sketch.toNativeHistogram(histogramScale);
  return {
    scale,
    count,
    sum,
    zero_threshold: zeroThreshold,
    zero_count: zeroCount,
    positive: { indexes: [...positive.indexes], counts: [...positive.counts] },
  };
}

function exported(sources: TelemetrySources, windowSeconds: number): TelemetryWire {
  const { requests, errors } = sources.recent(windowSeconds);
  const firstByte = sources.firstByte(windowSeconds);
  return {
    object: 'telemetry',
    at: toRfc3339(sources.now()),
    window_seconds: windowSeconds,
    requests,
    errors,
    error_rate: errorRate(requests, errors),
    throughput_per_second: throughput(requests, windowSeconds * 1000),
    first_byte_ms: quantilesOf(firstByte),
    first_byte_histogram: histogramOf(firstByte),
    services: sources
      .services()
      .map(({ service, level, health_score }) => ({ service, level, health_score })),
    alerts: [...sources.alerts()],
  };
}

export function analyticsRoutes(sources: TelemetrySources): ControlRoute[] {
  return [
    {
      service: 'analytics',
      method: 'GET',
      path: '/v1/telemetry/export',
      needs: needs('telemetry:read'),
      summary: 'Rates, latencies, health and alerts of the last seconds',
      query: telemetryQuerySchema,
      answer: telemetrySchema,
      handle: async (call) => {
        await sources.flush();
        const { window_seconds } = telemetryQuerySchema.parse(call.query);
        return json(exported(sources, window_seconds));
      },
    },
  ];
}
