// Requests of Ollama's API as OpenAI's: chat and generate as chat, embed and embeddings as embeddings.
//   https://docs.ollama.com/api

import {
  fault,
  filledArray,
  isObject,
  type JsonObject,
  kindOf,
  objectAt,
  optionalArray,
  optionalInteger,
  optionalObject,
  optionalString,
} from '../openai/member-check.ts';
import { optionalNumber } from '../translation/chat-parameters.ts';
import { filledText } from '../translation/chat-tools.ts';
import { type ClientBody, openAiBody } from './client-body.ts';
import { checkTable, type FaceTable, unsupported } from './face-parameters.ts';
import { openAiMessages, userContent } from './ollama-messages.ts';
import {
  chatParameters,
  embeddingsParameters,
  embedOptionMembers,
  embedParameters,
  generateParameters,
  optionMembers,
} from './ollama-parameters.ts';
import type { RawJson } from './raw-json.ts';

export type OllamaRequest = {
  /** OpenAI's. */
  readonly body: Buffer;
  readonly isStream: boolean;
  readonly contextTokens: number | undefined;
  /** Does the client want to see what the model thought? Ollama shows it unless told not to. */
  readonly wantsThoughts: boolean;
};

const integerMax = 2 ** 31 - 1;

/** Ollama streams unless it is told not to. */
function streams(body: JsonObject): boolean {
  const { stream } = body;
  if (stream === undefined || stream === null) return true;
  if (typeof stream !== 'boolean') throw fault('stream', kindOf(stream), 'true or false');
  return stream;
}

function optionsOf(body: JsonObject, table: FaceTable): JsonObject {
  const options = optionalObject(body, 'options') ?? {};
  checkTable(options, table, 'options');
  return options;
}

/** A member of `options`, told by its whole name when it is at fault. */
function numberOf(options: JsonObject, name: string, min: number, max: number): number | undefined {
  return optionalNumber({ [`options.${name}`]: options[name] }, `options.${name}`, min, max);
}

function integerOf(options: JsonObject, name: string, min: number): number | undefined {
  return optionalInteger(
    { [`options.${name}`]: options[name] },
    `options.${name}`,
    min,
    integerMax,
  );
}

/** Undefined without a limit, which Ollama writes as -1 (none) or -2 (what fits the context). */
function outputLimit(options: JsonObject): number | undefined {
  const limit = integerOf(options, 'num_predict', -2);
  if (limit === 0) throw fault('options.num_predict', '0', 'an integer from 1, or -1');
  return limit === undefined || limit < 0 ? undefined : limit;
}

function stopsOf(options: JsonObject): readonly string[] | undefined {
  const { stop } = options;
  if (typeof stop === 'string' && stop !== '') return [stop];
  const stops = optionalArray({ 'options.stop': stop }, 'options.stop');
  const texts = stops.map((value, at) => filledText(value, `options.stop[${at}]`));
  return texts.length === 0 ? undefined : texts;
}

function formatOf(body: JsonObject, raw: RawJson): object | undefined {
  const { format } = body;
  if (format === undefined || format === null || format === '') return undefined;
  if (format === 'json') return { type: 'json_object' };
  if (!isObject(format)) throw fault('format', kindOf(format), '"json" or a JSON schema');
  const schema = raw.member('format');
  return { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } };
}

const efforts: ReadonlySet<unknown> = new Set(['low', 'medium', 'high']);

function effortOf(body: JsonObject): unknown {
  const { think } = body;
  if (think === undefined || think === null || typeof think === 'boolean') return undefined;
  if (efforts.has(think)) return think;
  throw fault('think', kindOf(think), 'true, false, low, medium or high');
}

function toolsOf(body: JsonObject, raw: RawJson): RawJson | undefined {
  const tools = optionalArray(body, 'tools');
  for (const [at, value] of tools.entries()) {
    const tool = objectAt(value, `tools[${at}]`);
    if (tool['type'] !== 'function') {
      throw unsupported(`tools[${at}].type`, `tools[${at}].type must be "function".`);
    }
    const made = objectAt(tool['function'], `tools[${at}].function`);
    filledText(made['name'], `tools[${at}].function.name`);
  }
  return tools.length === 0 ? undefined : raw.member('tools');
}

function generation(client: ClientBody, messages: readonly object[]): OllamaRequest {
  const { value: body, raw, model } = client;
  const options = optionsOf(body, optionMembers);
  const isStream = streams(body);
  const made = openAiBody({
    model,
    messages,
    tools: toolsOf(body, raw),
    response_format: formatOf(body, raw),
    reasoning_effort: effortOf(body),
    max_tokens: outputLimit(options),
    temperature: numberOf(options, 'temperature', 0, 2),
    top_p: numberOf(options, 'top_p', 0, 1),
    top_k: integerOf(options, 'top_k', 0),
    min_p: numberOf(options, 'min_p', 0, 1),
    seed: integerOf(options, 'seed', -integerMax),
    presence_penalty: numberOf(options, 'presence_penalty', -2, 2),
    frequency_penalty: numberOf(options, 'frequency_penalty', -2, 2),
    stop: stopsOf(options),
    stream: isStream ? true : undefined,
    stream_options: isStream ? { include_usage: true } : undefined,
  });
  const contextTokens = integerOf(options, 'num_ctx', 1);
  return { body: made, isStream, contextTokens, wantsThoughts: body['think'] !== false };
}

export function ollamaChat(client: ClientBody): OllamaRequest {
  checkTable(client.value, chatParameters);
  const { messages } = client.value;
  if (messages === undefined || (Array.isArray(messages) && messages.length === 0)) {
    throw loadOnly('messages');
  }
  return generation(client, openAiMessages(client.value, client.raw));
}

/** A prompt goes through the template of the model there, so it is a conversation of one message. */
export function ollamaGenerate(client: ClientBody): OllamaRequest {
  const { value: body } = client;
  checkTable(body, generateParameters);
  const prompt = optionalString(body['prompt'], 'prompt') ?? '';
  const system = optionalString(body['system'], 'system') ?? '';
  if (prompt === '' && optionalArray(body, 'images').length === 0) throw loadOnly('prompt');
  return generation(client, [
    ...(system === '' ? [] : [{ role: 'system', content: system }]),
    { role: 'user', content: userContent(prompt, body, '') },
  ]);
}

/** Ollama loads or unloads a model for a request without a question. */
function loadOnly(param: string): Error {
  return fault(
    param,
    'absent, which means to load or unload the model',
    'a question, or load it with POST /v1/models/load',
  );
}

function embedding(
  client: ClientBody,
  input: unknown,
  dimensions: number | undefined,
): OllamaRequest {
  const { value: body, model } = client;
  const options = optionsOf(body, embedOptionMembers);
  const made = openAiBody({ model, input, dimensions, encoding_format: 'float' });
  const contextTokens = integerOf(options, 'num_ctx', 1);
  return { body: made, isStream: false, contextTokens, wantsThoughts: false };
}

const inputsMax = 2048;

export function ollamaEmbed(client: ClientBody): OllamaRequest {
  const { value: body } = client;
  checkTable(body, embedParameters);
  const { input } = body;
  if (typeof input !== 'string') {
    for (const [at, text] of filledArray(input, 'input', inputsMax).entries()) {
      if (typeof text !== 'string') throw fault(`input[${at}]`, kindOf(text), 'a string');
    }
  }
  return embedding(client, input, optionalInteger(body, 'dimensions', 1, integerMax));
}

export function ollamaEmbeddings(client: ClientBody): OllamaRequest {
  const { value: body } = client;
  checkTable(body, embeddingsParameters);
  const { prompt } = body;
  if (typeof prompt !== 'string') throw fault('prompt', kindOf(prompt), 'a string');
  return embedding(client, prompt, undefined);
}
