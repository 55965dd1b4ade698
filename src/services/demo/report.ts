// The figures of one demo, from what the client booked. Every goal that was missed is a line in
// `missed`; the demo passes when there is none.

import type { GatewayCounts } from './control-plane.ts';
import type { DecisionReplay } from './decision-replay.ts';
import type { EngineSpec } from './engines.ts';
import type { FleetLook } from './fleet-look.ts';
import { type CutCount, countCut, type Kill } from './kill-moment.ts';
import type { LoadPlan } from './load-plan.ts';
import { furtherAttemptsOf, type Outcome } from './outcome.ts';
import { type Percentiles, percentilesOf } from './percentiles.ts';

/** Longest waiting line seen in each engine, by its name; looked at four times a second. */
export type QueueMaxima = Readonly<Record<string, number>>;

export type ReportInput = {
  readonly seed: number;
  readonly plan: LoadPlan;
  readonly engines: readonly EngineSpec[];
  readonly cores: number;
  readonly outcomes: readonly Outcome[];
  readonly kill: Kill | undefined;
  /** Why nothing was killed; undefined when something was. */
  readonly notKilled: string | undefined;
  readonly queueMaxima: QueueMaxima;
  readonly gateway: GatewayCounts;
  /** What was decided, decided again. */
  readonly again: DecisionReplay;
  /** What the registry says of the killed engine; undefined when nothing was killed. */
  readonly fleet: FleetLook | undefined;
  /** How late the timers of the client ran, p99, ms: beyond some tens the machine was the limit. */
  readonly clientLagP99Ms: number;
  /** Whole run with start and stop, seconds. */
  readonly wallS: number;
};

export type Share = {
  readonly backend: string;
  readonly answered: number;
  /** Of all answered requests, 0 to 100. */
  readonly percent: number;
};

export type Report = Omit<ReportInput, 'outcomes'> & {
  readonly requests: number;
  readonly ok: number;
  readonly failedBeforeFirstByte: number;
  readonly cut: CutCount | undefined;
  readonly cutStreams: number;
  readonly broken: number;
  /** Requests that a second backend answered, and attempts beyond the first over all requests. */
  readonly failedOver: number;
  readonly furtherAttempts: number;
  readonly ttftMs: Percentiles;
  readonly totalS: Percentiles;
  readonly overheadMs: Percentiles;
  readonly shares: readonly Share[];
  /** The first few failures in words. */
  readonly examples: readonly string[];
  readonly missed: readonly string[];
};

/** The demo is meant to take about a minute. */
const wallGoalS = 75;
const examplesMax = 5;

function sharesOf(engines: readonly EngineSpec[], outcomes: readonly Outcome[]): Share[] {
  const answered = outcomes.filter((outcome) => outcome.backend !== undefined);
  return engines.map(({ name }) => {
    const own = answered.filter((outcome) => outcome.backend === name).length;
    return { backend: name, answered: own, percent: (own * 100) / Math.max(1, answered.length) };
  });
}

function cutFault(cut: CutCount, kill: Kill): string | undefined {
  if (cut.matches) return undefined;
  const elsewhere = cut.cutElsewhere === 0 ? '' : `, ${cut.cutElsewhere} of them on other engines`;
  return `cut_streams ${cut.cut}${elsewhere}, must be ${cut.ranThere}, the streams that ran on ${kill.engine} at the kill`;
}

function missedOf(report: Omit<Report, 'missed'>): string[] {
  const missed: string[] = [];
  const { failedBeforeFirstByte, broken, cut, kill, notKilled, gateway } = report;
  if (report.requests === 0) missed.push('the load holds no request');
  if (notKilled !== undefined) missed.push(notKilled);
  if (failedBeforeFirstByte > 0) {
    missed.push(`failed_before_first_byte ${failedBeforeFirstByte}, must be 0`);
  }
  if (broken > 0) missed.push(`broken answers ${broken}, must be 0`);
  if (kill === undefined && report.cutStreams > 0) {
    missed.push(`cut_streams ${report.cutStreams}, though nothing was killed`);
  }
  const fault = cut === undefined || kill === undefined ? undefined : cutFault(cut, kill);
  if (fault !== undefined) missed.push(fault);
  if (gateway.streamsCut !== report.cutStreams) {
    missed.push(
      `the gateway counts ${gateway.streamsCut} cut streams, the client ${report.cutStreams}`,
    );
  }
  if (gateway.failovers !== report.furtherAttempts) {
    missed.push(
      `the gateway counts ${gateway.failovers} failovers, the client ${report.furtherAttempts}`,
    );
  }
  return [...missed, ...fleetFaults(report), ...replayFaults(report)];
}

function fleetFaults({ fleet }: Omit<Report, 'missed'>): string[] {
  if (fleet === undefined || !fleet.routable) return [];
  return [`the registry would still send requests to ${fleet.engine}, which was killed`];
}

function replayFaults({ again, requests }: Omit<Report, 'missed'>): string[] {
  const faults: string[] = [];
  if (again.divergences > 0) {
    faults.push(`${again.divergences} decisions differ when they are made again, must be 0`);
  }
  if (again.faults + again.skipped > 0) {
    faults.push(
      `the decision log has ${again.faults} damaged places and ${again.skipped} records that nothing can be decided from`,
    );
  }
  if (again.requests < requests) {
    faults.push(`the decision log holds ${again.requests} of ${requests} requests`);
  }
  return faults;
}

export function reportOf(input: ReportInput): Report {
  const { outcomes, ...rest } = input;
  const count = (kind: Outcome['kind']): number =>
    outcomes.filter((outcome) => outcome.kind === kind).length;
  const ok = outcomes.filter((outcome) => outcome.kind === 'ok');
  const figures = {
    ...rest,
    requests: outcomes.length,
    ok: ok.length,
    failedBeforeFirstByte: count('failed'),
    cut: input.kill === undefined ? undefined : countCut(input.kill, outcomes),
    cutStreams: count('cut'),
    broken: count('broken'),
    failedOver: outcomes.filter((outcome) => outcome.attempts > 1 && outcome.kind === 'ok').length,
    furtherAttempts: furtherAttemptsOf(outcomes),
    ttftMs: percentilesOf(
      outcomes.flatMap(({ stream, startedMs, firstContentMs }) =>
        stream && firstContentMs !== undefined ? [firstContentMs - startedMs] : [],
      ),
    ),
    totalS: percentilesOf(ok.map(({ startedMs, endedMs }) => (endedMs - startedMs) / 1000)),
    overheadMs: percentilesOf(outcomes.flatMap(({ overheadMs }) => overheadMs ?? [])),
    shares: sharesOf(input.engines, outcomes),
    examples: outcomes
      .filter(({ kind }) => kind === 'failed' || kind === 'broken')
      .slice(0, examplesMax)
      .map(({ index, kind, words }) => `request ${index} ${kind}: ${words}`),
  };
  return { ...figures, missed: missedOf(figures) };
}

/** A slow run is told, but it fails nothing: it says more about the machine than about us. */
export function isSlow({ wallS, plan }: Pick<Report, 'wallS' | 'plan'>): boolean {
  return wallS > Math.max(wallGoalS, plan.spanS + wallGoalS / 2);
}
