// `tensorforge simulate`: reads fleet, trace and policies, plays the trace once for each policy on
// virtual time, and reports. Everything is read and judged before anything is played, so a fault in
// the last file costs no waiting.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type ConfigurationFault, describeFault } from '../../config/fault.ts';
import { usualSettings } from '../../core/routing/snapshot.ts';
import { type FleetFigures, figuresOf } from '../../core/simulation/fleet-figures.ts';
import { simulateFleet } from '../../core/simulation/fleet-simulation.ts';
import { type Arrival, traceRowsMax } from '../../core/workload/traces/arrivals.ts';
import { scaledArrivals } from '../../core/workload/traces/scaled-arrivals.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { SimulationReport } from '../../protocol/simulation/report.ts';
import type { SimulateRequest } from '../../protocol/simulation/request.ts';
import { type Candidate, defaultCandidate, parseCandidate } from './candidate-file.ts';
import { type FleetFile, parseFleet } from './fleet-file.ts';
import { plotPage } from './plot-page.ts';
import { reportOf } from './report-json.ts';
import { readTrace } from './trace-reader.ts';

/** The policy without a file. */
const defaultsWord = 'defaults';

/** Reads, plays and reports; writes the plot when one is asked for. Throws `config_invalid`. */
export async function simulate(request: SimulateRequest): Promise<SimulationReport> {
  const fleet = orFaults(request.fleet, parseFleet(textOf(request.fleet), request.fleet));
  const candidates = candidatesOf(request.policies);
  refuseAbsentFolder(request.plot);
  const trace = await readTrace(request.trace, request.limit);
  const arrivals = arrivalsOf(trace.arrivals, request);
  const played = candidates.map((candidate) => {
    const figures = play(fleet, candidate, arrivals, request);
    return { candidate, figures };
  });
  const notes = [...trace.notes, ...modelNotes(arrivals, fleet, candidates)];
  const report = reportOf({ request, fleet, trace, arrivals, played, notes });
  if (request.plot !== undefined) writePlot(request.plot, report);
  return report;
}

/** As they are to be played: at the load and for the model that were asked for. */
function arrivalsOf(recorded: readonly Arrival[], request: SimulateRequest): readonly Arrival[] {
  const { speed, rateScale: rate, seed, model } = request;
  if (recorded.length * rate > traceRowsMax) {
    const words = `${recorded.length} requests at rate ${rate} are more than ${traceRowsMax}`;
    throw new TensorForgeError('config_invalid', `${words}; take fewer with --limit`);
  }
  const scaled = scaledArrivals(recorded, { speed, rate, seed });
  return model === undefined ? scaled : scaled.map((arrival) => ({ ...arrival, model }));
}

function play(
  { fleet, model, serviceLevel }: FleetFile,
  candidate: Candidate,
  arrivals: readonly Arrival[],
  request: SimulateRequest,
): FleetFigures {
  const run = simulateFleet({
    fleet,
    arrivals,
    routing: { ...usualSettings, ...candidate.routing },
    model,
    seed: request.seed,
    warmUpUs: request.warmUpSeconds * 1e6,
    policy: candidate.policy,
  });
  return figuresOf(run, fleet, serviceLevel);
}

function candidatesOf(policies: readonly string[]): readonly Candidate[] {
  if (policies.length === 0) return [defaultCandidate()];
  const candidates = policies.map((file) =>
    file === defaultsWord ? defaultCandidate() : orFaults(file, parseCandidate(textOf(file), file)),
  );
  const names = candidates.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return candidates;
  throw new TensorForgeError('config_invalid', `two policies are named "${twice}"; rename a file`);
}

type Judged<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: readonly ConfigurationFault[] };

function orFaults<Value>(file: string, judged: Judged<Value>): Value {
  if (judged.ok) return judged.value;
  const faults = judged.error;
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
  throw new TensorForgeError(
    'config_invalid',
    `${file} has ${count}; nothing was simulated. ${faults.map(describeFault).join(' ')}`,
    { details: faults },
  );
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new TensorForgeError('config_invalid', `cannot read ${file}: ${words}`, { cause });
  }
}

function refuseAbsentFolder(plot: string | undefined): void {
  if (plot === undefined || existsSync(dirname(plot))) return;
  throw new TensorForgeError('config_invalid', `cannot write ${plot}: there is no such folder`);
}

function writePlot(file: string, report: SimulationReport): void {
  try {
    writeFileSync(file, plotPage(report));
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new TensorForgeError('config_invalid', `cannot write ${file}: ${words}`, { cause });
  }
}

/** Models that requests ask for and nobody lists: every such request is refused, so it is told. */
function modelNotes(
  arrivals: readonly Arrival[],
  { fleet, model }: FleetFile,
  candidates: readonly Candidate[],
): string[] {
  const listed = new Set(fleet.engines.flatMap((engine) => engine.models));
  for (const { routing } of candidates) {
    for (const alias of Object.keys(routing.aliases)) listed.add(alias);
  }
  const counts = new Map<string, number>();
  for (const arrival of arrivals) {
    const asked = arrival.model ?? model;
    if (!listed.has(asked)) counts.set(asked, (counts.get(asked) ?? 0) + 1);
  }
  return [...counts].map(
    ([asked, count]) =>
      `${count} requests ask for “${asked}”, which no backend lists; --model NAME replaces it, routing.aliases maps it.`,
  );
}
