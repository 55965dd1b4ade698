// OpenAI's chat request as a request of Anthropic's Messages API.
//   https://docs.anthropic.com/en/api/messages
//   https://docs.anthropic.com/en/api/openai-sdk (what Anthropic's own translation does)
//
// Where we are stricter than Anthropic's translation: it clamps, drops and ignores; we refuse by name
// what would change the answer. A temperature above 1 is refused, not clamped: another backend of the
// same model id may take it as it is.
//
//   system, developer      system, joined by line feeds, wherever they stand
//   tool, after a call      tool_result in a turn of the user
//   image_url               image: base64 of a data: URL, or url, which Anthropic fetches itself
//   response_format         json_schema: output_config.format; json_object has no counterpart
//   reasoning_effort        low, medium, high: output_config.effort; none is its default
//   parallel_tool_calls     tool_choice.disable_parallel_tool_use

import { err, ok, type Result } from '../../base/result.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import { BodyFault, isObject, type JsonObject, optionalString } from '../openai/member-check.ts';
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
import { boundedValue } from './json-text.ts';
import type { ProviderRequest } from './translation.ts';

export const anthropicParameters: ParameterTable = {
  ...commonParameters,
  max_tokens: translated('max_tokens'),
  max_completion_tokens: translated('max_tokens'),
  temperature: translated('temperature, up to 1'),
  top_p: translated('top_p'),
  top_k: translated('top_k'),
  stop: translated('stop_sequences'),
  user: translated('metadata.user_id'),
  safety_identifier: translated('metadata.user_id'),
  tools: translated('tools'),
  tool_choice: translated('tool_choice'),
  parallel_tool_calls: translated('tool_choice.disable_parallel_tool_use'),
  response_format: translated('output_config.format'),
  reasoning_effort: translated('output_config.effort'),
  presence_penalty: only(0),
  frequency_penalty: only(0),
  seed: ignored('it asks for a best effort only, and no fingerprint claims that it was made'),
};

/** Anthropic wants a limit; this is ours where the client sets none (registry 7.3). */
const maxTokensDefault = 4096;

const imageTypes: ReadonlySet<string> = new Set([
  'image/jpeg',
  'image/png',
  'image/gif',
  'image/webp',
]);

/** A part as a content block. */
function blockOf(part: ChatPart): object {
  switch (part.kind) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image': {
      const { mediaType, base64, param } = part;
      if (!imageTypes.has(mediaType)) {
        const words = `${param} is ${mediaType}; Anthropic takes JPEG, PNG, GIF and WebP.`;
        throw unsupported(param, words);
      }
      return { type: 'image', source: { type: 'base64', media_type: mediaType, data: base64 } };
    }
    case 'remote_image':
      return { type: 'image', source: { type: 'url', url: part.url } };
    case 'call':
      return { type: 'tool_use', id: part.id, name: part.name, input: part.arguments };
    case 'result':
      return {
        type: 'tool_result',
        tool_use_id: part.callId,
        ...(part.text === '' ? {} : { content: part.text }),
      };
  }
}

function toolOf(tool: ChatTool): object {
  return {
    name: tool.name,
    description: tool.description,
    input_schema: tool.schema,
    ...(tool.strict ? { strict: true } : {}),
  };
}

function choiceOf(choice: ToolChoice | undefined, isSerial: boolean): object | undefined {
  if (choice === undefined && !isSerial) return undefined;
  const serial = isSerial ? { disable_parallel_tool_use: true } : {};
  switch (choice?.kind) {
    case 'none':
      return { type: 'none' };
    case 'required':
      return { type: 'any', ...serial };
    case 'function':
      return { type: 'tool', name: choice.name, ...serial };
    case 'auto':
    case undefined:
      return { type: 'auto', ...serial };
  }
}

function outputConfigOf(body: JsonObject): object | undefined {
  const format = jsonFormat(body);
  if (format?.kind === 'object') {
    const words = 'Anthropic has no json_object. Send json_schema with the schema you want.';
    throw unsupported('response_format', words);
  }
  const effort = reasoningEffort(body);
  if (effort === 'minimal' || effort === 'xhigh') {
    const words = `reasoning_effort is ${effort}; Anthropic knows low, medium and high.`;
    throw unsupported('reasoning_effort', words);
  }
  const isDefault = effort === undefined || effort === 'none';
  if (format === undefined && isDefault) return undefined;
  return {
    ...(format === undefined ? {} : { format: { type: 'json_schema', schema: format.schema } }),
    ...(isDefault ? {} : { effort }),
  };
}

function temperatureOf(body: JsonObject): number | undefined {
  const temperature = optionalNumber(body, 'temperature', 0, 2);
  if (temperature !== undefined && temperature > 1) {
    const words = `temperature is ${temperature}, Anthropic's range ends at 1. Send 0 to 1.`;
    throw unsupported('temperature', words);
  }
  return temperature;
}

function metadataOf(body: JsonObject): object | undefined {
  const id =
    optionalString(body['safety_identifier'], 'safety_identifier') ??
    optionalString(body['user'], 'user');
  return id === undefined ? undefined : { user_id: id };
}

function messagesRequest(body: JsonObject, model: string, isStream: boolean): object {
  checkParameters(body, anthropicParameters, 'Anthropic');
  const { system, turns } = conversationOf(body);
  const tools = toolsOf(body);
  const isSerial = tools.length > 0 && body['parallel_tool_calls'] === false;
  // JSON.stringify leaves out what is undefined.
  return {
    model,
    max_tokens: outputTokens(body) ?? maxTokensDefault,
    system,
    messages: turns.map(({ role, parts }) => ({ role, content: parts.map(blockOf) })),
    temperature: temperatureOf(body),
    top_p: optionalNumber(body, 'top_p', 0, 1),
    top_k: optionalNumber(body, 'top_k', 1, 2 ** 31 - 1),
    stop_sequences: stopSequences(body, 64),
    metadata: metadataOf(body),
    tools: tools.length === 0 ? undefined : tools.map(toolOf),
    tool_choice: choiceOf(toolChoiceOf(body, tools), isSerial),
    output_config: outputConfigOf(body),
    stream: isStream ? true : undefined,
  };
}

/** Refuses with `unsupported_parameter`, or `invalid_request` for what is no chat request. */
export function anthropicRequest(
  bytes: Buffer,
  model: string,
  isStream: boolean,
): Result<ProviderRequest, Refusal> {
  const body = boundedValue(bytes);
  if (!isObject(body)) return err(refusal('invalid_json', 'The body is not one JSON object.'));
  try {
    const text = JSON.stringify(messagesRequest(body, model, isStream));
    return ok({ path: '/v1/messages', body: Buffer.from(text) });
  } catch (cause) {
    if (cause instanceof BodyFault) return err(cause.refusal);
    throw cause;
  }
}
