// Checks of single members of a request, written by hand because they run on every request. A
// failed check throws a BodyFault, which never leaves readRequestBody: it turns it into a refusal.
// `null` counts as absent wherever OpenAI takes it so.

import type { ErrorCode } from '../../errors/catalogue.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';

export type JsonObject = { readonly [name: string]: unknown };

export class BodyFault extends Error {
  override readonly name = 'BodyFault';
  readonly refusal: Refusal;

  constructor(code: ErrorCode, message: string, param?: string) {
    super(message);
    this.refusal = refusal(code, message, param === undefined ? {} : { param });
  }
}

/** How a value is shown in a message: its kind and size, never its text. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'absent';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return value === '' ? 'an empty string' : 'a string';
  if (typeof value === 'number') return String(value);
  return `${value}`;
}

export function fault(param: string, met: string, wanted: string): BodyFault {
  return new BodyFault('invalid_request', `${param} is ${met}. Send ${wanted}.`, param);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectAt(value: unknown, param: string): JsonObject {
  if (!isObject(value)) throw fault(param, kindOf(value), 'an object');
  return value;
}

export function optionalObject(body: JsonObject, param: string): JsonObject | undefined {
  const value = body[param];
  return value === undefined || value === null ? undefined : objectAt(value, param);
}

export function optionalBoolean(body: JsonObject, name: string, param = name): boolean {
  const value = body[name];
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean') throw fault(param, kindOf(value), 'true or false');
  return value;
}

export function optionalInteger(
  body: JsonObject,
  param: string,
  min: number,
  max: number,
): number | undefined {
  const value = body[param];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw fault(param, kindOf(value), `an integer from ${min} to ${max}`);
  }
  return value;
}

export function optionalArray(body: JsonObject, param: string): readonly unknown[] {
  const value = body[param];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw fault(param, kindOf(value), 'an array');
  return value;
}

export function optionalString(value: unknown, param: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw fault(param, kindOf(value), 'a string');
  return value;
}

export function filledArray(value: unknown, param: string, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw fault(param, kindOf(value), `an array of 1 to ${max}`);
  if (value.length < 1 || value.length > max) {
    throw fault(param, kindOf(value), `1 to ${max} elements`);
  }
  return value;
}

const modelCharactersMax = 1000;

/** The model id: 1 to 1000 characters, not blank, no control characters, well-formed Unicode. */
export function modelOf(body: JsonObject): string {
  const model = body['model'];
  if (typeof model !== 'string') throw fault('model', kindOf(model), 'the id of a model');
  if (model.trim() === '') throw fault('model', 'blank', 'the id of a model');
  if (model.length > modelCharactersMax) {
    throw fault('model', `${model.length} characters long`, `at most ${modelCharactersMax}`);
  }
  if (/[\u0000-\u001f\u007f-\u009f]/.test(model)) {
    throw fault('model', 'text with a control character', 'an id without one');
  }
  if (!model.isWellFormed()) {
    throw fault('model', 'text with a lone surrogate', 'an id in well-formed Unicode');
  }
  return model;
}
