// Generation in the native protocol of Ollama (github.com/ollama/ollama docs/api.md): NDJSON streams
// (on unless `stream` is false), durations in nanoseconds. A request for a model that is not in
// memory loads it first; one without a prompt loads it or, with `keep_alive` 0, lets go of it.

import { embeddingVector } from '../../core/workload/engine/generated-content.ts';
import { digestPrompt } from '../../core/workload/engine/prompt-digest.ts';
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
import { badRequest, loading } from './refusals.ts';
import type { Route, Simulation } from './simulation.ts';

export function ollamaRoutes(simulation: Simulation): Route[] {
  return [
    post('/api/chat', (exchange, body) => chat(simulation, exchange, body)),
    post('/api/generate', (exchange, body) => generateText(simulation, exchange, body)),
    post('/api/embed', (exchange, body) => embed(simulation, exchange, body)),
  ];
}

function chat(simulation: Simulation, exchange: Exchange, body: JsonObject): void {
  const common = commonOf(simulation, body, []);
  if (!common.ok) {
    exchange.refuse(common.error);
    return;
  }
  const piece = (content: string): JsonObject => ({ message: { role: 'assistant', content } });
  const messages = body['messages'];
  if (messages === undefined || (Array.isArray(messages) && messages.length === 0)) {
    loadOnly(simulation, exchange, body, common.value, piece);
    return;
  }
  const prompt = textOfMessages(messages);
  if (!prompt.ok) {
    exchange.refuse(prompt.error);
    return;
  }
  const spec = { model: common.value.model, ...prompt.value, ...outputOf(body) };
  generate(simulation, exchange, spec, writerOf(common.value.asked, piece));
}

function generateText(simulation: Simulation, exchange: Exchange, body: JsonObject): void {
  const common = commonOf(simulation, body, []);
  if (!common.ok) {
    exchange.refuse(common.error);
    return;
  }
  const piece = (response: string): JsonObject => ({ response });
  const prompt = body['prompt'] ?? '';
  if (typeof prompt !== 'string') {
    exchange.refuse(badRequest('prompt must be a text'));
    return;
  }
  if (prompt === '') {
    loadOnly(simulation, exchange, body, common.value, piece);
    return;
  }
  const text = `${textMember(body, 'system') ?? ''}${prompt}`;
  const spec = { model: common.value.model, text, extraTokens: 0, ...outputOf(body) };
  generate(simulation, exchange, spec, writerOf(common.value.asked, piece));
}

function embed(simulation: Simulation, exchange: Exchange, body: JsonObject): void {
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
  const { model, asked } = common.value;
  const salt = `${simulation.options.seed}\n${model}\n`;
  const prompts = texts.value.map((text) => digestPrompt(text, salt));
  prefillOnly(simulation, exchange, model, prompts, () =>
    exchange.json({
      model: asked,
      embeddings: prompts.map((prompt) => embeddingVector(prompt.digest, dimensionsDefault)),
      total_duration: 0,
      load_duration: 0,
      prompt_eval_count: prompts.reduce((sum, prompt) => sum + prompt.tokens, 0),
    }),
  );
}

/** A request without a prompt: `keep_alive` 0 unloads the model, anything else loads it. */
function loadOnly(
  { models, options }: Simulation,
  exchange: Exchange,
  body: JsonObject,
  { model, asked }: { readonly model: string; readonly asked: string },
  piece: (text: string) => JsonObject,
): void {
  const keepAliveMs = keepAliveOf(body);
  const answer = (reason: 'load' | 'unload'): void => {
    const head = { model: asked, created_at: new Date().toISOString(), ...piece('') };
    exchange.json({ ...head, done: true, done_reason: reason });
  };
  if (keepAliveMs === 0) {
    models.unload(model);
    answer('unload');
    return;
  }
  const finish = (end: string): void =>
    end === 'loaded' ? answer('load') : exchange.refuse(loading(options.as));
  models.load(model, finish, keepAliveMs);
}

/** `keep_alive` in ms: seconds, or a Go duration such as `5m`; negative is for ever. */
function keepAliveOf(body: JsonObject): number | undefined {
  const value = body['keep_alive'];
  const parts = /^(-?\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(String(value ?? ''));
  if (parts === null) return undefined;
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const ms = Number(parts[1]) * (units[parts[2] ?? 's'] ?? 1000);
  return ms < 0 ? Infinity : ms;
}

function outputOf(body: JsonObject): Pick<GenerationSpec, 'maxTokens' | 'stream' | 'keepAliveMs'> {
  const options = body['options'];
  const limit = isJsonObject(options) ? options['num_predict'] : undefined;
  // Negative means no limit there.
  const given = typeof limit === 'number' && Number.isInteger(limit) && limit >= 1;
  return {
    maxTokens: given ? limit : undefined,
    stream: body['stream'] !== false,
    keepAliveMs: keepAliveOf(body),
  };
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
    total_duration: (queueUs + prefillUs + decodeUs) * 1000 + result.loadMs * 1e6,
    load_duration: result.loadMs * 1e6,
    prompt_eval_count: result.promptTokens,
    prompt_eval_duration: prefillUs * 1000,
    eval_count: result.completionTokens,
    eval_duration: decodeUs * 1000,
  };
}
