// The report for a person: what was sent, what came of it, what was missed, where to look.

import { candidateStrategy } from './decision-replay.ts';
import { samplesNeeded } from './percentiles.ts';
import { isSlow, type Report } from './report.ts';

/** Where to look afterwards. */
export type Look = {
  /** Set when the control plane stays up. */
  readonly kept:
    | { readonly url: string; readonly keyFile: string; readonly folder: string }
    | undefined;
};

const indent = ' '.repeat(9);

/** `4 812` */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ' ');
}

function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `p50 148 p95 402 p99 611`; what the sample is too small for says so. */
function percentileWords(
  values: { readonly [name in 'p50' | 'p95' | 'p99']: number | null },
  count: number,
  noun: string,
  digits: number,
): string {
  const shown: string[] = [];
  for (const name of ['p50', 'p95', 'p99'] as const) {
    const value = values[name];
    shown.push(
      value === null
        ? `${name} not shown: ${counted(count, noun)}, ${samplesNeeded[name]} needed`
        : `${name} ${value.toFixed(digits)}`,
    );
  }
  return shown.join(' ');
}

function killLines(report: Report): string[] {
  const { kill, cut } = report;
  if (kill === undefined || cut === undefined) return [];
  const added =
    kill.addedRequests === 0
      ? ''
      : ` (${kill.addedRequests} requests were added so that the moment came)`;
  const lines = [
    `${kill.engine} killed (SIGKILL) at ${(kill.atMs / 1000).toFixed(1)} s with ${kill.engineStreams} streams running and ${kill.engineSilent} requests without a first byte${added}`,
    `failed_before_first_byte ${report.failedBeforeFirstByte} · failed over ${report.failedOver} · cut_streams ${cut.cut} of ${cut.ranThere} that ran there${cut.matches ? ', each ended in one error event and [DONE]' : ''}`,
  ];
  if (cut.finishedUnderWay + cut.begunUnderWay > 0) {
    lines.push(
      `${cut.openAtKill} were open at the client; ${cut.finishedUnderWay} ended whole and ${cut.begunUnderWay} began with bytes that were under way`,
    );
  }
  return lines;
}

function loadLines(report: Report): string[] {
  const { plan } = report;
  const { scaling, burst } = plan;
  const bursts =
    burst === undefined
      ? ''
      : `, ${burst.factor} times that for ${(burst.share * burst.periodS).toFixed(1)} s in every ${burst.periodS.toFixed(1)} s`;
  const rate = plan.spanS === 0 ? 0 : plan.requests.length / plan.spanS;
  return [
    `${rate.toFixed(1)} requests/s${bursts}`,
    `scaled: output lengths times ${scaling.outputFactor}, at most ${scaling.outputTokensMax} tokens (${plan.outputsShortened} shortened); prompts at most ${grouped(scaling.promptTokensMax)} (${plan.promptsShortened} shortened)`,
  ];
}

function queueWords(report: Report): string {
  const lines = Object.entries(report.queueMaxima)
    .map(([name, waiting]) => `${name} ${waiting}`)
    .join(' ');
  return `longest line inside the engines: ${lines} requests`;
}

function replayLines({ again }: Report): string[] {
  const { decisions, divergences, changed } = again;
  const share = decisions === 0 ? 0 : (changed * 100) / decisions;
  const shifts = again.shifts.map(
    ({ backend, recorded, candidate }) => `${backend} ${grouped(recorded)} → ${grouped(candidate)}`,
  );
  return [
    `${counted(decisions, 'decision')} again: ${grouped(divergences)} differ; the candidate policy (${candidateStrategy}) would change ${grouped(changed)} (${share.toFixed(1)} %)`,
    `certain: ${shifts.join(' · ')} · what that would do to latency: tensorforge replay --policy FILE`,
  ];
}

function fleetLines({ fleet }: Report): string[] {
  if (fleet === undefined) return [];
  const closed = fleet.closed.length === 0 ? 'none' : fleet.closed.join(', ');
  return [
    `${fleet.engine}: ${fleet.verdict}`,
    `closed gates: ${closed} · ${fleet.probes} · tensorforge explain backend ${fleet.engine}`,
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.map((line, i) => (i === 0 ? title.padEnd(indent.length) : indent) + line);
}

function lookLines({ kept }: Look): string[] {
  if (kept === undefined) {
    return [
      'npm start, then http://127.0.0.1:8120 · stay up after the demo: npm run demo -- --keep',
    ];
  }
  return [
    `${kept.url}/   sign in with the key in ${kept.keyFile}`,
    `tensorforge --data-dir ${kept.folder} backends list`,
    'Ctrl-C stops everything; the data directory stays.',
  ];
}

/** The lines of the report. Colour marks only what was missed and the verdict. */
export function reportLines(report: Report, look: Look, color: boolean): string[] {
  const paint = (code: number, text: string): string =>
    color ? `\u001b[${code}m${text}\u001b[0m` : text;
  const { ttftMs, totalS, overheadMs } = report;
  const isPassed = report.missed.length === 0;
  const failures = report.failedBeforeFirstByte + report.broken;
  const shares = report.shares.map(({ backend, percent }) => `${backend} ${percent.toFixed(0)} %`);
  const lines = [
    `TensorForge demo: ${report.plan.source} (seed ${report.seed}), ${report.engines.length} SIMULATED engines, ${counted(report.cores, 'core')}`,
    ...section('load', loadLines(report)),
    ...section('serve', [
      `${counted(report.requests, 'request')}, client saw ${counted(failures, 'failure')}; ${grouped(report.ok)} whole, ${grouped(report.cutStreams)} cut by the kill`,
      ...killLines(report),
      `TTFT ms ${percentileWords(ttftMs, ttftMs.count, 'stream', 0)} · total s ${percentileWords(totalS, totalS.count, 'answer', 1)}`,
      `gateway's own time ms ${percentileWords(overheadMs, overheadMs.count, 'answer', 2)}`,
      `share ${shares.join(' ')} · ${queueWords(report)}`,
    ]),
    ...section('fleet', fleetLines(report)),
    ...section('replay', replayLines(report)),
    ...report.missed.map((words) => paint(31, `missed   ${words}`)),
    ...section('failed', report.examples),
  ];
  if (report.clientLagP99Ms > 50) {
    lines.push(
      `note     this machine was the limit: timers of the client were ${report.clientLagP99Ms.toFixed(0)} ms late (p99), and all times hold that`,
    );
  }
  if (isSlow(report)) {
    lines.push(
      `note     the whole run took ${report.wallS.toFixed(0)} s; it is meant to take a minute`,
    );
  }
  lines.push(
    `Engines are simulated: judge routing and safety by this, not model speed. ${report.wallS.toFixed(0)} s`,
    ...section('look', lookLines(look)),
    paint(
      isPassed ? 32 : 31,
      isPassed ? '✓ passed' : `✗ ${counted(report.missed.length, 'goal')} missed`,
    ),
  );
  return lines;
}
