// Which names of an engine's metrics tell how busy it is, old names and new ones. Samples of one name
// are one for each model, engine or part; together they are the load of the server. The names of the
// engines have nothing in common, so the table also tells which engine a page is of.
//
//   vLLM           https://docs.vllm.ai/en/latest/usage/metrics.html
//                  (before 0.9 `gpu_cache_usage_perc`)
//   SGLang         https://docs.sglang.io/references/production_metrics.html
//   llama.cpp      tools/server/README.md, "GET /metrics" (the ratio until pull request 13660)
//   TGI            https://huggingface.co/docs/text-generation-inference/reference/metrics
//   TensorRT-LLM   trtllm-serve, and the names of Triton's tensorrtllm_backend

import type { EngineLoad } from '../../../core/backends/engine-load.ts';
import type { Sample } from '../../../protocol/prometheus/parse.ts';

export type LoadReading = Omit<EngineLoad, 'readAt'>;

/** A name, and the label that a sample of it must have to count. */
type Metric = { readonly name: string; readonly where?: readonly [string, string] };

type EngineMetrics = {
  /** The first name that a page has counts, so newer ones stand first. */
  readonly running: readonly Metric[];
  readonly waiting: readonly Metric[];
  readonly kvUse: readonly Metric[];
};

const engines: readonly EngineMetrics[] = [
  {
    running: [{ name: 'vllm:num_requests_running' }],
    waiting: [{ name: 'vllm:num_requests_waiting' }],
    kvUse: [{ name: 'vllm:kv_cache_usage_perc' }, { name: 'vllm:gpu_cache_usage_perc' }],
  },
  {
    running: [{ name: 'sglang:num_running_reqs' }],
    waiting: [{ name: 'sglang:num_queue_reqs' }],
    kvUse: [{ name: 'sglang:token_usage' }],
  },
  {
    running: [{ name: 'llamacpp:requests_processing' }],
    waiting: [{ name: 'llamacpp:requests_deferred' }],
    kvUse: [{ name: 'llamacpp:kv_cache_usage_ratio' }],
  },
  {
    running: [{ name: 'tgi_batch_current_size' }],
    waiting: [{ name: 'tgi_queue_size' }],
    kvUse: [],
  },
  {
    running: [
      { name: 'trtllm_num_requests_running' },
      { name: 'nv_trt_llm_request_metrics', where: ['request_type', 'active'] },
    ],
    waiting: [
      { name: 'trtllm_num_requests_waiting' },
      { name: 'nv_trt_llm_request_metrics', where: ['request_type', 'waiting'] },
    ],
    kvUse: [
      { name: 'trtllm_kv_cache_utilization' },
      { name: 'nv_trt_llm_kv_cache_block_metrics', where: ['kv_cache_block_type', 'fraction'] },
    ],
  },
];

/** The names that a page is read for. */
export const loadMetricNames: ReadonlySet<string> = new Set(
  engines.flatMap(({ running, waiting, kvUse }) =>
    [...running, ...waiting, ...kvUse].map(({ name }) => name),
  ),
);

/** A server that says it works on more than this is not believed. */
const requestsMax = 1_000_000;

/** Ranks work on the same requests, so each of them tells the same figure again. */
const rankLabels: ReadonlySet<string> = new Set(['tp_rank', 'pp_rank', 'moe_ep_rank', 'pid']);

function partOf({ labels }: Sample): string {
  return JSON.stringify([...labels].filter(([name]) => !rankLabels.has(name)).sort());
}

function samplesOf(samples: readonly Sample[], metrics: readonly Metric[]): readonly Sample[] {
  for (const { name, where } of metrics) {
    const found = samples.filter(
      (sample) =>
        sample.name === name && (where === undefined || sample.labels.get(where[0]) === where[1]),
    );
    if (found.length > 0) return found;
  }
  return [];
}

/** Summed over the parts of the server. A negative or fractional figure is none. */
function requestsOf(samples: readonly Sample[]): number | undefined {
  const parts = new Map<string, number>();
  for (const sample of samples) {
    const isCount = Number.isInteger(sample.value) && sample.value >= 0;
    if (!isCount) continue;
    const part = partOf(sample);
    parts.set(part, Math.max(parts.get(part) ?? 0, sample.value));
  }
  if (parts.size === 0) return undefined;
  const sum = [...parts.values()].reduce((total, value) => total + value, 0);
  return sum <= requestsMax ? sum : undefined;
}

/** The fullest part: it is the first to refuse. Shares are 0 to 1; anything else is none. */
function kvUseOf(samples: readonly Sample[]): number | undefined {
  const shares = samples.map(({ value }) => value).filter((value) => value >= 0 && value <= 1);
  return shares.length === 0 ? undefined : Math.max(...shares);
}

/** What the samples of a page come to; undefined when they are of no engine that is known. */
export function loadOf(samples: readonly Sample[]): LoadReading | undefined {
  for (const { running, waiting, kvUse } of engines) {
    const reading = {
      running: requestsOf(samplesOf(samples, running)),
      waiting: requestsOf(samplesOf(samples, waiting)),
      kvUse: kvUseOf(samplesOf(samples, kvUse)),
    };
    if (Object.values(reading).some((figure) => figure !== undefined)) return reading;
  }
  return undefined;
}

/** Several readings of one server as one: those of the models that a router has loaded. */
export function sumOfLoads(readings: readonly LoadReading[]): LoadReading | undefined {
  if (readings.length === 0) return undefined;
  const summed = (figures: readonly (number | undefined)[]): number | undefined => {
    const known = figures.filter((figure) => figure !== undefined);
    return known.length === 0 ? undefined : known.reduce((total, figure) => total + figure, 0);
  };
  const uses = readings.map(({ kvUse }) => kvUse).filter((use) => use !== undefined);
  return {
    running: summed(readings.map(({ running }) => running)),
    waiting: summed(readings.map(({ waiting }) => waiting)),
    kvUse: uses.length === 0 ? undefined : Math.max(...uses),
  };
}
