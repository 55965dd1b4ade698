// `GET /v1/models` as each server words it.

import { faceFacts } from './face-facts.ts';
import type { JsonObject } from './json-body.ts';
import { secondsOf, servedModel } from './openai-common.ts';
import { unknownModel } from './refusals.ts';
import { get } from './routing.ts';
import { hasQuirk, type Route, type Simulation } from './simulation.ts';

export function modelListRoutes(simulation: Simulation): readonly Route[] {
  if (hasQuirk(simulation, 'tgi-no-models-route')) return [];
  if (hasQuirk(simulation, 'llamacpp-no-models-route')) return [];
  const { as } = simulation.options;
  const isOpen = as === 'llamacpp';
  const list = (): readonly JsonObject[] =>
    simulation.models.names.map((model) => modelEntry(simulation, model));
  return [
    get('/v1/models', (exchange) => exchange.json({ object: 'list', data: list() }), isOpen),
    get(
      '/v1/models/',
      (exchange, _body, rest) => {
        const model = servedModel(simulation, rest);
        if (model === undefined) exchange.refuse(unknownModel(as, rest));
        else exchange.json(modelEntry(simulation, model));
      },
      isOpen,
    ),
  ];
}

export function modelEntry(simulation: Simulation, model: string): JsonObject {
  return {
    id: model,
    object: 'model',
    created: secondsOf(simulation.startedAt),
    owned_by: simulation.options.as === 'tgi' ? model : faceFacts[simulation.options.as].ownedBy,
    ...ownMembers(simulation, model),
  };
}

function ownMembers(simulation: Simulation, model: string): JsonObject {
  const { options, engine } = simulation;
  switch (options.as) {
    case 'vllm': {
      const length = hasQuirk(simulation, 'vllm-no-max-len')
        ? {}
        : { max_model_len: engine.lengthMax };
      return { root: model, parent: null, ...length, permission: [] };
    }
    case 'sglang':
      // python/sglang/srt/entrypoints/openai/protocol.py, ModelCard
      return { root: model, parent: null, max_model_len: engine.lengthMax };
    case 'llamacpp':
      return { meta: { n_ctx_train: options.contextLength } };
    case 'exo':
      // github.com/exo-explore/exo src/exo/shared/types/api.py, ModelListModel
      return {
        hugging_face_id: model,
        name: model,
        description: '',
        context_length: 0,
        tags: [],
        storage_size_megabytes: Math.round(simulation.models.bytesOf(model) / 1e6),
        supports_tensor: false,
      };
    default:
      return {};
  }
}
