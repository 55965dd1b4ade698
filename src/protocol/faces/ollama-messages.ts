// The conversation of an Ollama request as OpenAI's messages. Ollama's calls mostly have no ids: they
// get `call_0`, `call_1` in the order of the conversation, and a result belongs to the call that it
// names by id, else to the first open call of its tool, else to the first open call.

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
import { filledText } from '../translation/chat-tools.ts';
import { checkTable } from './face-parameters.ts';
import { callFunctionMembers, callMembers, messageMembers } from './ollama-parameters.ts';
import type { RawJson } from './raw-json.ts';

const messagesMax = 4096;

type OpenCall = { readonly id: string; readonly name: string };

/** First bytes of an image in base64, and its type: Ollama's images do not name theirs. */
const imageStarts: readonly (readonly [string, string])[] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
];

function imagePart(value: unknown, param: string): object {
  const base64 = filledText(value, param);
  const type = imageStarts.find(([start]) => base64.startsWith(start))?.[1];
  if (type === undefined) {
    throw fault(
      param,
      'no image that is known by its first bytes',
      'PNG, JPEG, GIF or WebP in base64',
    );
  }
  return { type: 'image_url', image_url: { url: `data:${type};base64,${base64}` } };
}

/** Text, and images behind it; a text alone where there are none. */
export function userContent(text: string, holder: JsonObject, param: string): unknown {
  const images = optionalArray(holder, 'images');
  if (images.length === 0) return text;
  const parts = images.map((image, at) => imagePart(image, `${param}images[${at}]`));
  return text === '' ? parts : [{ type: 'text', text }, ...parts];
}

class Conversation {
  readonly #open: OpenCall[] = [];
  #calls = 0;

  message(value: unknown, raw: RawJson | undefined, param: string): object {
    const message = objectAt(value, param);
    checkTable(message, messageMembers, param);
    const text = optionalString(message['content'], `${param}.content`) ?? '';
    const { role } = message;
    switch (role) {
      case 'system':
        return { role, content: text };
      case 'user':
        return { role, content: userContent(text, message, `${param}.`) };
      case 'assistant':
        return this.#assistant(message, raw, text, param);
      case 'tool':
        return { role, tool_call_id: this.#answered(message, param).id, content: text };
      default:
        throw fault(`${param}.role`, kindOf(role), 'system, user, assistant or tool');
    }
  }

  #assistant(message: JsonObject, raw: RawJson | undefined, text: string, param: string): object {
    const list = raw?.member('tool_calls');
    const calls = optionalArray(message, 'tool_calls').map((call, at) =>
      this.#call(call, list?.element(at), `${param}.tool_calls[${at}]`),
    );
    if (calls.length === 0) return { role: 'assistant', content: text };
    return { role: 'assistant', content: text === '' ? null : text, tool_calls: calls };
  }

  #call(value: unknown, raw: RawJson | undefined, param: string): object {
    const call = objectAt(value, param);
    checkTable(call, callMembers, param);
    const made = objectAt(call['function'], `${param}.function`);
    checkTable(made, callFunctionMembers, `${param}.function`);
    const given = raw?.member('function')?.member('arguments');
    if (!isObject(made['arguments']) || given === undefined) {
      throw fault(`${param}.function.arguments`, kindOf(made['arguments']), 'an object');
    }
    const name = filledText(made['name'], `${param}.function.name`);
    const id = optionalString(call['id'], `${param}.id`) ?? `call_${this.#calls}`;
    this.#calls += 1;
    this.#open.push({ id, name });
    return { id, type: 'function', function: { name, arguments: given.text } };
  }

  #answered(message: JsonObject, param: string): OpenCall {
    const id = optionalString(message['tool_call_id'], `${param}.tool_call_id`);
    const name = optionalString(message['tool_name'], `${param}.tool_name`);
    const at = this.#open.findIndex((call) =>
      id === undefined ? name === undefined || call.name === name : call.id === id,
    );
    const [call] = at < 0 ? [] : this.#open.splice(at, 1);
    if (call === undefined) throw fault(param, 'a result of no call before it', 'the call first');
    return call;
  }
}

/** All messages; throws a BodyFault that names the first member at fault. */
export function openAiMessages(body: JsonObject, raw: RawJson): readonly object[] {
  const messages = filledArray(body['messages'], 'messages', messagesMax);
  const conversation = new Conversation();
  const list = raw.member('messages');
  return messages.map((message, at) =>
    conversation.message(message, list?.element(at), `messages[${at}]`),
  );
}
