// `POST /v1/responses`: one message of text, whole or as the events of the responses API.

import type { Exchange } from './exchange.ts';
import { type GenerationResult, type GenerationWriter, generate } from './generation.ts';
import type { JsonObject } from './json-body.ts';
import { commonOf, eventStream, post, secondsOf } from './openai-common.ts';
import { textOfInput } from './prompt-text.ts';
import type { Route, Simulation } from './simulation.ts';

export function responsesRoute(simulation: Simulation): Route {
  return post('/v1/responses', (exchange, body) => respond(simulation, exchange, body));
}

function respond(simulation: Simulation, exchange: Exchange, body: JsonObject): void {
  const common = commonOf(simulation, body, ['max_output_tokens']);
  if (!common.ok) {
    exchange.refuse(common.error);
    return;
  }
  const prompt = textOfInput(body);
  if (!prompt.ok) {
    exchange.refuse(prompt.error);
    return;
  }
  const { model, asked, maxTokens } = common.value;
  const number = simulation.nextNumber();
  const writer = writerOf(`${simulation.options.name}_${number}`, asked, body);
  const stream = body['stream'] === true;
  generate(simulation, exchange, { model, ...prompt.value, maxTokens, stream }, writer);
}

function writerOf(suffix: string, model: string, body: JsonObject): GenerationWriter {
  const createdAt = secondsOf(new Date());
  const itemId = `msg_${suffix}`;
  const place = { item_id: itemId, output_index: 0, content_index: 0 };
  let sequence = 0;
  const event = (type: string, members: JsonObject): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...members })}\n\n`;
  const part = (text: string): JsonObject => ({
    type: 'output_text',
    text,
    annotations: [],
    logprobs: [],
  });
  const item = (status: string, content: readonly JsonObject[]): JsonObject => ({
    id: itemId,
    type: 'message',
    role: 'assistant',
    status,
    content,
  });
  const response = (status: string, result: GenerationResult | undefined): JsonObject => ({
    id: `resp_${suffix}`,
    object: 'response',
    created_at: createdAt,
    status,
    error: null,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    instructions: body['instructions'] ?? null,
    max_output_tokens: body['max_output_tokens'] ?? null,
    metadata: {},
    model,
    output: result === undefined ? [] : [item('completed', [part(result.text)])],
    parallel_tool_calls: true,
    temperature: body['temperature'] ?? 1,
    tool_choice: 'auto',
    tools: [],
    top_p: body['top_p'] ?? 1,
    usage: result === undefined ? null : usageOf(result),
  });
  const statusOf = (result: GenerationResult): string =>
    result.finishReason === 'length' ? 'incomplete' : 'completed';
  return {
    contentType: eventStream,
    opening: () =>
      event('response.created', { response: response('in_progress', undefined) }) +
      event('response.in_progress', { response: response('in_progress', undefined) }) +
      event('response.output_item.added', { output_index: 0, item: item('in_progress', []) }) +
      event('response.content_part.added', { ...place, part: part('') }),
    content: (text) => event('response.output_text.delta', { ...place, delta: text, logprobs: [] }),
    closing: (result) =>
      event('response.output_text.done', { ...place, text: result.text, logprobs: [] }) +
      event('response.content_part.done', { ...place, part: part(result.text) }) +
      event('response.output_item.done', {
        output_index: 0,
        item: item('completed', [part(result.text)]),
      }) +
      event(`response.${statusOf(result)}`, { response: response(statusOf(result), result) }),
    whole: (result) => response(statusOf(result), result),
  };
}

function usageOf(result: GenerationResult): JsonObject {
  return {
    input_tokens: result.promptTokens,
    input_tokens_details: { cached_tokens: result.timing.cachedTokens },
    output_tokens: result.completionTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: result.promptTokens + result.completionTokens,
  };
}
