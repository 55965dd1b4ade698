// What vLLM and llama-server say about themselves: health, version, metrics, slots.

import type { Route, Simulation } from './simulation.ts';

const prometheusText = 'text/plain; version=0.0.4; charset=utf-8';
/** The API levels that these faces follow. */
const vllmVersion = '0.11.0';
const llamacppBuild = 'b6900-simulated';

export function vllmRoutes(simulation: Simulation): Route[] {
  const { options } = simulation;
  // vLLM asks for a key under /v1 only.
  return [
    open('/health', (exchange) => exchange.text('', 'text/plain')),
    open('/version', (exchange) => exchange.json({ version: vllmVersion })),
    open('/metrics', (exchange) =>
      exchange.text(
        simulation.metrics.vllmText(simulation.engine.stats(), options.models[0] ?? ''),
        prometheusText,
      ),
    ),
  ];
}

export function llamacppRoutes(simulation: Simulation): Route[] {
  const { options, engine } = simulation;
  const slots = (): unknown[] => {
    const { running } = engine.stats();
    return Array.from({ length: options.maxRunning }, (_, id) => ({
      id,
      n_ctx: options.contextLength,
      is_processing: id < running,
    }));
  };
  return [
    open('/health', (exchange) => exchange.json({ status: 'ok' })),
    open('/v1/health', (exchange) => exchange.json({ status: 'ok' })),
    keyed('/props', (exchange) =>
      exchange.json({
        default_generation_settings: { id: 0, n_ctx: options.contextLength, params: {} },
        total_slots: options.maxRunning,
        model_alias: options.models[0],
        model_path: `${options.models[0]}.gguf`,
        chat_template: '{{ messages }}',
        modalities: { vision: false, audio: false },
        build_info: llamacppBuild,
      }),
    ),
    keyed('/slots', (exchange) => exchange.json(slots())),
    keyed('/metrics', (exchange) =>
      exchange.text(simulation.metrics.llamacppText(engine.stats()), prometheusText),
    ),
  ];
}

function open(path: string, handle: Route['handle']): Route {
  return { method: 'GET', path, inference: false, open: true, handle };
}

function keyed(path: string, handle: Route['handle']): Route {
  return { method: 'GET', path, inference: false, open: false, handle };
}
