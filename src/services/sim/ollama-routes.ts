// The native protocol of Ollama: NDJSON streams (on unless `stream` is false), durations in
// nanoseconds, models listed as downloaded, loaded once they were used.

import { embeddingVector } from '../../core/workload/engine/generated-content.ts';
import { digestPrompt } from '../../core/workload/engine/prompt-digest.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import type { Exchange } from './exchange.ts';
import {
  type GenerationResult,
  type GenerationSpec,
  type GenerationWriter,
  generate,
  prefillOnly,
} from './generation.ts';
import { isJsonObject, type JsonObject, textMember } from './json-body.ts';
import { commonOf, post } from './openai-common.ts';
import { dimensionsDefault } from './openai-embeddings.ts';
import { textOfMessages, textsOfEmbeddingInput } from './prompt-text.ts';
import { badRequest } from './refusals.ts';
import type { Route, Simulation } from './simulation.ts';

/** The API level that this face follows. */
const ollamaVersion = '0.12.9';
/** Bytes that a model counts as: Llama-2-7b in 4 bits. */
const modelBytes = 3_825_819_519;
const keepAliveMs = 5 * 60_000;

export function ollamaRoutes(simulation: Simulation): Route[] {
  const { options } = simulation;
  const loaded = new Set<string>();
  const use = (model: string): string => {
    loaded.add(model);
    return model;
  };
  return [
    get('/', (exchange) => exchange.text('Ollama is running', 'text/plain; charset=utf-8')),
    get('/api/version', (exchange) => exchange.json({ version: ollamaVersion })),
    get('/api/tags', (exchange) =>
      exchange.json({ models: options.models.map((model) => tagOf(simulation, model)) }),
    ),
    get('/api/ps', (exchange) =>
      exchange.json({
        models: [...loaded].map((model) => ({
          ...tagOf(simulation, model),
          expires_at: new Date(Date.now() + keepAliveMs).toISOString(),
          size_vram: modelBytes,
          context_length: options.contextLength,
        })),
      }),
    ),
    {
      ...post('/api/show', (exchange, body) => show(simulation, exchange, body)),
      inference: false,
    },
    post('/api/chat', (exchange, body) => chat(simulation, exchange, body, use)),
    post('/api/generate', (exchange, body) => generateText(simulation, exchange, body, use)),
    post('/api/embed', (exchange, body) => embed(simulation, exchange, body, use)),
  ];
}

function get(path: string, handle: Route['handle']): Route {
  return { method: 'GET', path, inference: false, open: false, handle };
}

function tagOf({ startedAt }: Simulation, model: string): JsonObject {
  return {
    name: model,
    model,
    modified_at: startedAt.toISOString(),
    size: modelBytes,
    digest: nodeCrypto.sha256Hex(model),
    details: detailsOf(),
  };
}

function detailsOf(): JsonObject {
  return {
    parent_model: '',
    format: 'gguf',
    family: 'llama',
    families: ['llama'],
    parameter_size: '7B',
    quantization_level: 'Q4_0',
  };
}

function show(simulation: Simulation, exchange: Exchange, body: JsonObject): void {
  const model = textMember(body, 'model') ?? textMember(body, 'name');
  const common = commonOf(simulation, { model }, []);
  if (!common.ok) {
    exchange.refuse(common.error);
    return;
  }
  const embedding = /embed/i.test(common.value.model);
  exchange.json({
    modelfile: `# simulated\nFROM ${common.value.model}\n`,
    parameters: `num_ctx ${simulation.options.contextLength}`,
    template: '{{ .Prompt }}',
    details: detailsOf(),
    model_info: {
      'general.architecture': 'llama',
      'general.parameter_count': 6_738_415_616,
      'llama.context_length': simulation.options.contextLength,
      'llama.embedding_length': 4096,
      'llama.block_count': 32,
    },
    capabilities: embedding ? ['embedding'] : ['completion', 'tools'],
    modified_at: simulation.startedAt.toISOString(),
  });
}

function chat(
  simulation: Simulation,
  exchange: Exchange,
  body: JsonObject,
  use: (model: string) => string,
): void {
  const common = commonOf(simulation, body, []);
  if (!common.ok) {
    exchange.refuse(common.error);
    return;
  }
  const prompt = textOfMessages(body['messages']);
  if (!prompt.ok) {
    exchange.refuse(prompt.error);
    return;
  }
  const spec = { model: use(common.value.model), ...prompt.value, ...outputOf(body) };
  const writer = writerOf(common.value.asked, (content) => ({
    message: { role: 'assistant', content },
  }));
  generate(simulation, exchange, spec, writer);
}

function generateText(
  simulation: Simulation,
  exchange: Exchange,
  body: JsonObject,
  use: (model: string) => string,
): void {
  const common = commonOf(simulation, body, []);
  if (!common.ok) {
    exchange.refuse(common.error);
    return;
  }
  const prompt = textMember(body, 'prompt');
  if (prompt === undefined) {
    exchange.refuse(badRequest('prompt must be a text'));
    return;
  }
  const text = `${textMember(body, 'system') ?? ''}${prompt}`;
  const spec = { model: use(common.value.model), text, extraTokens: 0, ...outputOf(body) };
  const writer = writerOf(common.value.asked, (response) => ({ response }));
  generate(simulation, exchange, spec, writer);
}

function embed(
  simulation: Simulation,
  exchange: Exchange,
  body: JsonObject,
  use: (model: string) => string,
): void {
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
  const salt = `${simulation.options.seed}\n${use(common.value.model)}\n`;
  const prompts = texts.value.map((text) => digestPrompt(text, salt));
  prefillOnly(simulation, exchange, prompts, () =>
    exchange.json({
      model: common.value.asked,
      embeddings: prompts.map((prompt) => embeddingVector(prompt.digest, dimensionsDefault)),
      total_duration: 0,
      load_duration: 0,
      prompt_eval_count: prompts.reduce((sum, prompt) => sum + prompt.tokens, 0),
    }),
  );
}

function outputOf(body: JsonObject): Pick<GenerationSpec, 'maxTokens' | 'stream'> {
  const options = body['options'];
  const limit = isJsonObject(options) ? options['num_predict'] : undefined;
  // Negative means no limit there.
  const given = typeof limit === 'number' && Number.isInteger(limit) && limit >= 1;
  return { maxTokens: given ? limit : undefined, stream: body['stream'] !== false };
}

function writerOf(model: string, piece: (text: string) => JsonObject): GenerationWriter {
  const frame = (members: JsonObject): JsonObject => ({
    model,
    created_at: new Date().toISOString(),
    ...members,
  });
  return {
    contentType: 'application/x-ndjson',
    opening: () => '',
    content: (text) => `${JSON.stringify(frame({ ...piece(text), done: false }))}\n`,
    closing: (result) => `${JSON.stringify(frame({ ...piece(''), ...endOf(result) }))}\n`,
    whole: (result) => frame({ ...piece(result.text), ...endOf(result) }),
  };
}

/** Durations are of model time, in nanoseconds. */
function endOf(result: GenerationResult): JsonObject {
  const { queueUs, prefillUs, decodeUs } = result.timing;
  return {
    done: true,
    done_reason: result.finishReason,
    total_duration: (queueUs + prefillUs + decodeUs) * 1000,
    load_duration: 0,
    prompt_eval_count: result.promptTokens,
    prompt_eval_duration: prefillUs * 1000,
    eval_count: result.completionTokens,
    eval_duration: decodeUs * 1000,
  };
}
