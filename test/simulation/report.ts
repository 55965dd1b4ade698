// What a run of seeds came to, in words.

import { addCounts, type FaultCounts, faultKinds, noFaults } from './environment/faults.ts';
import type { SeedReport } from './run-seed.ts';

/** The command that runs one seed again. */
function rerunCommand(seed: number): string {
  return `npm run -s simulation -- --seed ${seed} --verbose`;
}

export function failureText({ seed, failure }: SeedReport): string {
  if (failure === undefined) return `seed ${seed}: nothing was violated`;
  const { checker, words, step, virtualMs, recent } = failure;
  return [
    `seed ${seed}, step ${step}, ${(virtualMs / 1000).toFixed(3)} s: ${checker}: ${words}`,
    'the newest events:',
    ...recent.map((line) => `  ${line}`),
    `to run it again: ${rerunCommand(seed)}`,
  ].join('\n');
}

type Totals = {
  readonly seeds: number;
  readonly violations: number;
  readonly virtualHours: number;
  readonly requests: number;
  readonly decisions: number;
  readonly steps: number;
  readonly faults: FaultCounts;
};

export function totalsOf(reports: readonly SeedReport[]): Totals {
  const sum = (of: (report: SeedReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0);
  return {
    seeds: reports.length,
    violations: reports.filter(({ failure }) => failure !== undefined).length,
    virtualHours: sum(({ virtualMs }) => virtualMs) / 3_600_000,
    requests: sum(({ requests }) => requests),
    decisions: sum(({ decisions }) => decisions),
    steps: sum(({ steps }) => steps),
    faults: reports.reduce((total, { faults }) => addCounts(total, faults), noFaults()),
  };
}

export function totalsText(totals: Totals): string {
  const { seeds, violations, virtualHours, requests, decisions, steps, faults } = totals;
  const kinds = faultKinds.map((kind) => `  ${kind.padEnd(22)} ${faults[kind]}`);
  return [
    `${seeds} seeds, ${violations} violations, ${virtualHours.toFixed(1)} virtual hours`,
    `${requests} requests, ${decisions} decisions made again, ${steps} steps`,
    'faults that took effect:',
    ...kinds,
  ].join('\n');
}
