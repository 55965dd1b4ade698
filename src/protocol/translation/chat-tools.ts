// The tools of a chat request and the choice among them, read once for all providers.

import {
  fault,
  isObject,
  type JsonObject,
  kindOf,
  objectAt,
  optionalArray,
  optionalString,
} from '../openai/member-check.ts';
import { onlyMembers, unsupported } from './chat-parameters.ts';

export type ChatTool = {
  readonly name: string;
  readonly description: string | undefined;
  /** JSON schema of the arguments; an object without properties where the client gave none. */
  readonly schema: JsonObject;
  readonly strict: boolean;
};

export type ToolChoice =
  | { readonly kind: 'auto' | 'none' | 'required' }
  | { readonly kind: 'function'; readonly name: string };

const noArguments: JsonObject = { type: 'object', properties: {} };

export function filledText(value: unknown, param: string): string {
  if (typeof value !== 'string' || value === '') throw fault(param, kindOf(value), 'a text');
  return value;
}

function toolOf(value: unknown, param: string): ChatTool {
  const tool = objectAt(value, param);
  if (tool['type'] !== 'function') {
    throw unsupported(`${param}.type`, `${param}.type must be "function" at this provider.`);
  }
  onlyMembers(tool, ['type', 'function'], param);
  const made = objectAt(tool['function'], `${param}.function`);
  onlyMembers(made, ['name', 'description', 'parameters', 'strict'], `${param}.function`);
  const schema = made['parameters'] ?? noArguments;
  return {
    name: filledText(made['name'], `${param}.function.name`),
    description: optionalString(made['description'], `${param}.function.description`),
    schema: objectAt(schema, `${param}.function.parameters`),
    strict: made['strict'] === true,
  };
}

export function toolsOf(body: JsonObject): readonly ChatTool[] {
  return optionalArray(body, 'tools').map((tool, at) => toolOf(tool, `tools[${at}]`));
}

function namedChoice(value: unknown): ToolChoice {
  if (!isObject(value)) throw fault('tool_choice', kindOf(value), 'auto, none, required or a tool');
  if (value['type'] !== 'function') {
    const words = 'tool_choice.type must be "function" at this provider.';
    throw unsupported('tool_choice.type', words);
  }
  onlyMembers(value, ['type', 'function'], 'tool_choice');
  const named = objectAt(value['function'], 'tool_choice.function');
  onlyMembers(named, ['name'], 'tool_choice.function');
  return { kind: 'function', name: filledText(named['name'], 'tool_choice.function.name') };
}

/** The choice that the client made among `tools`; undefined when it made none, or there are none. */
export function toolChoiceOf(body: JsonObject, tools: readonly ChatTool[]): ToolChoice | undefined {
  const value = body['tool_choice'];
  if (value === undefined || value === null) return undefined;
  const choice: ToolChoice =
    value === 'auto' || value === 'none' || value === 'required'
      ? { kind: value }
      : namedChoice(value);
  if (tools.length > 0) return choice;
  if (choice.kind === 'auto' || choice.kind === 'none') return undefined;
  throw fault('tool_choice', 'a call of a tool', 'tools with it');
}
