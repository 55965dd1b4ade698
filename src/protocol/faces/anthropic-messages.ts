// The conversation of an Anthropic request as OpenAI's messages.
//
//   system                        one message of the role system, its blocks joined by line feeds
//   user: text, image             user, a text where there is nothing else
//   user: tool_result             a message of the role tool each, before what the user says himself
//   assistant: text, tool_use     assistant, the input of a call as its own characters
//   assistant: thinking           left out: what a model thought is no part of the conversation
//
// Refused: a last message of the assistant (engines would answer it instead of going on with it),
// documents, search results, files, results of Anthropic's own tools, images among results.

import {
  fault,
  filledArray,
  isObject,
  type JsonObject,
  kindOf,
  objectAt,
} from '../openai/member-check.ts';
import { filledText } from '../translation/chat-tools.ts';
import {
  imageBlockMembers,
  textBlockMembers,
  toolResultMembers,
  toolUseMembers,
} from './anthropic-parameters.ts';
import { checkTable, unsupported } from './face-parameters.ts';
import type { RawJson } from './raw-json.ts';

const messagesMax = 4096;

const thoughts: ReadonlySet<unknown> = new Set(['thinking', 'redacted_thinking']);

function textOf(block: JsonObject, param: string): string {
  checkTable(block, textBlockMembers, param);
  const { text } = block;
  if (typeof text !== 'string') throw fault(`${param}.text`, kindOf(text), 'a string');
  return text;
}

function unknownBlock(block: JsonObject, param: string, known: string): Error {
  const { type } = block;
  if (typeof type !== 'string') return fault(`${param}.type`, kindOf(type), known);
  const words = `${param}.type is ${JSON.stringify(type.slice(0, 64))}, which cannot be passed on. Send ${known}.`;
  return unsupported(`${param}.type`, words);
}

/** Text, or blocks of text only, joined by line feeds. */
function plainText(content: unknown, param: string): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content))
    throw fault(param, kindOf(content), 'a string or an array of blocks');
  const texts = content.map((value, at) => {
    const block = objectAt(value, `${param}[${at}]`);
    if (block['type'] !== 'text') throw unknownBlock(block, `${param}[${at}]`, 'text');
    return textOf(block, `${param}[${at}]`);
  });
  return texts.join('\n');
}

/** The `system` of a request; undefined when there is none. */
export function systemMessage(system: unknown): object | undefined {
  if (system === undefined || system === null) return undefined;
  const content = plainText(system, 'system');
  return content === '' ? undefined : { role: 'system', content };
}

function imageUrl(source: JsonObject, param: string): string {
  switch (source['type']) {
    case 'base64': {
      checkTable(source, { type: typed, media_type: typed, data: typed }, param);
      const type = filledText(source['media_type'], `${param}.media_type`);
      if (!/^image\/[a-z0-9.+-]{1,64}$/.test(type)) {
        throw fault(`${param}.media_type`, 'no type of an image', 'one such as image/png');
      }
      return `data:${type};base64,${filledText(source['data'], `${param}.data`)}`;
    }
    case 'url':
      checkTable(source, { type: typed, url: typed }, param);
      return filledText(source['url'], `${param}.url`);
    default:
      throw unknownBlock(source, param, 'base64 or url');
  }
}

const typed = { kind: 'translated', to: 'image_url' } as const;

function userPart(block: JsonObject, param: string): object {
  if (block['type'] === 'text') return { type: 'text', text: textOf(block, param) };
  if (block['type'] !== 'image') throw unknownBlock(block, param, 'text, image or tool_result');
  checkTable(block, imageBlockMembers, param);
  const source = objectAt(block['source'], `${param}.source`);
  return { type: 'image_url', image_url: { url: imageUrl(source, `${param}.source`) } };
}

function toolMessage(block: JsonObject, param: string): object {
  checkTable(block, toolResultMembers, param);
  const { content, is_error: isError } = block;
  const text =
    content === undefined || content === null ? '' : plainText(content, `${param}.content`);
  return {
    role: 'tool',
    tool_call_id: filledText(block['tool_use_id'], `${param}.tool_use_id`),
    content: isError === true ? `Error: ${text}` : text,
  };
}

function userMessages(content: readonly unknown[], param: string): readonly object[] {
  const results: object[] = [];
  const parts: object[] = [];
  for (const [at, value] of content.entries()) {
    const place = `${param}[${at}]`;
    const block = objectAt(value, place);
    if (block['type'] !== 'tool_result') {
      parts.push(userPart(block, place));
    } else if (parts.length > 0) {
      throw fault(place, 'a tool_result behind other blocks', 'results first');
    } else {
      results.push(toolMessage(block, place));
    }
  }
  const [only] = parts;
  if (only === undefined) return results;
  const isText = parts.length === 1 && 'text' in only;
  return [...results, { role: 'user', content: isText ? only.text : parts }];
}

function callOf(block: JsonObject, raw: RawJson | undefined, param: string): object {
  checkTable(block, toolUseMembers, param);
  const input = raw?.member('input');
  if (!isObject(block['input']) || input === undefined) {
    throw fault(`${param}.input`, kindOf(block['input']), 'an object');
  }
  const name = filledText(block['name'], `${param}.name`);
  const id = filledText(block['id'], `${param}.id`);
  return { id, type: 'function', function: { name, arguments: input.text } };
}

function assistantMessage(
  content: readonly unknown[],
  raw: RawJson | undefined,
  param: string,
): object {
  const texts: string[] = [];
  const calls: object[] = [];
  for (const [at, value] of content.entries()) {
    const place = `${param}[${at}]`;
    const block = objectAt(value, place);
    if (thoughts.has(block['type'])) continue;
    if (block['type'] === 'text') texts.push(textOf(block, place));
    else if (block['type'] === 'tool_use') calls.push(callOf(block, raw?.element(at), place));
    else throw unknownBlock(block, place, 'text, thinking or tool_use');
  }
  const text = texts.join('');
  return {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    tool_calls: calls.length === 0 ? undefined : calls,
  };
}

function messagesOf(value: unknown, raw: RawJson | undefined, param: string): readonly object[] {
  const message = objectAt(value, param);
  checkTable(message, { role: typed, content: typed }, param);
  const { role, content } = message;
  if (role === 'system') {
    return [{ role, content: plainText(content, `${param}.content`) }];
  }
  if (role !== 'user' && role !== 'assistant') {
    throw fault(`${param}.role`, kindOf(role), 'user, assistant or system');
  }
  if (typeof content === 'string') return [{ role, content }];
  const blocks = filledArray(content, `${param}.content`, messagesMax);
  if (role === 'user') return userMessages(blocks, `${param}.content`);
  return [assistantMessage(blocks, raw?.member('content'), `${param}.content`)];
}

/** All messages; throws a BodyFault that names the first member at fault. */
export function openAiMessages(body: JsonObject, raw: RawJson): readonly object[] {
  const messages = filledArray(body['messages'], 'messages', messagesMax);
  const list = raw.member('messages');
  const made = messages.flatMap((message, at) =>
    messagesOf(message, list?.element(at), `messages[${at}]`),
  );
  const last = messages.at(-1);
  if (isObject(last) && last['role'] === 'assistant') {
    const words =
      'The last message is of the assistant, and backends would answer it instead of going on with it. End with a message of the user.';
    throw unsupported('messages', words);
  }
  return made;
}
