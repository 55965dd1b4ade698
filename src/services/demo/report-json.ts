// The report for programs: one object, snake_case, null for what was not measured.

import { candidateStrategy } from './decision-replay.ts';
import type { Percentiles } from './percentiles.ts';
import type { Report } from './report.ts';
import type { Look } from './report-text.ts';

/** Three digits behind the point: more would be noise. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function percentilesJson({ count, p50, p95, p99 }: Percentiles): Record<string, number | null> {
  const shown = (value: number | null): number | null => (value === null ? null : rounded(value));
  return { count, p50: shown(p50), p95: shown(p95), p99: shown(p99) };
}

export function reportJson(report: Report, look: Look): Record<string, unknown> {
  const { kill, cut, plan } = report;
  return {
    demo: 'tensorforge',
    passed: report.missed.length === 0,
    missed: report.missed,
    seed: report.seed,
    simulated: true,
    cores: report.cores,
    load: {
      source: plan.source,
      planned: plan.requests.length,
      span_s: plan.spanS,
      output_factor: plan.scaling.outputFactor,
      output_tokens_max: plan.scaling.outputTokensMax,
      prompt_tokens_max: plan.scaling.promptTokensMax,
      outputs_shortened: plan.outputsShortened,
      prompts_shortened: plan.promptsShortened,
    },
    engines: report.engines.map(({ name, as, profile, speed, maxRunning }) => ({
      name,
      as,
      profile,
      speed,
      max_running: maxRunning,
    })),
    requests: report.requests,
    ok: report.ok,
    failed_before_first_byte: report.failedBeforeFirstByte,
    cut_streams: report.cutStreams,
    broken: report.broken,
    failed_over: report.failedOver,
    examples: report.examples,
    kill:
      kill === undefined || cut === undefined
        ? null
        : {
            engine: kill.engine,
            at_ms: Math.round(kill.atMs),
            streams_running: kill.engineStreams,
            without_first_byte: kill.engineSilent,
            client_open_streams: cut.openAtKill,
            looked_ms: rounded(kill.lookedMs),
            finished_under_way: cut.finishedUnderWay,
            begun_under_way: cut.begunUnderWay,
            streams_that_ran_there: cut.ranThere,
            cut_elsewhere: cut.cutElsewhere,
            added_requests: kill.addedRequests,
          },
    ttft_ms: percentilesJson(report.ttftMs),
    total_s: percentilesJson(report.totalS),
    overhead_ms: percentilesJson(report.overheadMs),
    share: report.shares.map((share) => ({ ...share, percent: rounded(share.percent) })),
    queue_max: report.queueMaxima,
    gateway: {
      failovers: report.gateway.failovers,
      streams_cut: report.gateway.streamsCut,
    },
    replay: {
      decisions: report.again.decisions,
      requests: report.again.requests,
      divergences: report.again.divergences,
      faults: report.again.faults,
      skipped: report.again.skipped,
      candidate: candidateStrategy,
      changed: report.again.changed,
      shifts: report.again.shifts,
    },
    fleet:
      report.fleet === undefined
        ? null
        : {
            backend: report.fleet.engine,
            routable: report.fleet.routable,
            verdict: report.fleet.verdict,
            probes: report.fleet.probes,
            closed_gates: report.fleet.closed,
          },
    client_lag_p99_ms: rounded(report.clientLagP99Ms),
    wall_s: report.wallS,
    look:
      look.kept === undefined
        ? null
        : { url: look.kept.url, key_file: look.kept.keyFile, data_directory: look.kept.folder },
  };
}
