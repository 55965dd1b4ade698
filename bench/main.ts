// `npm run -s bench -- NAME [--json]`: runs one benchmark and prints its report, with --json as one
// JSON object on the last line of stdout; `--list` names the benchmarks. Exit 0 when it passes, 1
// when a target is missed, 2 for a wrong command line, 3 when it could not be measured at all.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { decisionBenchmark } from './decision/decision.ts';
import { gatewayBenchmark } from './gateway/gateway.ts';
import { gatewaySoakBenchmark } from './gateway-soak/gateway-soak.ts';
import { type Benchmark, meets, type Report, reportOf } from './harness/benchmark.ts';
import { Processes } from './harness/processes.ts';
import { memoryBenchmark } from './memory/memory.ts';
import { queueBenchmark } from './queue/queue.ts';
import { registryBenchmark } from './registry/registry.ts';
import { replayBenchmark } from './replay/replay.ts';
import { routingBenchmark } from './routing/routing.ts';
import { scenariosBenchmark } from './scenarios/scenarios.ts';
import { simulateBenchmark } from './simulate/simulate.ts';
import { simulationSeedsBenchmark } from './simulation-seeds/simulation-seeds.ts';
import { statisticsBenchmark } from './statistics/statistics.ts';

const benchmarks: readonly Benchmark[] = [
  gatewayBenchmark,
  gatewaySoakBenchmark,
  decisionBenchmark,
  routingBenchmark,
  statisticsBenchmark,
  memoryBenchmark,
  queueBenchmark,
  scenariosBenchmark,
  replayBenchmark,
  registryBenchmark,
  simulateBenchmark,
  simulationSeedsBenchmark,
];

/** Every benchmark ends within five minutes; past that it has failed and is stopped. */
const limitMs = 295_000;
const stopGraceMs = 20_000;

function usage(words: string): never {
  const names = benchmarks.map(({ name }) => name).join(', ');
  process.stderr.write(`${words}\nusage: npm run -s bench -- NAME [--json] | --list\n`);
  process.stderr.write(`names: ${names}\n`);
  process.exit(2);
}

function printTable(report: Report): void {
  for (const [name, value] of Object.entries(report.metrics)) {
    const target = report.targets[name];
    const verdict = target === undefined ? '' : meets(value, target) ? 'met' : 'MISSED';
    const bound = target === undefined ? '' : `target ${target.op} ${target.value}`;
    process.stdout.write(
      `${name.padEnd(36)} ${String(value).padStart(10)}  ${bound}  ${verdict}\n`,
    );
  }
  if (report.missing.length > 0) process.stdout.write(`missing: ${report.missing.join(', ')}\n`);
  process.stdout.write(`${report.bench}: ${report.pass ? 'pass' : 'FAIL'}\n`);
}

async function measure(benchmark: Benchmark): Promise<Report> {
  const processes = new Processes();
  const scratch = mkdtempSync(join(tmpdir(), 'tfb-'));
  const stopped = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => stopped.reject(new Error(`not done within ${limitMs / 1000} s`)),
    limitMs,
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stopped.reject(new Error(`stopped by ${signal}`)));
  }
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  try {
    const measured = benchmark.run({ processes, scratch, say });
    return reportOf(benchmark, await Promise.race([measured, stopped.promise]));
  } finally {
    clearTimeout(timer);
    await processes.stopAll(stopGraceMs);
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  const { values, positionals } = readArguments();
  if (values.list) {
    for (const { name, words } of benchmarks) process.stdout.write(`${name.padEnd(12)} ${words}\n`);
    return 0;
  }
  const [name, ...rest] = positionals;
  const benchmark = benchmarks.find((candidate) => candidate.name === name);
  if (benchmark === undefined) usage(name === undefined ? 'no benchmark named' : `no ${name}`);
  if (rest.length > 0) usage('one benchmark at a time');
  try {
    const report = await measure(benchmark);
    if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else printTable(report);
    return report.pass ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    return 3;
  }
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
  } catch (error) {
    usage(error instanceof Error ? error.message : String(error));
  }
}

process.exit(await main());
