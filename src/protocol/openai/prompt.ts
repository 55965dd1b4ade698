// What a prompt amounts to: an estimate of its tokens, and what an engine must be able to do with
// it. Heuristics only, one walk over the parsed body, never a change to it (registry 10).
//
// Tokens: floor(UTF-8 bytes / 4) for each text part and for the tool schemas; token ids count one
// each. The aim is 25 % of the truth; the engine knows better.

import {
  fault,
  filledArray,
  isObject,
  type JsonObject,
  kindOf,
  objectAt,
  optionalArray,
  optionalString,
} from './member-check.ts';

export type Prompt = {
  estimatedTokens: number;
  needsVision: boolean;
  /** Something in it names an address that the engine itself would contact. */
  remoteMedia: boolean;
  /** Its beginning, as far as `prefixMax` characters. */
  prefix: string;
  readonly prefixMax: number;
};

const messagesMax = 4096;
const inputsMax = 2048;
const tokenIdMax = 2 ** 31 - 1;

/** `prefixMax` characters of its beginning are kept; 0 keeps none. */
export function emptyPrompt(prefixMax: number): Prompt {
  return { estimatedTokens: 0, needsVision: false, remoteMedia: false, prefix: '', prefixMax };
}

function addText(prompt: Prompt, text: string | undefined): void {
  if (text === undefined) return;
  prompt.estimatedTokens += Buffer.byteLength(text) >> 2;
  const room = prompt.prefixMax - prompt.prefix.length;
  if (room > 0) prompt.prefix += text.slice(0, room);
}

const mediaMembers = ['image_url', 'video_url', 'audio_url', 'file_url'] as const;

/** Engines take media by the member, whatever `type` says, and as text or as `{url}`. */
function addMedia(prompt: Prompt, part: JsonObject, param: string): void {
  for (const member of mediaMembers) {
    const value = part[member];
    if (value === undefined || value === null) continue;
    const url = isObject(value) ? value['url'] : value;
    if (typeof url !== 'string') {
      throw fault(`${param}.${member}`, kindOf(value), 'a data: URL or an object with url');
    }
    if (!/^data:/i.test(url)) prompt.remoteMedia = true;
    if (member === 'image_url' || member === 'video_url') prompt.needsVision = true;
  }
}

function addPart(prompt: Prompt, value: unknown, param: string): void {
  if (typeof value === 'string') {
    addText(prompt, value);
    return;
  }
  const part = objectAt(value, param);
  const type = optionalString(part['type'], `${param}.type`);
  addText(prompt, optionalString(part['text'], `${param}.text`));
  if (type === 'image_url' || type === 'input_image') prompt.needsVision = true;
  addMedia(prompt, part, param);
}

/** Text, parts, or nothing: a message that only calls tools has no content. */
function addContent(prompt: Prompt, content: unknown, param: string): void {
  if (typeof content === 'string') {
    addText(prompt, content);
  } else if (Array.isArray(content)) {
    for (let at = 0; at < content.length; at += 1) {
      addPart(prompt, content[at], `${param}[${at}]`);
    }
  } else if (content !== undefined && content !== null) {
    throw fault(param, kindOf(content), 'a string or an array of parts');
  }
}

export function addMessages(prompt: Prompt, body: JsonObject): void {
  const messages = filledArray(body['messages'], 'messages', messagesMax);
  for (let at = 0; at < messages.length; at += 1) {
    const message = messages[at];
    if (!isObject(message)) throw fault(`messages[${at}]`, kindOf(message), 'an object');
    const role = message['role'];
    if (typeof role !== 'string' || role === '') {
      throw fault(`messages[${at}].role`, kindOf(role), 'a role such as user');
    }
    addContent(prompt, message['content'], `messages[${at}].content`);
  }
}

function isTokenIds(values: readonly unknown[]): boolean {
  return typeof values[0] === 'number';
}

function addTokenIds(prompt: Prompt, ids: readonly unknown[], param: string): void {
  for (const id of ids) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > tokenIdMax) {
      throw fault(param, `an array with ${kindOf(id)} in it`, 'token ids only, integers from 0');
    }
  }
  prompt.estimatedTokens += ids.length;
}

/** `prompt` of completions and `input` of embeddings: text, texts, token ids, or arrays of them. */
export function addTexts(prompt: Prompt, body: JsonObject, param: string): void {
  const value = body[param];
  if (typeof value === 'string') {
    addText(prompt, value);
    return;
  }
  if (Array.isArray(value) && isTokenIds(value)) {
    addTokenIds(prompt, value, param);
    return;
  }
  const inputs = filledArray(value, param, inputsMax);
  for (let at = 0; at < inputs.length; at += 1) {
    const input = inputs[at];
    if (typeof input === 'string') addText(prompt, input);
    else if (Array.isArray(input) && isTokenIds(input))
      addTokenIds(prompt, input, `${param}[${at}]`);
    else throw fault(`${param}[${at}]`, kindOf(input), 'a string or an array of token ids');
  }
}

/** `input` and `instructions` of the Responses API. */
export function addResponseInput(prompt: Prompt, body: JsonObject): void {
  addText(prompt, optionalString(body['instructions'], 'instructions'));
  const input = body['input'];
  if (typeof input === 'string') {
    addText(prompt, input);
    return;
  }
  const items = filledArray(input, 'input', messagesMax);
  for (let at = 0; at < items.length; at += 1) {
    const item = objectAt(items[at], `input[${at}]`);
    addContent(prompt, item['content'], `input[${at}].content`);
    addContent(prompt, item['output'] ?? item['arguments'], `input[${at}].output`);
  }
}

/** Tool schemas count as text. A tool with a server address is contacted by the engine itself. */
export function addTools(prompt: Prompt, body: JsonObject): boolean {
  const tools = optionalArray(body, 'tools');
  const functions = optionalArray(body, 'functions');
  for (let at = 0; at < tools.length; at += 1) {
    const tool = objectAt(tools[at], `tools[${at}]`);
    if (tool['server_url'] !== undefined) prompt.remoteMedia = true;
  }
  if (tools.length > 0) addText(prompt, JSON.stringify(tools));
  if (functions.length > 0) addText(prompt, JSON.stringify(functions));
  return tools.length > 0 || functions.length > 0;
}
