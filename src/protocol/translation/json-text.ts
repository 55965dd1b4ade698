// JSON of a provider, or inside a string of a client: parsed only when its cost is bounded, and
// without loss where it is passed on. A number that no double holds exactly (an id of twenty digits
// in the arguments of a tool) keeps its digits, because we only carry it.

import { defaultJsonLimits, scanJson } from '../openai/json-scan.ts';
import { isObject, type JsonObject } from '../openai/member-check.ts';

/** Fewer digits than this are always exact. */
const longNumber = /[0-9.]{16}/;

/** Keeps the digits of a number that would change on the way through a double. */
function exactNumber(
  _name: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined || String(value) === source) return value;
  const rawJson: unknown = Reflect.get(JSON, 'rawJSON');
  return typeof rawJson === 'function' ? rawJson(source) : value;
}

function parsed(text: string, isExact: boolean): unknown {
  try {
    return isExact && longNumber.test(text) ? JSON.parse(text, exactNumber) : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function bounded(bytes: Buffer, isExact: boolean): unknown {
  const scan = scanJson(bytes.toString('latin1'), '', defaultJsonLimits);
  return scan.ok ? parsed(bytes.toString('utf8'), isExact) : undefined;
}

/** The JSON value; undefined when it is none, or one whose parsing costs too much. */
export function boundedValue(bytes: Buffer): unknown {
  return bounded(bytes, false);
}

/** The JSON object, its numbers exact; undefined when it is none or costs too much. */
export function boundedObject(bytes: Buffer): JsonObject | undefined {
  const value = bounded(bytes, true);
  return isObject(value) ? value : undefined;
}

/** The member `name` if it is an object. */
export function objectMember(object: JsonObject, name: string): JsonObject | undefined {
  const value = object[name];
  return isObject(value) ? value : undefined;
}

/** The member `name` if it is text with anything in it. */
export function textMember(object: JsonObject, name: string): string | undefined {
  const value = object[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The objects in the array `name`, in order; none when there is no array. */
export function objectsMember(object: JsonObject, name: string): readonly JsonObject[] {
  const value = object[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}
