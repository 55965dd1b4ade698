// Which tool a simulated model calls, and with what: it calls one exactly when the request forces it
// to, with arguments made up to fit the tool's schema.

import { tokenText } from '../../core/workload/engine/generated-content.ts';
import { isJsonObject, type JsonObject, textMember } from './json-body.ts';

export type Tool = { readonly name: string; readonly schema: unknown };

export type ToolCall = { readonly name: string; readonly arguments: JsonObject };

/** Schemas are followed this deep; deeper members are left out. */
const depthMax = 8;

/** The call of `tool`, the same for the same `digest`. */
export function toolCallOf({ name, schema }: Tool, digest: number): ToolCall {
  const value = sampleOf(schema, digest, 0);
  return { name, arguments: isJsonObject(value) ? value : {} };
}

/** A value that fits the JSON schema, as far as types, `enum` and `required` go. */
function sampleOf(schema: unknown, digest: number, depth: number): unknown {
  if (!isJsonObject(schema) || depth > depthMax) return null;
  const choices = schema['enum'];
  if (Array.isArray(choices) && choices.length > 0) return choices[digest % choices.length];
  // Google writes types in capitals.
  switch (textMember(schema, 'type')?.toLowerCase()) {
    case 'string':
      return tokenText(digest, 0, 1).trim();
    case 'integer':
      return digest % 100;
    case 'number':
      return (digest % 100) + 0.5;
    case 'boolean':
      return digest % 2 === 0;
    case 'array':
      return [sampleOf(schema['items'], digest + 1, depth + 1)];
    case 'null':
      return null;
    default:
      return objectOf(schema, digest, depth);
  }
}

function objectOf(schema: JsonObject, digest: number, depth: number): JsonObject {
  const properties = schema['properties'];
  if (!isJsonObject(properties)) return {};
  const required = schema['required'];
  const names = Array.isArray(required) ? required : Object.keys(properties);
  const known = Object.keys(properties).filter((name) => names.includes(name));
  return Object.fromEntries(
    known.map((name, i) => [name, sampleOf(properties[name], digest + i + 1, depth + 1)]),
  );
}
