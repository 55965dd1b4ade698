// `tensorforge demo`: the product shown on a workload.
//
//   engines and control plane started -> load replayed, one engine killed -> report -> all stopped
//
// Everything it starts is a process of its own, lives in one temporary folder, and is gone when it
// returns, whatever ends it.

import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { Children } from './children.ts';
import {
  type ControlPlane,
  type GatewayCounts,
  readGatewayCounts,
  startControlPlane,
} from './control-plane.ts';
import { replayDecisions } from './decision-replay.ts';
import { demoEngines, startEngines } from './engines.ts';
import { explainKilled } from './fleet-look.ts';
import { Interrupted, type Interruption, listenForInterruption } from './interruption.ts';
import { generatedPlan, type LoadPlan, tracePlan } from './load-plan.ts';
import { furtherAttemptsOf, type Outcome } from './outcome.ts';
import { createProgress, type Progress } from './progress.ts';
import { replay } from './replay.ts';
import { type Report, reportOf } from './report.ts';
import { reportJson } from './report-json.ts';
import { type Look, reportLines } from './report-text.ts';

/** What the command line asks for. */
export type DemoRequest = {
  /** Absolute path of a trace; undefined plays the generated load. */
  readonly trace: string | undefined;
  /** The whole trace instead of its first seconds. */
  readonly all: boolean;
  /** Stay up at the end until signalled. */
  readonly keep: boolean;
  readonly seed: number;
  /** How long load arrives. */
  readonly seconds: number;
  readonly output: { readonly json: boolean; readonly quiet: boolean; readonly color: boolean };
};

/** Longest that a child may take to end by itself, ms. */
const endGraceMs = 15_000;
/** The threads of the gateway report once a second. */
const countsWithinMs = 5_000;

/**
 * Runs the demo; resolves with 0 when every goal was met, 1 when one was missed, and 128 and the
 * signal when it was interrupted. Throws `config_invalid` for a trace that cannot be read and
 * `internal_error` when something does not start.
 */
export async function runDemo(request: DemoRequest): Promise<number> {
  const startedMs = performance.now();
  // The load is read first: a bad trace is told before anything starts.
  const plan = await planFor(request);
  const children = new Children();
  const folder = mkdtempSync(join(tmpdir(), 'tensorforge-demo-'));
  const progress = createProgress(request.output.quiet, () => performance.now());
  const interruption = listenForInterruption(() => {
    children.killAll();
    process.exit(130);
  });
  let isKept = false;
  const onKept = (): void => {
    isKept = true;
  };
  const stage = { request, plan, children, folder, progress, interruption, startedMs, onKept };
  try {
    return await demonstrate(stage);
  } catch (error) {
    // A wait that is aborted rejects with an error of its own; the reason is in the signal.
    const reason: unknown = interruption.signal.reason;
    if (!(reason instanceof Interrupted)) throw error;
    progress.say(`${reason.message}: what the demo started is being ended`);
    return reason.exitCode;
  } finally {
    await children.end(endGraceMs);
    interruption.ignore();
    if (!isKept) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function planFor(request: DemoRequest): Promise<LoadPlan> {
  const { trace, all, seed, seconds } = request;
  if (trace === undefined) return generatedPlan(seed, seconds);
  const plan = await tracePlan(trace, seed, all ? undefined : seconds);
  if (plan.requests.length > 0) return plan;
  throw new TensorForgeError(
    'config_invalid',
    `${trace} holds no request in its first ${seconds} s`,
  );
}

type Stage = {
  readonly request: DemoRequest;
  readonly plan: LoadPlan;
  readonly children: Children;
  readonly folder: string;
  readonly progress: Progress;
  readonly interruption: Interruption;
  readonly startedMs: number;
  /** Somebody was told where the data is: it stays. */
  readonly onKept: () => void;
};

async function demonstrate(stage: Stage): Promise<number> {
  const { request, plan, children, folder, progress, interruption, startedMs } = stage;
  const { keep, seed, output } = request;
  const { signal } = interruption;
  const engineNames = demoEngines.map((spec) => spec.name).join(', ');
  progress.say(`starting 3 simulated engines (${engineNames}) and the control plane`);
  const interrupted = interruption.happened.then((reason) => Promise.reject(reason));
  const start = async () => {
    const engines = await startEngines(children, demoEngines);
    return { engines, plane: await startControlPlane(children, folder, engines, keep) };
  };
  const { engines, plane } = await Promise.race([start(), interrupted]);
  progress.say(
    `ready after ${seconds(startedMs)} s; ${plan.requests.length} requests in ${plan.spanS.toFixed(0)} s`,
  );
  const replayed = await replay({ plan, plane, engines, seed, progress, signal });
  const gateway = await settledCounts(plane, replayed.outcomes);
  progress.say('deciding again what was decided, and beside it by a candidate policy');
  const again = await replayDecisions(plane);
  const { kill } = replayed;
  const fleet = kill === undefined ? undefined : await explainKilled(plane, kill.engine);
  if (!keep) await children.end(endGraceMs);
  const report = reportOf({
    ...replayed,
    seed,
    plan,
    engines: demoEngines,
    cores: availableParallelism(),
    gateway,
    again,
    fleet,
    wallS: Number(seconds(startedMs)),
  });
  const { url, keyFile, dataDirectory } = plane;
  const look = { kept: keep ? { url, keyFile, folder: dataDirectory } : undefined };
  print(report, look, output);
  if (keep) {
    stage.onKept();
    await interruption.happened;
  }
  return report.missed.length === 0 ? 0 : 1;
}

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1000).toFixed(1);
}

/** What the gateway counted, once it has caught up with what the client saw. */
async function settledCounts(
  plane: ControlPlane,
  outcomes: readonly Outcome[],
): Promise<GatewayCounts> {
  const cut = outcomes.filter((outcome) => outcome.kind === 'cut').length;
  const failovers = furtherAttemptsOf(outcomes);
  const deadlineMs = performance.now() + countsWithinMs;
  for (;;) {
    const counts = await readGatewayCounts(plane);
    const hasCaughtUp = counts.streamsCut >= cut && counts.failovers >= failovers;
    if (hasCaughtUp || performance.now() > deadlineMs) return counts;
    await delay(100);
  }
}

function print(report: Report, look: Look, output: DemoRequest['output']): void {
  if (output.json) {
    process.stdout.write(`${JSON.stringify(reportJson(report, look))}\n`);
  } else if (output.quiet) {
    process.stdout.write(`${report.missed.length === 0 ? 'passed' : 'missed'}\n`);
  } else {
    process.stdout.write(`${reportLines(report, look, output.color).join('\n')}\n`);
  }
}
