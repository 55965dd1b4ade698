// `POST /v1/embeddings`: unit vectors derived from the text, as floats or as base64.

import { embeddingVector } from '../../core/workload/engine/generated-content.ts';
import { digestPrompt } from '../../core/workload/engine/prompt-digest.ts';
import type { Exchange } from './exchange.ts';
import { prefillOnly } from './generation.ts';
import type { JsonObject } from './json-body.ts';
import { commonOf, post } from './openai-common.ts';
import { textsOfEmbeddingInput } from './prompt-text.ts';
import { badRequest } from './refusals.ts';
import type { Route, Simulation } from './simulation.ts';

export const dimensionsDefault = 384;

export function embeddingRoute(simulation: Simulation): Route {
  return post('/v1/embeddings', (exchange, body) => embeddings(simulation, exchange, body));
}

function embeddings(simulation: Simulation, exchange: Exchange, body: JsonObject): void {
  const common = commonOf(simulation, body, []);
  if (!common.ok) {
    exchange.refuse(common.error);
    return;
  }
  const texts = textsOfEmbeddingInput(body['input']);
  if (!texts.ok) {
    exchange.refuse(texts.error);
    return;
  }
  const dimensions = body['dimensions'] ?? dimensionsDefault;
  if (
    typeof dimensions !== 'number' ||
    !Number.isInteger(dimensions) ||
    dimensions < 1 ||
    dimensions > 4096
  ) {
    exchange.refuse(badRequest('dimensions must be a whole number from 1 to 4096', 'dimensions'));
    return;
  }
  const { model, asked } = common.value;
  const base64 = body['encoding_format'] === 'base64';
  const salt = `${simulation.options.seed}\n${model}\n`;
  const prompts = texts.value.map((text) => digestPrompt(text, salt));
  prefillOnly(simulation, exchange, model, prompts, () => {
    const tokens = prompts.reduce((sum, prompt) => sum + prompt.tokens, 0);
    exchange.json({
      object: 'list',
      data: prompts.map((prompt, index) => {
        const vector = embeddingVector(prompt.digest, dimensions);
        return { object: 'embedding', index, embedding: base64 ? base64Of(vector) : vector };
      }),
      model: asked,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  });
}

/** Little-endian 32-bit floats, as the official clients ask for by default. */
function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((value, index) => {
    bytes.writeFloatLE(value, index * 4);
  });
  return bytes.toString('base64');
}
