// What vLLM, SGLang and text-generation-inference say about themselves: health, version, metrics.

import { sglangMetrics, tgiMetrics, vllmMetrics } from './engine-metrics.ts';
import type { Exchange } from './exchange.ts';
import { type GenerationWriter, generate } from './generation.ts';
import { prometheusText } from './prometheus-text.ts';
import { get } from './routing.ts';
import { hasQuirk, type Route, type Simulation } from './simulation.ts';

/** The API levels that these faces follow. */
const vllmVersion = '0.11.0';
const sglangVersion = '0.5.9';
const tgiVersion = '3.3.6';

/** docs.vllm.ai/en/stable/serving/openai_compatible_server.html; a key is wanted under /v1 only. */
export function vllmRoutes(simulation: Simulation): Route[] {
  const { models, engine, timings } = simulation;
  const isOld = hasQuirk(simulation, 'vllm-old-metrics');
  const metrics = (): string => vllmMetrics(engine.stats(), timings, models.names[0] ?? '', isOld);
  return [
    get('/health', (exchange) => exchange.text('', 'text/plain'), true),
    get('/version', (exchange) => exchange.json({ version: vllmVersion }), true),
    get('/metrics', (exchange) => exchange.text(metrics(), prometheusText), true),
  ];
}

/** docs.sglang.ai/basic_usage/native_api.html; `/health_generate` really generates. */
export function sglangRoutes(simulation: Simulation): Route[] {
  const { models, engine, timings } = simulation;
  const model = models.names[0] ?? '';
  const metrics = (exchange: Exchange): void =>
    exchange.text(sglangMetrics(engine.stats(), timings, model), prometheusText);
  const modelInfo = (exchange: Exchange): void => exchange.json(sglangModelInfo(model));
  const serverInfo = (exchange: Exchange): void =>
    exchange.json(sglangServerInfo(simulation, model));
  return [
    get('/health', (exchange) => exchange.text('', 'text/plain'), true),
    {
      ...get('/health_generate', (exchange) => generateOne(simulation, exchange, model), true),
      inference: true,
    },
    // The newer names, and those that they replaced.
    get('/model_info', modelInfo),
    get('/get_model_info', modelInfo),
    get('/server_info', serverInfo),
    get('/get_server_info', serverInfo),
    ...(hasQuirk(simulation, 'sglang-no-metrics') ? [] : [get('/metrics', metrics, true)]),
  ];
}

function sglangModelInfo(model: string): unknown {
  return {
    model_path: model,
    tokenizer_path: model,
    is_generation: true,
    preferred_sampling_params: null,
    weight_version: 'default',
    has_image_understanding: false,
    has_audio_understanding: false,
  };
}

function sglangServerInfo({ options, engine }: Simulation, model: string): unknown {
  const stats = engine.stats();
  return {
    model_path: model,
    served_model_name: model,
    context_length: options.contextLength,
    max_running_requests: options.maxRunning,
    max_total_num_tokens: stats.kvTotalTokens,
    internal_states: [{ last_gen_throughput: 0, effective_max_running_requests_per_dp: null }],
    version: sglangVersion,
  };
}

/** One token, as SGLang's deep health check asks for. */
function generateOne(simulation: Simulation, exchange: Exchange, model: string): void {
  const spec = { model, text: 'health', extraTokens: 0, maxTokens: 1, stream: false };
  const writer: GenerationWriter = {
    contentType: 'text/plain',
    opening: () => '',
    content: () => '',
    closing: () => '',
    whole: () => ({}),
  };
  generate(simulation, exchange, spec, writer);
}

/** huggingface.github.io/text-generation-inference */
export function tgiRoutes(simulation: Simulation): Route[] {
  const { models, engine, timings } = simulation;
  const metrics = (): string => tgiMetrics(engine.stats(), timings);
  return [
    get('/health', (exchange) => exchange.text('', 'text/plain'), true),
    get('/info', (exchange) => exchange.json(tgiInfo(simulation, models.names[0] ?? ''))),
    get('/metrics', (exchange) => exchange.text(metrics(), prometheusText), true),
  ];
}

function tgiInfo({ options, engine }: Simulation, model: string): unknown {
  return {
    model_id: model,
    model_sha: null,
    model_pipeline_tag: 'text-generation',
    max_concurrent_requests: options.maxRunning,
    max_best_of: 2,
    max_stop_sequences: 4,
    max_input_tokens: engine.lengthMax - 1,
    max_total_tokens: engine.lengthMax,
    validation_workers: 2,
    max_client_batch_size: 4,
    router: 'text-generation-router',
    version: tgiVersion,
    sha: null,
    docker_label: null,
  };
}
