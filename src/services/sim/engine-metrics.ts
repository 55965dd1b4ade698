// Figures for the /metrics page of the vllm and llamacpp faces, under the names those servers use
// (vLLM 0.11, llama-server of November 2026), in the Prometheus text format.

import type { EngineStats } from '../../core/workload/engine/engine-model.ts';
import type { TimingObserver } from './engine-driver.ts';

/** Upper bounds in seconds, as vLLM has them. */
const firstTokenBounds = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];
const nextTokenBounds = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];
const requestBounds = [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60];

class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(seconds: number): void {
    this.#sum += seconds;
    this.#count++;
    const index = this.#bounds.findIndex((bound) => seconds <= bound);
    if (index >= 0) this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  lines(name: string, help: string, labels: string): string {
    let below = 0;
    let text = `# HELP ${name} ${help}\n# TYPE ${name} histogram\n`;
    this.#bounds.forEach((bound, index) => {
      below += this.#counts[index] ?? 0;
      text += `${name}_bucket{${labels},le="${bound}"} ${below}\n`;
    });
    text += `${name}_bucket{${labels},le="+Inf"} ${this.#count}\n`;
    return `${text}${name}_sum{${labels}} ${this.#sum}\n${name}_count{${labels}} ${this.#count}\n`;
  }
}

export class EngineMetrics implements TimingObserver {
  /** Seconds of real time for a microsecond of model time. */
  readonly #secondsPerUs: number;
  readonly #firstToken = new Histogram(firstTokenBounds);
  readonly #nextToken = new Histogram(nextTokenBounds);
  readonly #queue = new Histogram(requestBounds);
  readonly #request = new Histogram(requestBounds);

  constructor(speed: number) {
    this.#secondsPerUs = 1e-6 / speed;
  }

  onFirstToken(sinceSubmitUs: number, queueUs: number): void {
    this.#firstToken.observe(sinceSubmitUs * this.#secondsPerUs);
    this.#queue.observe(queueUs * this.#secondsPerUs);
  }

  onNextToken(gapUs: number): void {
    this.#nextToken.observe(gapUs * this.#secondsPerUs);
  }

  onEnd(totalUs: number): void {
    this.#request.observe(totalUs * this.#secondsPerUs);
  }

  vllmText(stats: EngineStats, model: string): string {
    const labels = `engine="0",model_name="${escapeLabel(model)}"`;
    const line = (kind: 'gauge' | 'counter', name: string, help: string, value: number): string =>
      `# HELP vllm:${name} ${help}\n# TYPE vllm:${name} ${kind}\nvllm:${name}{${labels}} ${value}\n`;
    return [
      line('gauge', 'num_requests_running', 'Requests in the batch.', stats.running),
      line('gauge', 'num_requests_waiting', 'Requests waiting.', stats.waiting),
      line(
        'gauge',
        'kv_cache_usage_perc',
        'KV cache in use, 1 is full.',
        stats.kvUsedTokens / stats.kvTotalTokens,
      ),
      line(
        'counter',
        'prefix_cache_queries_total',
        'Prompt tokens asked for.',
        stats.prefixQueriedTokens,
      ),
      line('counter', 'prefix_cache_hits_total', 'Prompt tokens found.', stats.prefixHitTokens),
      line('counter', 'num_preemptions_total', 'Preemptions; the simulator has none.', 0),
      line('counter', 'prompt_tokens_total', 'Prompt tokens computed.', stats.promptTokensTotal),
      line('counter', 'generation_tokens_total', 'Output tokens.', stats.generatedTokensTotal),
      this.#firstToken.lines('vllm:time_to_first_token_seconds', 'Time to first token.', labels),
      this.#nextToken.lines('vllm:inter_token_latency_seconds', 'Time between tokens.', labels),
      this.#request.lines('vllm:e2e_request_latency_seconds', 'Time of a whole request.', labels),
      this.#queue.lines('vllm:request_queue_time_seconds', 'Time in the queue.', labels),
    ].join('');
  }

  llamacppText(stats: EngineStats): string {
    const line = (kind: 'gauge' | 'counter', name: string, help: string, value: number): string =>
      `# HELP llamacpp:${name} ${help}\n# TYPE llamacpp:${name} ${kind}\nllamacpp:${name} ${value}\n`;
    const promptSeconds = stats.prefillUsTotal * this.#secondsPerUs;
    const decodeSeconds = stats.decodeUsTotal * this.#secondsPerUs;
    const rate = (tokens: number, seconds: number): number => (seconds > 0 ? tokens / seconds : 0);
    return [
      line('counter', 'prompt_tokens_total', 'Prompt tokens computed.', stats.promptTokensTotal),
      line('counter', 'prompt_seconds_total', 'Time in prompts.', promptSeconds),
      line('counter', 'tokens_predicted_total', 'Output tokens.', stats.generatedTokensTotal),
      line('counter', 'tokens_predicted_seconds_total', 'Time in output.', decodeSeconds),
      line('counter', 'n_decode_total', 'Steps.', stats.stepsTotal),
      line(
        'gauge',
        'n_busy_slots_per_decode',
        'Mean slots in use in a step.',
        rate(stats.busySequencesTotal, stats.stepsTotal),
      ),
      line(
        'gauge',
        'prompt_tokens_seconds',
        'Prompt tokens a second.',
        rate(stats.promptTokensTotal, promptSeconds),
      ),
      line(
        'gauge',
        'predicted_tokens_seconds',
        'Output tokens a second.',
        rate(stats.generatedTokensTotal, decodeSeconds),
      ),
      line('gauge', 'requests_processing', 'Requests in slots.', stats.running),
      line('gauge', 'requests_deferred', 'Requests waiting.', stats.waiting),
    ].join('');
  }
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
