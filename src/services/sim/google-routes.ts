// Google's interface: `GET /v1beta/models` in pages (ai.google.dev/api/models) and, below a model's
// name, `:generateContent` and `:streamGenerateContent?alt=sse` (ai.google.dev/api/generate-content).

import { digestPrompt } from '../../core/workload/engine/prompt-digest.ts';
import type { Exchange } from './exchange.ts';
import { generate } from './generation.ts';
import { readGoogleRequest } from './google-request.ts';
import { googleWriter } from './google-writer.ts';
import type { JsonObject } from './json-body.ts';
import { abilitiesOf } from './model-abilities.ts';
import { post, servedModel } from './openai-common.ts';
import { badRequest, unknownModel } from './refusals.ts';
import { get } from './routing.ts';
import type { Route, Simulation } from './simulation.ts';
import { toolCallOf } from './tool-call.ts';

const pageDefault = 50;
const pageMax = 1000;

export function googleRoutes(simulation: Simulation): readonly Route[] {
  return [
    get('/v1beta/models', (exchange) => listPage(simulation, exchange)),
    get('/v1beta/models/', (exchange, _body, rest) => {
      const model = servedModel(simulation, rest);
      if (model === undefined) exchange.refuse(unknownModel('google', rest));
      else exchange.json(entryOf(simulation, model));
    }),
    post('/v1beta/models/', (exchange, body, rest) => act(simulation, exchange, body, rest)),
  ];
}

/** A page token is the number of the first model of the page. */
function listPage(simulation: Simulation, exchange: Exchange): void {
  const size = Number(exchange.query.get('pageSize') ?? pageDefault);
  const start = Number(exchange.query.get('pageToken') ?? 0);
  if (!Number.isInteger(size) || size < 1 || !Number.isInteger(start) || start < 0) {
    exchange.refuse(badRequest('Invalid page size or page token.'));
    return;
  }
  const { names } = simulation.models;
  const end = start + Math.min(size, pageMax);
  exchange.json({
    models: names.slice(start, end).map((model) => entryOf(simulation, model)),
    ...(end < names.length ? { nextPageToken: String(end) } : {}),
  });
}

function entryOf({ options }: Simulation, model: string): JsonObject {
  const { isEmbedding } = abilitiesOf(model);
  return {
    name: `models/${model}`,
    version: '001',
    displayName: model,
    description: 'simulated',
    inputTokenLimit: options.contextLength,
    outputTokenLimit: Math.min(8192, options.contextLength),
    supportedGenerationMethods: isEmbedding ? ['embedContent'] : ['generateContent', 'countTokens'],
  };
}

function act(simulation: Simulation, exchange: Exchange, body: JsonObject, rest: string): void {
  const at = rest.lastIndexOf(':');
  const asked = rest.slice(0, Math.max(0, at));
  const model = servedModel(simulation, asked);
  const isOffered = model !== undefined && !abilitiesOf(model).isEmbedding;
  if (!isOffered) {
    exchange.refuse(unknownModel('google', asked));
    return;
  }
  switch (rest.slice(at + 1)) {
    case 'generateContent':
      generateContent(simulation, exchange, body, model, 'whole');
      break;
    case 'streamGenerateContent':
      // Without `alt=sse` the real service streams one JSON array, which no gateway asks for.
      if (exchange.query.get('alt') === 'sse') {
        generateContent(simulation, exchange, body, model, 'stream');
      } else {
        exchange.refuse(badRequest('The simulated server streams with alt=sse only.'));
      }
      break;
    default:
      exchange.refuse({ status: 404, message: 'Method not found.' });
  }
}

function generateContent(
  simulation: Simulation,
  exchange: Exchange,
  body: JsonObject,
  model: string,
  form: 'whole' | 'stream',
): void {
  const read = readGoogleRequest(body);
  if (!read.ok) {
    exchange.refuse(read.error);
    return;
  }
  const { text, extraTokens, maxTokens, forced } = read.value;
  const { digest } = digestPrompt(text, `${simulation.options.seed}\n`);
  const call = forced === undefined ? undefined : toolCallOf(forced, digest);
  const output = call === undefined ? undefined : JSON.stringify(call.arguments);
  const responseId = `${simulation.options.name}-${simulation.nextNumber()}`;
  const writer = googleWriter({ responseId, model, call });
  const spec = { model, text, extraTokens, maxTokens, stream: form === 'stream', output };
  generate(simulation, exchange, spec, writer);
}
