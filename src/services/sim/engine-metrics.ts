// The `/metrics` pages: the same figures of the engine under the names that each server uses (vLLM
// 0.11, SGLang 0.5, llama-server b6900, text-generation-inference 3.3).

import type { EngineStats } from '../../core/workload/engine/engine-model.ts';
import type { EngineTimings } from './engine-timings.ts';
import { escapeLabel, type MetricKind, series } from './prometheus-text.ts';

type Line = (kind: MetricKind, name: string, help: string, value: number) => string;

function lineFor(prefix: string, labels: string): Line {
  return (kind, name, help, value) => series(kind, `${prefix}${name}`, help, labels, value);
}

function kvUse(stats: EngineStats): number {
  return stats.kvUsedTokens / stats.kvTotalTokens;
}

/** `isOld`: the names that were there before (`gpu_cache_usage_perc`, `time_per_output_token_seconds`). */
export function vllmMetrics(
  stats: EngineStats,
  timings: EngineTimings,
  model: string,
  isOld: boolean,
): string {
  const labels = `engine="0",model_name="${escapeLabel(model)}"`;
  const line = lineFor('vllm:', labels);
  const use = isOld ? 'gpu_cache_usage_perc' : 'kv_cache_usage_perc';
  const gap = isOld ? 'time_per_output_token_seconds' : 'inter_token_latency_seconds';
  return [
    line('gauge', 'num_requests_running', 'Requests in the batch.', stats.running),
    line('gauge', 'num_requests_waiting', 'Requests waiting.', stats.waiting),
    line('gauge', use, 'KV cache in use, 1 is full.', kvUse(stats)),
    line('counter', 'prefix_cache_queries_total', 'Tokens asked for.', stats.prefixQueriedTokens),
    line('counter', 'prefix_cache_hits_total', 'Prompt tokens found.', stats.prefixHitTokens),
    line('counter', 'num_preemptions_total', 'Preemptions; the simulator has none.', 0),
    line('counter', 'prompt_tokens_total', 'Prompt tokens computed.', stats.promptTokensTotal),
    line('counter', 'generation_tokens_total', 'Output tokens.', stats.generatedTokensTotal),
    timings.firstToken.lines('vllm:time_to_first_token_seconds', 'Time to first token.', labels),
    timings.nextToken.lines(`vllm:${gap}`, 'Time between tokens.', labels),
    timings.request.lines('vllm:e2e_request_latency_seconds', 'Time of a request.', labels),
    timings.queue.lines('vllm:request_queue_time_seconds', 'Time in the queue.', labels),
  ].join('');
}

export function sglangMetrics(stats: EngineStats, timings: EngineTimings, model: string): string {
  const labels = `engine_type="unified",model_name="${escapeLabel(model)}",pp_rank="0",tp_rank="0"`;
  const line = lineFor('sglang:', labels);
  const hits = stats.prefixHitTokens / Math.max(1, stats.prefixQueriedTokens);
  return [
    line('gauge', 'num_running_reqs', 'Running requests.', stats.running),
    line('gauge', 'num_queue_reqs', 'Requests in the queue.', stats.waiting),
    line('gauge', 'num_used_tokens', 'Tokens in use.', stats.kvUsedTokens),
    line('gauge', 'token_usage', 'Token usage, 1 is full.', kvUse(stats)),
    line('gauge', 'cache_hit_rate', 'Prefix cache hit rate.', hits),
    line('counter', 'prompt_tokens_total', 'Prompt tokens.', stats.promptTokensTotal),
    line('counter', 'generation_tokens_total', 'Output tokens.', stats.generatedTokensTotal),
    timings.firstToken.lines('sglang:time_to_first_token_seconds', 'To the first.', labels),
  ].join('');
}

export function tgiMetrics(stats: EngineStats, timings: EngineTimings): string {
  const line = lineFor('tgi_', '');
  return [
    line('gauge', 'batch_current_size', 'Requests in the batch.', stats.running),
    line('gauge', 'queue_size', 'Requests waiting.', stats.waiting),
    line('counter', 'request_count', 'Requests.', stats.submittedTotal),
    line('counter', 'request_success', 'Requests that ended well.', stats.finishedTotal),
    timings.request.lines('tgi_request_duration', 'Time of a request.', ''),
    timings.queue.lines('tgi_request_queue_duration', 'Time in the queue.', ''),
  ].join('');
}

/** `isOld`: with `kv_cache_usage_ratio`, which llama.cpp removed in its pull request 13660. */
export function llamacppMetrics(
  stats: EngineStats,
  timings: EngineTimings,
  isOld: boolean,
): string {
  const line = lineFor('llamacpp:', '');
  const promptSeconds = stats.prefillUsTotal * timings.secondsPerUs;
  const decodeSeconds = stats.decodeUsTotal * timings.secondsPerUs;
  const rate = (amount: number, per: number): number => (per > 0 ? amount / per : 0);
  const busy = rate(stats.busySequencesTotal, stats.stepsTotal);
  const promptRate = rate(stats.promptTokensTotal, promptSeconds);
  const outputRate = rate(stats.generatedTokensTotal, decodeSeconds);
  return [
    line('counter', 'prompt_tokens_total', 'Prompt tokens computed.', stats.promptTokensTotal),
    line('counter', 'prompt_seconds_total', 'Time in prompts.', promptSeconds),
    line('counter', 'tokens_predicted_total', 'Output tokens.', stats.generatedTokensTotal),
    line('counter', 'tokens_predicted_seconds_total', 'Time in output.', decodeSeconds),
    line('counter', 'n_decode_total', 'Steps.', stats.stepsTotal),
    line('gauge', 'n_busy_slots_per_decode', 'Mean slots in use in a step.', busy),
    line('gauge', 'prompt_tokens_seconds', 'Prompt tokens a second.', promptRate),
    line('gauge', 'predicted_tokens_seconds', 'Output tokens a second.', outputRate),
    isOld ? line('gauge', 'kv_cache_usage_ratio', 'KV cache in use.', kvUse(stats)) : '',
    line('gauge', 'requests_processing', 'Requests in slots.', stats.running),
    line('gauge', 'requests_deferred', 'Requests waiting.', stats.waiting),
  ].join('');
}
