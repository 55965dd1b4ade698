// What `POST /v1/messages` takes (platform.claude.com/docs/en/api/messages), as strictly as the real
// service: members that it does not know, empty texts and tool results without their call are
// refused, so that a translation that leaves something over is found out.

import { err, ok, type Result } from '../../base/result.ts';
import { isJsonObject, type JsonObject, textMember } from './json-body.ts';
import { imageTokens } from './prompt-text.ts';
import { badRequest, type SimRefusal } from './refusals.ts';
import type { Tool } from './tool-call.ts';

export type AnthropicRequest = {
  readonly model: string;
  readonly maxTokens: number;
  readonly text: string;
  readonly extraTokens: number;
  readonly stream: boolean;
  /** The tool that must be called. */
  readonly forced: Tool | undefined;
};

const members: ReadonlySet<string> = new Set([
  ...['model', 'max_tokens', 'messages', 'system', 'stream', 'stop_sequences', 'temperature'],
  ...['top_p', 'top_k', 'metadata', 'tools', 'tool_choice', 'thinking', 'service_tier'],
  ...['cache_control', 'container', 'context_management', 'inference_geo', 'mcp_servers'],
  ...['output_config', 'output_format'],
]);

type Said = { readonly text: string; readonly extraTokens: number };
type Block = { readonly value: JsonObject; readonly type: string; readonly place: string };

export function readAnthropicRequest(body: JsonObject): Result<AnthropicRequest, SimRefusal> {
  const unknown = Object.keys(body).find((name) => !members.has(name));
  if (unknown !== undefined) return fault(`${unknown}: Extra inputs are not permitted`);
  const model = textMember(body, 'model');
  if (model === undefined) return fault('model: Field required');
  const maxTokens = body['max_tokens'];
  if (maxTokens === undefined) return fault('max_tokens: Field required');
  if (typeof maxTokens !== 'number' || !Number.isInteger(maxTokens) || maxTokens < 1) {
    return fault('max_tokens: Input should be greater than or equal to 1');
  }
  const said = readMessages(body['messages']);
  if (!said.ok) return said;
  const forced = forcedTool(body);
  if (!forced.ok) return forced;
  const system = textOfSystem(body['system']);
  const { extraTokens } = said.value;
  const text = `${system}${said.value.text}`;
  const stream = body['stream'] === true;
  return ok({ model, maxTokens, text, extraTokens, stream, forced: forced.value });
}

function fault(message: string): Result<never, SimRefusal> {
  return err(badRequest(message));
}

function textOfSystem(system: unknown): string {
  const blocks: readonly unknown[] = Array.isArray(system) ? system : [{ text: system }];
  const texts = blocks.map((block) =>
    isJsonObject(block) ? textMember(block, 'text') : undefined,
  );
  return texts.map((text) => (text === undefined ? '' : `system\n${text}\n`)).join('');
}

function readMessages(messages: unknown): Result<Said, SimRefusal> {
  if (!Array.isArray(messages)) return fault('messages: Field required');
  if (messages.length === 0) return fault('messages: at least one message is required');
  const open = new OpenCalls();
  let text = '';
  let extraTokens = 0;
  for (const [i, message] of messages.entries()) {
    const said = readMessage(message, `messages.${i}`, open);
    if (!said.ok) return said;
    text += said.value.text;
    extraTokens += said.value.extraTokens;
  }
  const unanswered = open.unanswered();
  return unanswered === undefined ? ok({ text, extraTokens }) : fault(unanswered);
}

function readMessage(message: unknown, place: string, open: OpenCalls): Result<Said, SimRefusal> {
  if (!isJsonObject(message)) return fault(`${place}: Input should be a valid dictionary`);
  const role = textMember(message, 'role');
  if (role !== 'user' && role !== 'assistant') {
    return fault(`${place}.role: Input should be 'user' or 'assistant'`);
  }
  const blocks = blocksOf(message['content'], place);
  if (!blocks.ok) return blocks;
  const unfit = open.read(role, blocks.value);
  if (unfit !== undefined) return fault(unfit);
  let text = `${role}\n`;
  let extraTokens = 0;
  for (const block of blocks.value) {
    const said = readBlock(block);
    if (!said.ok) return said;
    text += said.value.text;
    extraTokens += said.value.extraTokens;
  }
  return ok({ text: `${text}\n`, extraTokens });
}

/**
 * Every call is answered before the assistant speaks again, and nothing is answered that was not
 * called. Messages of one role in a row count as one.
 */
class OpenCalls {
  readonly #ids = new Set<string>();
  #role = 'user';

  /** Why the message does not fit those before it; undefined when it does. */
  read(role: 'user' | 'assistant', blocks: readonly Block[]): string | undefined {
    const unanswered = role === 'assistant' ? this.unanswered() : undefined;
    if (unanswered !== undefined) return unanswered;
    this.#role = role;
    for (const { type, value, place } of blocks) {
      if (type === 'tool_use') this.#ids.add(textMember(value, 'id') ?? '');
      if (type !== 'tool_result') continue;
      const id = textMember(value, 'tool_use_id') ?? '';
      if (!this.#ids.delete(id)) return `${place}: unexpected \`tool_use_id\` found: ${id}`;
    }
    return undefined;
  }

  /** Calls that the user left open, in words; the assistant's own last calls may be. */
  unanswered(): string | undefined {
    if (this.#role === 'assistant') return undefined;
    const [id] = this.#ids;
    const words = '`tool_use` ids were found without `tool_result` blocks immediately after';
    return id === undefined ? undefined : `${words}: ${id}`;
  }
}

function blocksOf(content: unknown, place: string): Result<readonly Block[], SimRefusal> {
  const values: unknown = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  if (!Array.isArray(values)) return fault(`${place}.content: Field required`);
  if (values.length === 0) return fault(`${place}: all messages must have non-empty content`);
  const blocks: Block[] = [];
  for (const [i, value] of values.entries()) {
    const type = isJsonObject(value) ? textMember(value, 'type') : undefined;
    if (!isJsonObject(value) || type === undefined) {
      return fault(`${place}.content.${i}.type: Field required`);
    }
    blocks.push({ value, type, place: `${place}.content.${i}` });
  }
  return ok(blocks);
}

function readBlock({ value, type, place }: Block): Result<Said, SimRefusal> {
  switch (type) {
    case 'text': {
      const text = textMember(value, 'text');
      if (text === undefined) return fault(`${place}.text: Field required`);
      if (text === '') return fault('messages: text content blocks must be non-empty');
      return ok({ text, extraTokens: 0 });
    }
    case 'image':
    case 'document':
      return isSource(value['source'])
        ? ok({ text: '', extraTokens: imageTokens })
        : fault(`${place}.${type}.source: Field required`);
    case 'tool_use':
      if (!isJsonObject(value['input'])) {
        return fault(`${place}.tool_use.input: Input should be a valid dictionary`);
      }
      return ok({ text: JSON.stringify(value['input']), extraTokens: 0 });
    case 'tool_result':
      return ok({ text: JSON.stringify(value['content'] ?? ''), extraTokens: 0 });
    case 'thinking':
    case 'redacted_thinking':
      return ok({ text: '', extraTokens: 0 });
    default:
      return fault(`${place}: Input tag '${type}' does not match any of the expected tags`);
  }
}

function isSource(source: unknown): boolean {
  if (!isJsonObject(source)) return false;
  if (source['type'] === 'url') return textMember(source, 'url') !== undefined;
  const isText = (name: string): boolean => textMember(source, name) !== undefined;
  return source['type'] === 'base64' && isText('media_type') && isText('data');
}

/** The tool that `tool_choice` forces: by name, or the first where any will do. */
function forcedTool(body: JsonObject): Result<Tool | undefined, SimRefusal> {
  const tools = body['tools'] ?? [];
  if (!Array.isArray(tools)) return fault('tools: Input should be a valid list');
  const read: Tool[] = [];
  for (const [i, tool] of tools.entries()) {
    const name = isJsonObject(tool) ? textMember(tool, 'name') : undefined;
    if (name === undefined) return fault(`tools.${i}.name: Field required`);
    if (isJsonObject(tool) && tool['type'] === undefined && !isJsonObject(tool['input_schema'])) {
      return fault(`tools.${i}.input_schema: Field required`);
    }
    read.push({ name, schema: isJsonObject(tool) ? tool['input_schema'] : undefined });
  }
  const choice = body['tool_choice'];
  if (!isJsonObject(choice)) return ok(undefined);
  if (choice['type'] === 'any') return ok(read[0]);
  if (choice['type'] !== 'tool') return ok(undefined);
  const wanted = read.find(({ name }) => name === choice['name']);
  return wanted === undefined
    ? fault(`tool_choice: Tool '${String(choice['name'])}' not found in provided tools`)
    : ok(wanted);
}
