// The text that a prompt stands for. Messages are joined as role and content, a line each, so that
// a conversation that goes on begins with exactly the text of the one before it: the prefix cache
// finds it again.

import { err, ok, type Result } from '../../base/result.ts';
import { isJsonObject, type JsonObject, textMember } from './json-body.ts';
import { badRequest, type SimRefusal } from './refusals.ts';

export type PromptText = { readonly text: string; readonly extraTokens: number };

/** Tokens that an image counts as: 24 x 24 patches, as LLaVA 1.5 has them. */
export const imageTokens = 576;

/** `messages` of chat requests, OpenAI and Ollama alike. */
export function textOfMessages(messages: unknown): Result<PromptText, SimRefusal> {
  if (!Array.isArray(messages) || messages.length === 0) {
    return err(badRequest('messages must be a list with at least one message', 'messages'));
  }
  let text = '';
  let extraTokens = 0;
  for (const message of messages) {
    if (!isJsonObject(message)) return err(badRequest('a message must be an object', 'messages'));
    const role = textMember(message, 'role');
    if (role === undefined) return err(badRequest('a message must have a role', 'messages'));
    const content = textOfContent(message['content']);
    text += `${role}\n${content.text}\n`;
    extraTokens += content.extraTokens;
    const images = message['images'];
    if (Array.isArray(images)) extraTokens += images.length * imageTokens;
  }
  return ok({ text, extraTokens });
}

/** `prompt` of completion requests: a text, or a list of token ids. */
export function textOfPrompt(prompt: unknown): Result<PromptText, SimRefusal> {
  if (typeof prompt === 'string') return ok({ text: prompt, extraTokens: 0 });
  if (Array.isArray(prompt) && prompt.length === 1 && typeof prompt[0] === 'string') {
    return ok({ text: prompt[0], extraTokens: 0 });
  }
  if (isTokenList(prompt)) return ok({ text: textOfTokens(prompt), extraTokens: 0 });
  return err(badRequest('prompt must be one text or one list of token ids', 'prompt'));
}

/** `input` of the responses API: a text or a list of items, after the instructions. */
export function textOfInput(body: JsonObject): Result<PromptText, SimRefusal> {
  const instructions = textMember(body, 'instructions');
  const system = instructions === undefined ? [] : [{ role: 'system', content: instructions }];
  const input = body['input'];
  if (typeof input === 'string') {
    return textOfMessages([...system, { role: 'user', content: input }]);
  }
  if (!Array.isArray(input) || input.length === 0) {
    return err(badRequest('input must be a text or a list of items', 'input'));
  }
  const items: readonly unknown[] = input;
  return textOfMessages([
    ...system,
    ...items.map((item) =>
      isJsonObject(item) && typeof item['role'] !== 'string'
        ? { role: textMember(item, 'type') ?? 'item', content: JSON.stringify(item) }
        : item,
    ),
  ]);
}

/** `input` of embedding requests: one or many texts, or one or many lists of token ids. */
export function textsOfEmbeddingInput(input: unknown): Result<readonly string[], SimRefusal> {
  if (typeof input === 'string') return ok([input]);
  if (isTokenList(input)) return ok([textOfTokens(input)]);
  if (!Array.isArray(input) || input.length === 0 || input.length > 2048) {
    return err(badRequest('input must be a text or a list of 1 to 2048 texts', 'input'));
  }
  const texts: string[] = [];
  for (const item of input) {
    if (typeof item === 'string') texts.push(item);
    else if (isTokenList(item)) texts.push(textOfTokens(item));
    else return err(badRequest('input must hold texts or lists of token ids', 'input'));
  }
  return ok(texts);
}

function textOfContent(content: unknown): PromptText {
  if (typeof content === 'string') return { text: content, extraTokens: 0 };
  if (!Array.isArray(content)) return { text: '', extraTokens: 0 };
  let text = '';
  let extraTokens = 0;
  for (const part of content) {
    const partText = isJsonObject(part) ? textMember(part, 'text') : undefined;
    if (partText === undefined) extraTokens += imageTokens;
    else text += partText;
  }
  return { text, extraTokens };
}

function isTokenList(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every(Number.isInteger);
}

/** Four characters a token, so that token ids count as what they are. */
function textOfTokens(tokens: readonly number[]): string {
  return tokens.map((token) => String.fromCharCode(token & 0xffff).padEnd(4)).join('');
}
