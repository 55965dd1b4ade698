// Bench `simulate`: how fast the planner is, and how far it is from what it stands for. Speed: the
// Azure conversation trace on 20 backends. Model consistency: the same arrivals played against real
// `tensorforge sim` processes through a real gateway. And beside it, reported only, simulated
// against recorded durations of a production batch.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readTrace } from '../../src/services/simulation/trace-reader.ts';
import type { Benchmark, BenchmarkContext, Measured } from '../harness/benchmark.ts';
import { median, rounded } from '../harness/statistics.ts';
import { measureConsistency } from './consistency.ts';
import { offlineErrors } from './offline.ts';
import { planOnce } from './plan.ts';

const traces = process.env['TENSORFORGE_TRACES'] ?? '../shared/data';
const conversation = 'azure-llm-2023/AzureLLMInferenceTrace_conv.dev.csv.gz';
const rounds = 5;
const backends = 20;

export const simulateBenchmark: Benchmark = {
  name: 'simulate',
  words: 'The capacity planner: its speed, and its error against served HTTP',
  targets: {
    virtual_per_wall: { op: '>=', value: 500 },
    p95_ttft_error_vs_measured: { op: '<=', value: 0.15 },
  },
  run,
};

async function run(context: BenchmarkContext): Promise<Measured> {
  const file = join(traces, conversation);
  if (!existsSync(file)) {
    context.say(`skipped: ${file} is not at hand; TENSORFORGE_TRACES says where traces are`);
    return { metrics: {}, config: { trace: conversation }, missing: [`trace ${conversation}`] };
  }
  const trace = await readTrace(file, undefined);
  // The first round is slower: it compiles. It is one of the five.
  const speeds = Array.from({ length: rounds }, (_, round) => {
    const speed = planOnce(trace.arrivals, backends);
    context.say(`round ${round + 1}: ${speed.toFixed(0)} virtual seconds a second`);
    return speed;
  });
  const consistency = await measureConsistency(context, trace.arrivals);
  const offline = await offlineErrors(join(traces, 'servegen-offline'), context.say);
  return {
    metrics: {
      virtual_per_wall: rounded(median(speeds), 0),
      ...consistency.metrics,
      ...offline.metrics,
    },
    config: {
      rounds,
      trace: conversation,
      requests: trace.arrivals.length,
      backends,
      profile: 'a100-7b',
      consistency: consistency.config,
      offline: offline.config,
    },
    missing: [],
  };
}
