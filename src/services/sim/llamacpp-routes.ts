// What a llama-server says about itself (github.com/ggml-org/llama.cpp tools/server/README.md), with
// one model, and in router mode, where models are loaded when they are asked for.
//
// In router mode `/props` and `/metrics` of a model load it too, unless they say `autoload=false`.

import { llamacppMetrics } from './engine-metrics.ts';
import type { Exchange } from './exchange.ts';
import { type JsonObject, textMember } from './json-body.ts';
import type { LoadEnd } from './model-store.ts';
import { modelEntry } from './openai-models.ts';
import { prometheusText } from './prometheus-text.ts';
import { badRequest, loading, unknownModel } from './refusals.ts';
import { get } from './routing.ts';
import { hasQuirk, type Route, type Simulation } from './simulation.ts';

/** The API level that this face follows. */
const buildInfo = 'b6900-simulated';

export function llamacppRoutes(simulation: Simulation): Route[] {
  const routes = [
    get('/health', (exchange) => tellHealth(simulation, exchange), true),
    get('/v1/health', (exchange) => tellHealth(simulation, exchange), true),
    get('/slots', (exchange) => exchange.json(slotsOf(simulation))),
    get('/metrics', (exchange) => tellMetrics(simulation, exchange)),
  ];
  if (hasQuirk(simulation, 'llamacpp-no-props')) return routes;
  const model = simulation.models.names[0] ?? '';
  return [...routes, get('/props', (exchange) => exchange.json(propsOf(simulation, model)))];
}

export function llamacppRouterRoutes(simulation: Simulation): Route[] {
  const { models } = simulation;
  const ofModel = (exchange: Exchange, then: (model: string) => void): void => {
    const model = exchange.query.get('model');
    if (model === null) exchange.refuse(badRequest('model name is missing from the request'));
    else if (models.get(model) === undefined) exchange.refuse(unknownModel('llamacpp', model));
    else if (exchange.query.get('autoload') !== 'false')
      models.use(model, answerIf(exchange, then, model));
    else if (models.get(model)?.state === 'loaded') then(model);
    else exchange.refuse(badRequest('model is not loaded'));
  };
  return [
    get('/health', (exchange) => exchange.json({ status: 'ok' }), true),
    get('/models', (exchange) => exchange.json(routerList(simulation)), true),
    get('/props', (exchange) => {
      if (!exchange.query.has('model')) exchange.json(routerProps());
      else ofModel(exchange, (model) => exchange.json(propsOf(simulation, model)));
    }),
    get('/slots', (exchange) => ofModel(exchange, () => exchange.json(slotsOf(simulation)))),
    get('/metrics', (exchange) => ofModel(exchange, () => tellMetrics(simulation, exchange))),
    lifeRoute(simulation, '/models/load', (model) => {
      if (models.get(model)?.state !== 'unloaded') return 'model is already running';
      models.load(model, () => {}, Infinity);
      return undefined;
    }),
    lifeRoute(simulation, '/models/unload', (model) =>
      models.unload(model) ? undefined : 'model is not running',
    ),
  ];
}

function answerIf(
  exchange: Exchange,
  then: (model: string) => void,
  model: string,
): (end: LoadEnd) => void {
  return (end) => (end === 'loaded' ? then(model) : exchange.refuse(loading('llamacpp')));
}

/** `act` gives the words of a refusal, or undefined where it did what was asked. */
function lifeRoute(
  { models }: Simulation,
  path: string,
  act: (model: string) => string | undefined,
): Route {
  return {
    method: 'POST',
    path,
    inference: false,
    open: false,
    handle: (exchange, body) => {
      const model = textMember(body, 'model') ?? '';
      const refused = models.get(model) === undefined ? 'model is not found' : act(model);
      if (refused === undefined) exchange.json({ success: true });
      else exchange.refuse(badRequest(refused));
    },
  };
}

function routerList(simulation: Simulation): unknown {
  const data = simulation.models.list().map(({ name, state }) => ({
    ...modelEntry(simulation, name),
    path: `${name}.gguf`,
    status: state === 'unloaded' ? { value: state } : { value: state, args: ['llama-server'] },
    architecture: { input_modalities: ['text'], output_modalities: ['text'] },
  }));
  return { object: 'list', data };
}

function routerProps(): unknown {
  return {
    role: 'router',
    model_alias: 'llama-server',
    model_path: 'none',
    default_generation_settings: { params: {}, n_ctx: 0 },
    build_info: buildInfo,
  };
}

function propsOf({ options }: Simulation, model: string): unknown {
  return {
    default_generation_settings: { id: 0, n_ctx: options.contextLength, params: {} },
    total_slots: options.maxRunning,
    model_alias: model,
    model_path: `${model}.gguf`,
    chat_template: '{{ messages }}',
    modalities: { vision: false, audio: false },
    build_info: buildInfo,
  };
}

function slotsOf({ options, engine }: Simulation): readonly JsonObject[] {
  const { running } = engine.stats();
  return Array.from({ length: options.maxRunning }, (_, id) => ({
    id,
    n_ctx: options.contextLength,
    is_processing: id < running,
  }));
}

/** In builds of 2024 `/health` told of slots, and a server without a free one was not well. */
function tellHealth(simulation: Simulation, exchange: Exchange): void {
  if (!hasQuirk(simulation, 'llamacpp-no-slot')) {
    exchange.json({ status: 'ok' });
    return;
  }
  const { running } = simulation.engine.stats();
  const idle = simulation.options.maxRunning - running;
  const slots = { slots_idle: idle, slots_processing: running };
  if (idle > 0) exchange.json({ status: 'ok', ...slots });
  else exchange.json({ status: 'no slot available', ...slots }, 503);
}

function tellMetrics(simulation: Simulation, exchange: Exchange): void {
  if (hasQuirk(simulation, 'llamacpp-no-metrics')) {
    const message = 'This server does not support metrics endpoint. Start it with `--metrics`';
    exchange.refuse({ status: 501, message });
    return;
  }
  const isOld = hasQuirk(simulation, 'llamacpp-old-metrics');
  const text = llamacppMetrics(simulation.engine.stats(), simulation.timings, isOld);
  exchange.text(text, prometheusText);
}
