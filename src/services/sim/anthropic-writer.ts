// One message of Anthropic, whole or as named events:
//
//     message_start, content_block_start, ping, content_block_delta ..., content_block_stop,
//     message_delta (stop reason, usage), message_stop
//
// A tool call is a block of type `tool_use`, its arguments pieces of JSON text.

import type { GenerationResult, GenerationWriter } from './generation.ts';
import type { JsonObject } from './json-body.ts';
import { eventStream } from './openai-common.ts';
import type { ToolCall } from './tool-call.ts';

export type AnthropicMessage = {
  /** Of the ids. */
  readonly suffix: string;
  readonly model: string;
  readonly call: ToolCall | undefined;
};

export function anthropicWriter(message: AnthropicMessage): GenerationWriter {
  const { suffix, call } = message;
  const toolId = `toolu_${suffix}`;
  const startedBlock =
    call === undefined
      ? { type: 'text', text: '' }
      : { type: 'tool_use', id: toolId, name: call.name, input: {} };
  const deltaOf = (text: string): JsonObject =>
    call === undefined
      ? { type: 'text_delta', text }
      : { type: 'input_json_delta', partial_json: text };
  const stop = (result: GenerationResult): JsonObject => ({
    stop_reason: stopReasonOf(result, call),
    stop_sequence: null,
  });
  return {
    contentType: eventStream,
    opening: (promptTokens) =>
      event('message_start', { message: headOf(message, [], usageOf(promptTokens, 1)) }) +
      event('content_block_start', { index: 0, content_block: startedBlock }) +
      event('ping', {}),
    content: (text) => event('content_block_delta', { index: 0, delta: deltaOf(text) }),
    closing: (result) =>
      event('content_block_stop', { index: 0 }) +
      event('message_delta', {
        delta: stop(result),
        usage: { output_tokens: result.completionTokens },
      }) +
      event('message_stop', {}),
    whole: (result) => ({
      ...headOf(
        message,
        [wholeBlock(result.text, call, toolId)],
        usageOf(result.promptTokens, result.completionTokens),
      ),
      ...stop(result),
    }),
  };
}

function event(type: string, members: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`;
}

function headOf(
  { suffix, model }: AnthropicMessage,
  content: readonly unknown[],
  usage: JsonObject,
): JsonObject {
  const head = { id: `msg_${suffix}`, type: 'message', role: 'assistant', model };
  return { ...head, content, stop_reason: null, stop_sequence: null, usage };
}

function usageOf(inputTokens: number, outputTokens: number): JsonObject {
  return {
    input_tokens: inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: outputTokens,
    service_tier: 'standard',
  };
}

function wholeBlock(text: string, call: ToolCall | undefined, id: string): JsonObject {
  return call === undefined
    ? { type: 'text', text }
    : { type: 'tool_use', id, name: call.name, input: call.arguments };
}

function stopReasonOf({ finishReason }: GenerationResult, call: ToolCall | undefined): string {
  if (finishReason === 'length') return 'max_tokens';
  return call === undefined ? 'end_turn' : 'tool_use';
}
