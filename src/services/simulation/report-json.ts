// Figures of the core as the report of the wire. Rounded, so that a figure claims no more than it
// says and the same run gives the same bytes: times to the microsecond, shares to 1e-6.

import type {
  EngineFigures,
  FleetFigures,
  Percentiles,
} from '../../core/simulation/fleet-figures.ts';
import { percentileOfRanked } from '../../core/statistics/percentile.ts';
import type { Arrival } from '../../core/workload/traces/arrivals.ts';
import type {
  SimulatedCandidateWire,
  SimulatedEngineWire,
  SimulationReport,
} from '../../protocol/simulation/report.ts';
import type { SimulateRequest } from '../../protocol/simulation/request.ts';
import type { Candidate } from './candidate-file.ts';
import type { FleetFile } from './fleet-file.ts';
import type { ReadTrace } from './trace-reader.ts';

export type ReportInput = {
  readonly request: SimulateRequest;
  readonly fleet: FleetFile;
  readonly trace: ReadTrace;
  /** As played. */
  readonly arrivals: readonly Arrival[];
  readonly played: readonly { readonly candidate: Candidate; readonly figures: FleetFigures }[];
  readonly notes: readonly string[];
};

export function reportOf(input: ReportInput): SimulationReport {
  const { request, fleet, trace, arrivals, played } = input;
  const { gateway, engines } = fleet.fleet;
  const calibrationError = calibrationErrorOf(input);
  return {
    simulated: true,
    trace: {
      file: request.trace,
      format: trace.format,
      requests: arrivals.length,
      warm_up_requests: played[0]?.figures.warmUpRequests ?? 0,
      unsorted: trace.unsorted,
      without_output: trace.withoutOutput,
      seconds: rounded((arrivals.at(-1)?.atUs ?? 0) / 1e6, 6),
    },
    fleet: {
      file: request.fleet,
      engines: engines.length,
      price_per_hour: rounded(
        engines.reduce((sum, each) => sum + each.pricePerHour, 0),
        6,
      ),
      overhead_ms: gateway.overheadUs / 1000,
      network_ms: gateway.networkUs / 1000,
    },
    slo: { ttft_ms: fleet.serviceLevel.ttftMs, tpot_ms: fleet.serviceLevel.tpotMs },
    seed: request.seed,
    speed: request.speed,
    rate_scale: request.rateScale,
    candidates: played.map(({ candidate, figures }) => candidateOf(candidate, figures)),
    calibration_error: calibrationError,
    notes: [...input.notes, calibrationWords(calibrationError)],
  };
}

/** Only as a log was recorded can it be compared with: neither denser nor thinner. */
function calibrationErrorOf({ request, trace, played }: ReportInput): number | null {
  const simulated = played[0]?.figures.first?.p95;
  const recorded = percentileOfRanked(trace.recordedFirstByteMs, 95);
  const isAsRecorded =
    request.speed === 1 && request.rateScale === 1 && request.limit === undefined;
  if (!isAsRecorded || simulated === undefined || recorded === 0) return null;
  return rounded(Math.abs(simulated - recorded) / recorded, 4);
}

function calibrationWords(error: number | null): string {
  if (error === null) {
    return 'Everything is simulated. This trace has no latencies to compare with; see bench simulate for the error of the model against served HTTP.';
  }
  return `Everything is simulated. The p95 first byte of the first policy is ${(error * 100).toFixed(1)} % off the recorded one, if that policy and fleet are those of the log.`;
}

function candidateOf(candidate: Candidate, figures: FleetFigures): SimulatedCandidateWire {
  return {
    name: candidate.name,
    strategy: candidate.routing.strategy,
    requests: figures.requests,
    answered: figures.answered,
    rejected: figures.rejected,
    rejections: figures.rejections,
    attempts_per_request: rounded(figures.attemptsPerRequest, 6),
    ttft_ms: percentilesOf(figures.first),
    total_ms: percentilesOf(figures.total),
    inter_token_p99_ms: orNull(figures.betweenTokensP99Ms, 3),
    goodput: rounded(figures.goodput, 6),
    slo_attainment: rounded(figures.attainment, 6),
    requests_per_second: rounded(figures.requestsPerSecond, 6),
    tokens_per_second: rounded(figures.tokensPerSecond, 3),
    span_seconds: rounded(figures.spanSeconds, 6),
    price_per_hour: rounded(figures.pricePerHour, 6),
    price_per_million_output_tokens: orNull(figures.pricePerMillionTokens, 6),
    backends: figures.engines.map(engineOf),
    curve: figures.curve.map(({ percent, firstMs, totalMs }) => ({
      percent,
      ttft_ms: rounded(firstMs, 3),
      total_ms: rounded(totalMs, 3),
    })),
    mode_moves: figures.modeMoves.map(({ atUs, to }) => ({ at_seconds: atUs / 1e6, to })),
  };
}

function engineOf(engine: EngineFigures): SimulatedEngineWire {
  return {
    name: engine.name,
    requests: engine.requests,
    share: rounded(engine.share, 6),
    busy: rounded(engine.busy, 6),
    batch_occupancy: rounded(engine.batchOccupancy, 6),
    kv_mean: rounded(engine.kvMean, 6),
    kv_peak: rounded(engine.kvPeak, 6),
    waiting_mean: rounded(engine.waitingMean, 6),
    waiting_peak: engine.waitingPeak,
    tokens_per_second: rounded(engine.tokensPerSecond, 3),
    prefix_cached: rounded(engine.cachedShare, 6),
  };
}

function percentilesOf(figures: Percentiles | undefined): Percentiles | null {
  if (figures === undefined) return null;
  const { p50, p95, p99 } = figures;
  return { p50: rounded(p50, 3), p95: rounded(p95, 3), p99: rounded(p99, 3) };
}

function orNull(value: number | undefined, digits: number): number | null {
  return value === undefined ? null : rounded(value, digits);
}

function rounded(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
