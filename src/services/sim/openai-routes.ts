// The OpenAI protocol as every face speaks it: models, chat completions, completions.

import type { Exchange } from './exchange.ts';
import { faceFacts } from './face-facts.ts';
import { type GenerationResult, type GenerationWriter, generate } from './generation.ts';
import { isJsonObject, type JsonObject } from './json-body.ts';
import { commonOf, eventStream, post, secondsOf, sse } from './openai-common.ts';
import { embeddingRoute } from './openai-embeddings.ts';
import { modelListRoutes } from './openai-models.ts';
import { responsesRoute } from './openai-responses.ts';
import { textOfMessages, textOfPrompt } from './prompt-text.ts';
import type { Route, Simulation } from './simulation.ts';

export function openaiRoutes(simulation: Simulation): Route[] {
  return [
    ...modelListRoutes(simulation),
    post('/v1/chat/completions', (exchange, body) => chat(simulation, exchange, body)),
    post('/v1/completions', (exchange, body) => completion(simulation, exchange, body)),
    embeddingRoute(simulation),
    ...(faceFacts[simulation.options.as].hasResponses ? [responsesRoute(simulation)] : []),
  ];
}

function chat(simulation: Simulation, exchange: Exchange, body: JsonObject): void {
  const common = commonOf(simulation, body, ['max_completion_tokens', 'max_tokens']);
  if (!common.ok) {
    exchange.refuse(common.error);
    return;
  }
  const prompt = textOfMessages(body['messages']);
  if (!prompt.ok) {
    exchange.refuse(prompt.error);
    return;
  }
  const head = {
    id: `chatcmpl-${simulation.options.name}-${simulation.nextNumber()}`,
    created: secondsOf(new Date()),
    model: common.value.asked,
  };
  const frame = (delta: JsonObject, finish: string | null): string =>
    sse(
      chunkOf(head, 'chat.completion.chunk', [
        { index: 0, delta, logprobs: null, finish_reason: finish },
      ]),
    );
  const [before, after] = splitAround(frame({ content: '\u0000' }, null));
  const usageWanted = wantsUsage(body);
  const writer: GenerationWriter = {
    contentType: eventStream,
    opening: () => frame({ role: 'assistant', content: '' }, null),
    content: (text) => before + text + after,
    closing: (result) =>
      frame({}, result.finishReason) +
      (usageWanted
        ? sse({ ...chunkOf(head, 'chat.completion.chunk', []), usage: usageOf(result) })
        : '') +
      'data: [DONE]\n\n',
    whole: (result) => ({
      ...chunkOf(head, 'chat.completion', [
        {
          index: 0,
          message: { role: 'assistant', content: result.text, refusal: null },
          logprobs: null,
          finish_reason: result.finishReason,
        },
      ]),
      usage: usageOf(result),
    }),
  };
  const { model, maxTokens } = common.value;
  const stream = body['stream'] === true;
  generate(simulation, exchange, { model, ...prompt.value, maxTokens, stream }, writer);
}

function completion(simulation: Simulation, exchange: Exchange, body: JsonObject): void {
  const common = commonOf(simulation, body, ['max_tokens']);
  if (!common.ok) {
    exchange.refuse(common.error);
    return;
  }
  const prompt = textOfPrompt(body['prompt']);
  if (!prompt.ok) {
    exchange.refuse(prompt.error);
    return;
  }
  const head = {
    id: `cmpl-${simulation.options.name}-${simulation.nextNumber()}`,
    created: secondsOf(new Date()),
    model: common.value.asked,
  };
  const choice = (text: string, finish: string | null): JsonObject =>
    chunkOf(head, 'text_completion', [{ index: 0, text, logprobs: null, finish_reason: finish }]);
  const usageWanted = wantsUsage(body);
  const writer: GenerationWriter = {
    contentType: eventStream,
    opening: () => '',
    content: (text) => sse(choice(text, null)),
    closing: (result) =>
      sse(choice('', result.finishReason)) +
      (usageWanted
        ? sse({ ...chunkOf(head, 'text_completion', []), usage: usageOf(result) })
        : '') +
      'data: [DONE]\n\n',
    whole: (result) => ({ ...choice(result.text, result.finishReason), usage: usageOf(result) }),
  };
  const { model, maxTokens } = common.value;
  const stream = body['stream'] === true;
  generate(simulation, exchange, { model, ...prompt.value, maxTokens, stream }, writer);
}

function chunkOf(
  head: { readonly id: string; readonly created: number; readonly model: string },
  object: string,
  choices: readonly JsonObject[],
): JsonObject {
  return { id: head.id, object, created: head.created, model: head.model, choices };
}

function usageOf(result: GenerationResult): JsonObject {
  return {
    prompt_tokens: result.promptTokens,
    completion_tokens: result.completionTokens,
    total_tokens: result.promptTokens + result.completionTokens,
    prompt_tokens_details: { cached_tokens: result.timing.cachedTokens },
  };
}

function wantsUsage(body: JsonObject): boolean {
  const streamOptions = body['stream_options'];
  return isJsonObject(streamOptions) && streamOptions['include_usage'] === true;
}

/** The text before and after the mark U+0000; generated text needs no escaping in JSON. */
function splitAround(frame: string): readonly [string, string] {
  const mark = JSON.stringify('\u0000').slice(1, -1);
  const at = frame.indexOf(mark);
  return [frame.slice(0, at), frame.slice(at + mark.length)];
}
