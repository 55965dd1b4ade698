// The native interfaces of LM Studio: v0 (lmstudio.ai/docs/developer/rest/endpoints, from 0.3.6) and
// v1 (lmstudio.ai/docs/developer/rest, from 0.4.0), which can also load and unload.

import { textMember } from './json-body.ts';
import { abilitiesOf } from './model-abilities.ts';
import type { StoredModel } from './model-store.ts';
import { badRequest, unknownModel } from './refusals.ts';
import { get } from './routing.ts';
import { hasQuirk, type Route, type Simulation } from './simulation.ts';

export function lmstudioRoutes(simulation: Simulation): readonly Route[] {
  if (hasQuirk(simulation, 'lmstudio-no-native')) return [];
  const older = v0Routes(simulation);
  return hasQuirk(simulation, 'lmstudio-v0-only') ? older : [...older, ...v1Routes(simulation)];
}

function v0Routes(simulation: Simulation): readonly Route[] {
  const { models, options } = simulation;
  const entry = (model: StoredModel): unknown => v0Entry(model, options.contextLength);
  return [
    get('/api/v0/models', (exchange) =>
      exchange.json({ object: 'list', data: models.list().map(entry) }),
    ),
    get('/api/v0/models/', (exchange, _body, rest) => {
      const model = models.get(rest);
      if (model === undefined) exchange.refuse(unknownModel('lmstudio', rest));
      else exchange.json(entry(model));
    }),
  ];
}

function v0Entry({ name, state }: StoredModel, contextLength: number): unknown {
  const { isEmbedding, hasVision } = abilitiesOf(name);
  const isLoaded = state === 'loaded';
  return {
    id: name,
    object: 'model',
    type: isEmbedding ? 'embeddings' : hasVision ? 'vlm' : 'llm',
    publisher: 'simulated',
    arch: 'llama',
    compatibility_type: 'gguf',
    quantization: 'Q4_0',
    state: isLoaded ? 'loaded' : 'not-loaded',
    max_context_length: contextLength,
    ...(isLoaded ? { loaded_context_length: contextLength } : {}),
    ...(isEmbedding ? {} : { capabilities: ['tool_use'] }),
  };
}

function v1Routes(simulation: Simulation): readonly Route[] {
  const { models, options } = simulation;
  const entry = (model: StoredModel): unknown => v1Entry(model, options.contextLength);
  return [
    get('/api/v1/models', (exchange) => exchange.json({ models: models.list().map(entry) })),
    loadRoute(simulation),
    unloadRoute(simulation),
  ];
}

function v1Entry({ name, state, sizeBytes }: StoredModel, contextLength: number): unknown {
  const { isEmbedding, hasVision } = abilitiesOf(name);
  const abilities = { vision: hasVision, trained_for_tool_use: true };
  const instance = { id: name, config: { context_length: contextLength } };
  return {
    type: isEmbedding ? 'embedding' : 'llm',
    publisher: 'simulated',
    key: name,
    display_name: name,
    architecture: 'llama',
    quantization: { name: 'Q4_0', bits_per_weight: 4 },
    size_bytes: sizeBytes,
    params_string: null,
    loaded_instances: state === 'loaded' ? [instance] : [],
    max_context_length: contextLength,
    format: 'gguf',
    ...(isEmbedding ? {} : { capabilities: abilities }),
    description: null,
  };
}

function loadRoute({ models }: Simulation): Route {
  return lifeRoute('/api/v1/models/load', (exchange, body) => {
    const name = textMember(body, 'model') ?? '';
    const model = models.get(name);
    if (model === undefined) {
      exchange.refuse(unknownModel('lmstudio', name));
      return;
    }
    const askedAt = Date.now();
    const finish = (end: string): void => {
      const seconds = (Date.now() - askedAt) / 1000;
      const told = { instance_id: name, load_time_seconds: seconds, status: 'loaded' };
      const type = abilitiesOf(name).isEmbedding ? 'embedding' : 'llm';
      if (end === 'loaded') exchange.json({ type, ...told });
      else exchange.refuse({ status: 500, message: 'Failed to load model: canceled' });
    };
    models.load(name, finish, Infinity);
  });
}

function unloadRoute({ models }: Simulation): Route {
  return lifeRoute('/api/v1/models/unload', (exchange, body) => {
    const id = textMember(body, 'instance_id');
    if (id === undefined) exchange.refuse(badRequest("'instance_id' is required", 'instance_id'));
    else if (models.unload(id)) exchange.json({ instance_id: id });
    else exchange.refuse({ status: 404, message: `Model instance "${id}" not found.` });
  });
}

function lifeRoute(path: string, handle: Route['handle']): Route {
  return { method: 'POST', path, inference: false, open: false, handle };
}
