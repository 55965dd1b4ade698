// What a benchmark is and what it reports. The shape of the report is the same for all of them and
// is described in docs/benchmarks.md.
import { commit, type Machine, machine } from './machine.ts';
import type { Processes } from './processes.ts';

export type Target = { readonly op: '<=' | '>=' | '=='; readonly value: number };

export type BenchmarkContext = {
  readonly processes: Processes;
  /** An empty folder, removed after the run. */
  readonly scratch: string;
  /** One line of progress for whoever waits; never on stdout. */
  readonly say: (line: string) => void;
};

export type Measured = {
  readonly metrics: Readonly<Record<string, number>>;
  /** How it was measured, with each limit that the benchmark raised. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Peers and tools that could not be run; any makes the benchmark fail. */
  readonly missing: readonly string[];
};

export type Benchmark = {
  readonly name: string;
  readonly words: string;
  readonly targets: Readonly<Record<string, Target>>;
  readonly run: (context: BenchmarkContext) => Promise<Measured>;
};

export type Report = Measured & {
  readonly bench: string;
  readonly targets: Readonly<Record<string, Target>>;
  readonly pass: boolean;
  readonly machine: Machine;
  readonly commit: string;
};

export function meets(value: number | undefined, target: Target): boolean {
  if (value === undefined || !Number.isFinite(value)) return false;
  if (target.op === '<=') return value <= target.value;
  if (target.op === '>=') return value >= target.value;
  return value === target.value;
}

/** A benchmark passes when every target is met, none is left unmeasured and nothing is missing. */
export function reportOf(benchmark: Benchmark, measured: Measured): Report {
  const { metrics, config, missing } = measured;
  const met = Object.entries(benchmark.targets).every(([name, target]) =>
    meets(metrics[name], target),
  );
  return {
    bench: benchmark.name,
    metrics,
    targets: benchmark.targets,
    pass: met && missing.length === 0,
    config,
    missing,
    machine: machine(),
    commit: commit(),
  };
}
