// Anthropic's interface: `GET /v1/models` in pages (platform.claude.com/docs/en/api/models/list) and
// `POST /v1/messages` whole or as events (platform.claude.com/docs/en/build-with-claude/streaming).

import { digestPrompt } from '../../core/workload/engine/prompt-digest.ts';
import { readAnthropicRequest } from './anthropic-request.ts';
import { anthropicWriter } from './anthropic-writer.ts';
import type { Exchange } from './exchange.ts';
import { generate } from './generation.ts';
import type { JsonObject } from './json-body.ts';
import { post, servedModel } from './openai-common.ts';
import { badRequest, unknownModel } from './refusals.ts';
import { get } from './routing.ts';
import { hasQuirk, type Route, type Simulation } from './simulation.ts';
import { toolCallOf } from './tool-call.ts';

const pageDefault = 20;
const pageMax = 1000;

export function anthropicRoutes(simulation: Simulation): readonly Route[] {
  return [
    get('/v1/models', (exchange) => listPage(simulation, exchange)),
    get('/v1/models/', (exchange, _body, rest) => {
      const model = servedModel(simulation, rest);
      if (model === undefined) exchange.refuse(unknownModel('anthropic', rest));
      else exchange.json(entryOf(simulation, model));
    }),
    post('/v1/messages', (exchange, body) => message(simulation, exchange, body)),
    {
      ...post('/v1/messages/count_tokens', (exchange, body) => countTokens(exchange, body)),
      inference: false,
    },
  ];
}

function listPage(simulation: Simulation, exchange: Exchange): void {
  const limit = Number(exchange.query.get('limit') ?? pageDefault);
  if (!Number.isInteger(limit) || limit < 1 || limit > pageMax) {
    exchange.refuse(badRequest(`limit: Input should be from 1 to ${pageMax}`));
    return;
  }
  const { names } = simulation.models;
  const after = exchange.query.get('after_id');
  const start = after === null ? 0 : names.indexOf(after) + 1;
  const page = names.slice(start, start + limit);
  exchange.json({
    data: page.map((model) => entryOf(simulation, model)),
    has_more: start + limit < names.length,
    first_id: page[0] ?? null,
    last_id: page.at(-1) ?? null,
  });
}

/** Entries told neither limits nor abilities at first. */
function entryOf(simulation: Simulation, model: string): JsonObject {
  const created_at = simulation.startedAt.toISOString();
  const entry = { type: 'model', id: model, display_name: model, created_at };
  if (hasQuirk(simulation, 'anthropic-old-list')) return entry;
  const supported = { supported: true };
  return {
    ...entry,
    max_input_tokens: simulation.options.contextLength,
    max_tokens: Math.min(8192, simulation.options.contextLength),
    capabilities: { image_input: supported, structured_outputs: supported, batch: supported },
  };
}

function message(simulation: Simulation, exchange: Exchange, body: JsonObject): void {
  const read = readAnthropicRequest(body);
  if (!read.ok) {
    exchange.refuse(read.error);
    return;
  }
  const { model: asked, text, extraTokens, stream, maxTokens, forced } = read.value;
  const model = servedModel(simulation, asked);
  if (model === undefined) {
    exchange.refuse(unknownModel('anthropic', asked));
    return;
  }
  const { digest } = digestPrompt(text, `${simulation.options.seed}\n`);
  const call = forced === undefined ? undefined : toolCallOf(forced, digest);
  const output = call === undefined ? undefined : JSON.stringify(call.arguments);
  const suffix = `${simulation.options.name}${simulation.nextNumber()}`;
  const writer = anthropicWriter({ suffix, model: asked, call });
  const spec = { model, text, extraTokens, maxTokens: undefined, capTokens: maxTokens, stream };
  generate(simulation, exchange, { ...spec, output }, writer);
}

/** Free of charge, and free of generation. */
function countTokens(exchange: Exchange, body: JsonObject): void {
  const read = readAnthropicRequest({ max_tokens: 1, ...body });
  if (!read.ok) {
    exchange.refuse(read.error);
    return;
  }
  const { text, extraTokens } = read.value;
  exchange.json({ input_tokens: digestPrompt(text, '', extraTokens).tokens });
}
