// The conversation of a chat request, read once for all providers: what the system says, and turns of
// user and assistant. Messages of one side that follow each other make one turn, because both
// providers want the sides to alternate; results of tools belong to the side of the user.
//
//   system, developer  ─► one text, joined by line feeds (the providers have one place for it)
//   user               ─► text, images
//   assistant          ─► text, calls of tools
//   tool               ─► a result, with the name of the call that it answers

import {
  fault,
  filledArray,
  isObject,
  type JsonObject,
  kindOf,
  objectAt,
  optionalArray,
  optionalString,
} from '../openai/member-check.ts';
import { onlyMembers, unsupported } from './chat-parameters.ts';
import { filledText } from './chat-tools.ts';
import { boundedObject, objectMember, textMember } from './json-text.ts';

export type ChatPart =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'image';
      /** Lower case, such as `image/png`. */
      readonly mediaType: string;
      readonly base64: string;
      readonly param: string;
    }
  | { readonly kind: 'remote_image'; readonly url: string; readonly param: string }
  | {
      readonly kind: 'call';
      readonly id: string;
      readonly name: string;
      readonly arguments: JsonObject;
      /** What Google's models sign their calls with, as its own OpenAI interface carries it. */
      readonly signature: string | undefined;
    }
  | {
      readonly kind: 'result';
      readonly callId: string;
      readonly name: string;
      readonly text: string;
    };

type ChatTurn = { readonly role: 'user' | 'assistant'; readonly parts: readonly ChatPart[] };

export type Conversation = {
  readonly system: string | undefined;
  readonly turns: readonly ChatTurn[];
};

const messagesMax = 4096;

function textPart(value: unknown, param: string): string {
  const part = objectAt(value, param);
  const type = part['type'];
  if (type === 'refusal') {
    onlyMembers(part, ['type', 'refusal'], param);
    return optionalString(part['refusal'], `${param}.refusal`) ?? '';
  }
  if (type !== 'text') {
    throw unsupported(`${param}.type`, `${param}.type must be "text" in a message of this role.`);
  }
  onlyMembers(part, ['type', 'text', 'prompt_cache_breakpoint'], param);
  return optionalString(part['text'], `${param}.text`) ?? '';
}

/** Content that may hold text only, its parts joined. */
function textOf(content: unknown, param: string): string {
  if (content === undefined || content === null) return '';
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw fault(param, kindOf(content), 'a string or an array of parts');
  return content.map((part, at) => textPart(part, `${param}[${at}]`)).join('');
}

const dataUrl = /^data:([a-z0-9.+-]+\/[a-z0-9.+-]+)(?:;[^,;]+)*;base64,/i;

function imageOf(part: JsonObject, param: string): ChatPart {
  onlyMembers(part, ['type', 'image_url', 'prompt_cache_breakpoint'], param);
  const image = objectAt(part['image_url'], `${param}.image_url`);
  // `detail` trades the price of an image for its resolution; each provider has a rule of its own.
  onlyMembers(image, ['url', 'detail'], `${param}.image_url`);
  const url = filledText(image['url'], `${param}.image_url.url`);
  const path = `${param}.image_url.url`;
  if (/^https?:\/\//i.test(url)) return { kind: 'remote_image', url, param: path };
  const head = dataUrl.exec(url.slice(0, 256));
  const mediaType = head?.[1]?.toLowerCase();
  if (head === null || mediaType === undefined) {
    throw fault(path, 'no address of an image', 'a data: URL in base64');
  }
  const base64 = url.slice(head[0].length);
  const plainType = mediaType === 'image/jpg' ? 'image/jpeg' : mediaType;
  return { kind: 'image', mediaType: plainType, base64, param: path };
}

function userPart(value: unknown, param: string): ChatPart {
  if (isObject(value) && value['type'] === 'image_url') return imageOf(value, param);
  const type = isObject(value) ? value['type'] : undefined;
  if (type !== 'text' && typeof type === 'string') {
    throw unsupported(`${param}.type`, `${param}.type must be "text" or "image_url" here.`);
  }
  return { kind: 'text', text: textPart(value, param) };
}

function userParts(content: unknown, param: string): readonly ChatPart[] {
  if (!Array.isArray(content)) return [{ kind: 'text', text: textOf(content, param) }];
  return content.map((part, at) => userPart(part, `${param}[${at}]`));
}

function callOf(value: unknown, param: string): ChatPart {
  const call = objectAt(value, param);
  const type = call['type'];
  if (type !== undefined && type !== 'function') {
    throw unsupported(`${param}.type`, `${param}.type must be "function" at this provider.`);
  }
  onlyMembers(call, ['id', 'type', 'index', 'function', 'extra_content'], param);
  const made = objectAt(call['function'], `${param}.function`);
  onlyMembers(made, ['name', 'arguments'], `${param}.function`);
  const text = optionalString(made['arguments'], `${param}.function.arguments`) ?? '';
  const parsed = text.trim() === '' ? {} : boundedObject(Buffer.from(text));
  if (parsed === undefined) {
    throw fault(`${param}.function.arguments`, 'no JSON object', 'the arguments as JSON text');
  }
  const google = objectMember(objectMember(call, 'extra_content') ?? {}, 'google') ?? {};
  return {
    kind: 'call',
    id: filledText(call['id'], `${param}.id`),
    name: filledText(made['name'], `${param}.function.name`),
    arguments: parsed,
    signature: textMember(google, 'thought_signature'),
  };
}

/** Members of an answer that clients send back with it; what the model thought is no part of it. */
const assistantMembers = [
  'role',
  'content',
  'refusal',
  'tool_calls',
  'annotations',
  'reasoning',
  'reasoning_content',
];

function assistantParts(message: JsonObject, param: string): readonly ChatPart[] {
  onlyMembers(message, assistantMembers, param);
  const text = textOf(message['content'], `${param}.content`);
  const refused = optionalString(message['refusal'], `${param}.refusal`) ?? '';
  const calls = optionalArray(message, 'tool_calls');
  return [
    { kind: 'text', text: text + refused },
    ...calls.map((call, at) => callOf(call, `${param}.tool_calls[${at}]`)),
  ];
}

class ConversationReader {
  readonly #system: string[] = [];
  readonly #turns: { role: 'user' | 'assistant'; parts: ChatPart[] }[] = [];
  readonly #nameOfCall = new Map<string, string>();

  read(value: unknown, param: string): void {
    const message = objectAt(value, param);
    const { role } = message;
    switch (role) {
      case 'system':
      case 'developer':
        onlyMembers(message, ['role', 'content'], param);
        this.#system.push(textOf(message['content'], `${param}.content`));
        return;
      case 'user':
        onlyMembers(message, ['role', 'content'], param);
        this.#add('user', userParts(message['content'], `${param}.content`));
        return;
      case 'assistant':
        this.#add('assistant', assistantParts(message, param));
        return;
      case 'tool':
        this.#add('user', [this.#result(message, param)]);
        return;
      default:
        throw unsupported(
          `${param}.role`,
          `${param}.role must be system, developer, user, assistant or tool.`,
        );
    }
  }

  conversation(): Conversation {
    const system = this.#system.filter((text) => text !== '').join('\n');
    return { system: system === '' ? undefined : system, turns: this.#turns };
  }

  #result(message: JsonObject, param: string): ChatPart {
    // `name` repeats the name of the function, which the call has told.
    onlyMembers(message, ['role', 'content', 'tool_call_id', 'name'], param);
    const callId = filledText(message['tool_call_id'], `${param}.tool_call_id`);
    const name = this.#nameOfCall.get(callId);
    if (name === undefined) {
      throw fault(`${param}.tool_call_id`, 'the id of no call before it', 'the id of a call');
    }
    return { kind: 'result', callId, name, text: textOf(message['content'], `${param}.content`) };
  }

  /** Empty text says nothing, and the providers refuse it. */
  #add(role: 'user' | 'assistant', parts: readonly ChatPart[]): void {
    const kept = parts.filter((part) => part.kind !== 'text' || part.text !== '');
    if (kept.length === 0) return;
    for (const part of kept) if (part.kind === 'call') this.#nameOfCall.set(part.id, part.name);
    const last = this.#turns.at(-1);
    if (last?.role === role) last.parts.push(...kept);
    else this.#turns.push({ role, parts: [...kept] });
  }
}

/** The conversation of `body`; throws a BodyFault that names the first member at fault. */
export function conversationOf(body: JsonObject): Conversation {
  const reader = new ConversationReader();
  const messages = filledArray(body['messages'], 'messages', messagesMax);
  for (const [at, message] of messages.entries()) reader.read(message, `messages[${at}]`);
  const conversation = reader.conversation();
  if (conversation.turns.length === 0) {
    throw fault('messages', 'without a word of user or assistant', 'at least one such message');
  }
  return conversation;
}
