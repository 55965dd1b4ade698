// One answer of Google, whole or as server-sent events, each a complete `GenerateContentResponse`.
// There is no event that ends a stream: the last one has a finish reason. A function call comes in
// one piece, with the last event.

import type { GenerationResult, GenerationWriter } from './generation.ts';
import type { JsonObject } from './json-body.ts';
import { eventStream, sse } from './openai-common.ts';
import type { ToolCall } from './tool-call.ts';

export type GoogleAnswer = {
  readonly responseId: string;
  readonly model: string;
  readonly call: ToolCall | undefined;
};

export function googleWriter(answer: GoogleAnswer): GenerationWriter {
  const { call } = answer;
  let promptTokens = 0;
  const lastParts: readonly JsonObject[] =
    call === undefined
      ? [{ text: '' }]
      : [{ functionCall: { name: call.name, args: call.arguments } }];
  return {
    contentType: eventStream,
    opening: (tokens) => {
      promptTokens = tokens;
      return '';
    },
    content: (text) => {
      if (call !== undefined) return '';
      const usage = { promptTokenCount: promptTokens, totalTokenCount: promptTokens };
      return sse(responseOf(answer, candidateOf([{ text }], undefined), usage));
    },
    closing: (result) =>
      sse(responseOf(answer, candidateOf(lastParts, finishOf(result)), usageOf(result))),
    whole: (result) => {
      const parts = call === undefined ? [{ text: result.text }] : lastParts;
      return responseOf(answer, candidateOf(parts, finishOf(result)), usageOf(result));
    },
  };
}

function responseOf(
  { responseId, model }: GoogleAnswer,
  candidate: JsonObject,
  usageMetadata: JsonObject,
): JsonObject {
  return { candidates: [candidate], usageMetadata, modelVersion: model, responseId };
}

function candidateOf(parts: readonly JsonObject[], finishReason: string | undefined): JsonObject {
  const finish = finishReason === undefined ? {} : { finishReason };
  return { content: { parts, role: 'model' }, ...finish, index: 0 };
}

function finishOf({ finishReason }: GenerationResult): string {
  return finishReason === 'length' ? 'MAX_TOKENS' : 'STOP';
}

function usageOf({ promptTokens, completionTokens }: GenerationResult): JsonObject {
  return {
    promptTokenCount: promptTokens,
    candidatesTokenCount: completionTokens,
    totalTokenCount: promptTokens + completionTokens,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: promptTokens }],
  };
}
