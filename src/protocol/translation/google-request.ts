// OpenAI's chat request as a request of Google's Gemini API.
//   https://ai.google.dev/api/generate-content
//   https://ai.google.dev/api/caching#Content (contents, parts, tools)
//   https://ai.google.dev/gemini-api/docs/openai (what Google's own translation does)
//
//   system, developer      systemInstruction
//   assistant              role `model`; calls are functionCall parts, signed where Google signed them
//   tool                   functionResponse: a JSON object as it is, anything else as {result: text}
//   image_url              inlineData of a data: URL; Google fetches no addresses
//   tools                  functionDeclarations; parametersJsonSchema takes JSON schema as it is
//   tools[].function.strict  mode VALIDATED, which holds calls to their schema
//   response_format        responseMimeType, responseJsonSchema
//   reasoning_effort       thinkingConfig.thinkingBudget: 0, 1024, 1024, 8192, 24576 as Google has it

import { err, ok, type Result } from '../../base/result.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import { BodyFault, isObject, type JsonObject, optionalInteger } from '../openai/member-check.ts';
import { type ChatPart, conversationOf } from './chat-messages.ts';
import {
  checkParameters,
  commonParameters,
  ignored,
  jsonFormat,
  only,
  optionalNumber,
  outputTokens,
  type ParameterTable,
  reasoningEffort,
  stopSequences,
  translated,
  unsupported,
} from './chat-parameters.ts';
import { type ChatTool, type ToolChoice, toolChoiceOf, toolsOf } from './chat-tools.ts';
import { boundedObject, boundedValue } from './json-text.ts';
import type { ProviderRequest } from './translation.ts';

export const googleParameters: ParameterTable = {
  ...commonParameters,
  max_tokens: translated('generationConfig.maxOutputTokens'),
  max_completion_tokens: translated('generationConfig.maxOutputTokens'),
  temperature: translated('generationConfig.temperature'),
  top_p: translated('generationConfig.topP'),
  top_k: translated('generationConfig.topK'),
  stop: translated('generationConfig.stopSequences'),
  seed: translated('generationConfig.seed'),
  presence_penalty: translated('generationConfig.presencePenalty'),
  frequency_penalty: translated('generationConfig.frequencyPenalty'),
  response_format: translated('generationConfig.responseJsonSchema'),
  reasoning_effort: translated('generationConfig.thinkingConfig'),
  tools: translated('tools'),
  tool_choice: translated('toolConfig.functionCallingConfig'),
  parallel_tool_calls: only(true),
  user: ignored('it names an end user for the watch over abuse, for which Google has no member'),
  safety_identifier: ignored('as user'),
};

/** The longest list of stop sequences that Google takes. */
const stopsMax = 5;

const imageTypes: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/webp',
  'image/heic',
  'image/heif',
]);

const budgets = { none: 0, minimal: 1024, low: 1024, medium: 8192, high: 24_576 } as const;

function responseOf(text: string): object {
  return boundedObject(Buffer.from(text)) ?? { result: text };
}

function partOf(part: ChatPart): object {
  switch (part.kind) {
    case 'text':
      return { text: part.text };
    case 'image': {
      const { mediaType, base64, param } = part;
      if (!imageTypes.has(mediaType)) {
        const words = `${param} is ${mediaType}; Google takes PNG, JPEG, WebP, HEIC and HEIF.`;
        throw unsupported(param, words);
      }
      return { inlineData: { mimeType: mediaType, data: base64 } };
    }
    case 'remote_image':
      throw unsupported(part.param, 'Google fetches no image from an address. Send a data: URL.');
    case 'call': {
      const { id, name, signature } = part;
      const signed = signature === undefined ? {} : { thoughtSignature: signature };
      return { functionCall: { id, name, args: part.arguments }, ...signed };
    }
    case 'result': {
      const { callId, name, text } = part;
      return { functionResponse: { id: callId, name, response: responseOf(text) } };
    }
  }
}

function declarationOf(tool: ChatTool): object {
  const { name, description, schema } = tool;
  return { name, description, parametersJsonSchema: schema };
}

function callingConfig(
  choice: ToolChoice | undefined,
  tools: readonly ChatTool[],
): object | undefined {
  switch (choice?.kind) {
    case 'none':
      return { mode: 'NONE' };
    case 'required':
      return { mode: 'ANY' };
    case 'function':
      return { mode: 'ANY', allowedFunctionNames: [choice.name] };
    case 'auto':
    case undefined:
      if (tools.some(({ strict }) => strict)) return { mode: 'VALIDATED' };
      return choice === undefined ? undefined : { mode: 'AUTO' };
  }
}

function thinkingOf(body: JsonObject): object | undefined {
  const effort = reasoningEffort(body);
  if (effort === undefined) return undefined;
  if (effort === 'xhigh') {
    throw unsupported('reasoning_effort', 'reasoning_effort is xhigh; Google ends at high.');
  }
  return { thinkingBudget: budgets[effort] };
}

function generationConfig(body: JsonObject): object {
  const format = jsonFormat(body);
  return {
    maxOutputTokens: outputTokens(body),
    temperature: optionalNumber(body, 'temperature', 0, 2),
    topP: optionalNumber(body, 'top_p', 0, 1),
    topK: optionalInteger(body, 'top_k', 1, 2 ** 31 - 1),
    stopSequences: stopSequences(body, stopsMax),
    seed: optionalInteger(body, 'seed', -(2 ** 31), 2 ** 31 - 1),
    presencePenalty: optionalNumber(body, 'presence_penalty', -2, 2),
    frequencyPenalty: optionalNumber(body, 'frequency_penalty', -2, 2),
    responseMimeType: format === undefined ? undefined : 'application/json',
    responseJsonSchema: format?.kind === 'schema' ? format.schema : undefined,
    thinkingConfig: thinkingOf(body),
  };
}

function contentRequest(body: JsonObject): object {
  checkParameters(body, googleParameters, 'Google');
  const { system, turns } = conversationOf(body);
  const tools = toolsOf(body);
  const calling = callingConfig(toolChoiceOf(body, tools), tools);
  return {
    systemInstruction: system === undefined ? undefined : { parts: [{ text: system }] },
    contents: turns.map(({ role, parts }) => ({
      role: role === 'assistant' ? 'model' : 'user',
      parts: parts.map(partOf),
    })),
    tools: tools.length === 0 ? undefined : [{ functionDeclarations: tools.map(declarationOf) }],
    toolConfig: calling === undefined ? undefined : { functionCallingConfig: calling },
    generationConfig: generationConfig(body),
  };
}

function pathOf(model: string, isStream: boolean): string {
  const id = encodeURIComponent(model.toWellFormed());
  const call = isStream ? 'streamGenerateContent?alt=sse' : 'generateContent';
  return `/v1beta/models/${id}:${call}`;
}

/** Refuses with `unsupported_parameter`, or `invalid_request` for what is no chat request. */
export function googleRequest(
  bytes: Buffer,
  model: string,
  isStream: boolean,
): Result<ProviderRequest, Refusal> {
  const body = boundedValue(bytes);
  if (!isObject(body)) return err(refusal('invalid_json', 'The body is not one JSON object.'));
  try {
    const text = JSON.stringify(contentRequest(body));
    return ok({ path: pathOf(model, isStream), body: Buffer.from(text) });
  } catch (cause) {
    if (cause instanceof BodyFault) return err(cause.refusal);
    throw cause;
  }
}
