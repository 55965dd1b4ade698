// A request of Anthropic's Messages API as OpenAI's chat request.
//   https://docs.anthropic.com/en/api/messages

import {
  fault,
  type JsonObject,
  kindOf,
  objectAt,
  optionalArray,
  optionalBoolean,
  optionalInteger,
  optionalObject,
  optionalString,
} from '../openai/member-check.ts';
import { optionalNumber } from '../translation/chat-parameters.ts';
import { filledText } from '../translation/chat-tools.ts';
import { openAiMessages, systemMessage } from './anthropic-messages.ts';
import {
  formatMembers,
  messagesParameters,
  metadataMembers,
  outputConfigMembers,
  thinkingMembers,
  toolChoiceMembers,
  toolMembers,
} from './anthropic-parameters.ts';
import { type ClientBody, openAiBody } from './client-body.ts';
import { checkTable, unsupported } from './face-parameters.ts';
import type { RawJson } from './raw-json.ts';

export type MessagesRequest = {
  /** OpenAI's. */
  readonly body: Buffer;
  readonly isStream: boolean;
  readonly stopSequences: readonly string[];
  /** Does the client want to see what the model thought? */
  readonly wantsThoughts: boolean;
};

const outputTokensMax = 2 ** 31 - 1;
const integerMax = 2 ** 31 - 1;

function stopSequences(body: JsonObject): readonly string[] {
  return optionalArray(body, 'stop_sequences').map((value, at) =>
    filledText(value, `stop_sequences[${at}]`),
  );
}

function userOf(body: JsonObject): string | undefined {
  const metadata = optionalObject(body, 'metadata');
  if (metadata === undefined) return undefined;
  checkTable(metadata, metadataMembers, 'metadata');
  return optionalString(metadata['user_id'], 'metadata.user_id');
}

function toolOf(value: unknown, raw: RawJson | undefined, param: string): object {
  const tool = objectAt(value, param);
  const type = tool['type'];
  if (type !== undefined && type !== null && type !== 'custom') {
    const words = `${param}.type names a tool that Anthropic itself runs or knows. Send tools of your own, with input_schema.`;
    throw unsupported(`${param}.type`, words);
  }
  checkTable(tool, toolMembers, param);
  objectAt(tool['input_schema'], `${param}.input_schema`);
  return {
    type: 'function',
    function: {
      name: filledText(tool['name'], `${param}.name`),
      description: optionalString(tool['description'], `${param}.description`),
      parameters: raw?.member('input_schema'),
      strict: optionalBoolean(tool, 'strict', `${param}.strict`) ? true : undefined,
    },
  };
}

function toolsOf(body: JsonObject, raw: RawJson): readonly object[] | undefined {
  const tools = optionalArray(body, 'tools');
  const list = raw.member('tools');
  const made = tools.map((tool, at) => toolOf(tool, list?.element(at), `tools[${at}]`));
  return made.length === 0 ? undefined : made;
}

function choiceOf(choice: JsonObject): unknown {
  switch (choice['type']) {
    case 'auto':
    case 'none':
      return choice['type'];
    case 'any':
      return 'required';
    case 'tool':
      return {
        type: 'function',
        function: { name: filledText(choice['name'], 'tool_choice.name') },
      };
    default:
      throw fault('tool_choice.type', kindOf(choice['type']), 'auto, any, tool or none');
  }
}

function toolChoiceOf(body: JsonObject): object {
  const choice = optionalObject(body, 'tool_choice');
  if (choice === undefined) return {};
  checkTable(choice, toolChoiceMembers, 'tool_choice');
  const name = 'disable_parallel_tool_use';
  const isSerial = optionalBoolean(choice, name, `tool_choice.${name}`);
  return { tool_choice: choiceOf(choice), parallel_tool_calls: isSerial ? false : undefined };
}

const efforts: ReadonlySet<unknown> = new Set(['low', 'medium', 'high', 'xhigh']);

function effortOf(config: JsonObject): unknown {
  const { effort } = config;
  if (effort === undefined || effort === null) return undefined;
  if (efforts.has(effort)) return effort;
  const words = 'output_config.effort must be low, medium, high or xhigh here.';
  throw unsupported('output_config.effort', words);
}

function formatOf(format: JsonObject, raw: RawJson | undefined, param: string): object {
  checkTable(format, formatMembers, param);
  if (format['type'] !== 'json_schema') throw fault(`${param}.type`, 'absent', 'json_schema');
  objectAt(format['schema'], `${param}.schema`);
  const schema = raw?.member('schema');
  return { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } };
}

/** `output_config`, and `output_format` as the interface had it before. */
function outputOf(body: JsonObject, raw: RawJson): object {
  const config = optionalObject(body, 'output_config') ?? {};
  checkTable(config, outputConfigMembers, 'output_config');
  const inside = config['format'] ?? undefined;
  const older = optionalObject(body, 'output_format');
  const rawConfig = raw.member('output_config');
  const format =
    inside === undefined
      ? older && formatOf(older, raw.member('output_format'), 'output_format')
      : formatOf(
          objectAt(inside, 'output_config.format'),
          rawConfig?.member('format'),
          'output_config.format',
        );
  return { response_format: format, reasoning_effort: effortOf(config) };
}

function wantsThoughts(body: JsonObject): boolean {
  const thinking = optionalObject(body, 'thinking');
  if (thinking === undefined) return false;
  checkTable(thinking, thinkingMembers, 'thinking');
  switch (thinking['type']) {
    case 'disabled':
      return false;
    case 'enabled':
    case 'adaptive':
      return thinking['display'] !== 'omitted';
    default:
      throw fault('thinking.type', kindOf(thinking['type']), 'enabled, adaptive or disabled');
  }
}

/** Thoughts are never sent back to an engine, so an edit that clears them is done already. */
function checkContextManagement(body: JsonObject): void {
  const param = 'context_management';
  const management = optionalObject(body, param);
  if (management === undefined) return;
  checkTable(management, { edits: { kind: 'translated', to: 'nothing' } }, param);
  for (const [at, edit] of optionalArray(management, 'edits').entries()) {
    const { type } = objectAt(edit, `${param}.edits[${at}]`);
    if (typeof type === 'string' && type.startsWith('clear_thinking_')) continue;
    const place = `${param}.edits[${at}].type`;
    throw unsupported(place, `${place} is an edit that only Anthropic makes. Leave it out.`);
  }
}

/** `isCount`: only counted, so that no limit of the output is needed. */
export function messagesRequest(client: ClientBody, isCount: boolean): MessagesRequest {
  const { value: body, raw, model } = client;
  checkTable(body, messagesParameters);
  checkContextManagement(body);
  const maxTokens = optionalInteger(body, 'max_tokens', 1, outputTokensMax);
  if (maxTokens === undefined && !isCount) throw fault('max_tokens', 'absent', 'an integer from 1');
  const system = systemMessage(body['system']);
  const stops = stopSequences(body);
  const isStream = optionalBoolean(body, 'stream');
  const made = openAiBody({
    model,
    messages: [...(system === undefined ? [] : [system]), ...openAiMessages(body, raw)],
    max_tokens: maxTokens,
    temperature: optionalNumber(body, 'temperature', 0, 1),
    top_p: optionalNumber(body, 'top_p', 0, 1),
    top_k: optionalInteger(body, 'top_k', 0, integerMax),
    stop: stops.length === 0 ? undefined : stops,
    user: userOf(body),
    tools: toolsOf(body, raw),
    ...toolChoiceOf(body),
    ...outputOf(body, raw),
    stream: isStream ? true : undefined,
    stream_options: isStream ? { include_usage: true } : undefined,
  });
  return { body: made, isStream, stopSequences: stops, wantsThoughts: wantsThoughts(body) };
}
