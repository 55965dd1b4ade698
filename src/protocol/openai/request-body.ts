// Reads the body of an inference request: everything the pipeline needs to know, and where the
// bytes of `model` stand. The body itself is never re-serialised; it goes upstream byte for byte,
// but for that one value (registry 20.3, security R12).
//
// Order, cheapest and strictest first: UTF-8 · cost and doubled members (json-scan.ts) · JSON ·
// engine-control fields · the members we rely on. What we do not rely on is the engine's to judge.

import { isAscii, isUtf8 } from 'node:buffer';
import { assert } from '../../base/assert.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import { checkEngineFields, noEngineFields } from './engine-fields.ts';
import { type JsonLimits, type JsonScan, scanJson } from './json-scan.ts';
import {
  BodyFault,
  fault,
  isObject,
  type JsonObject,
  kindOf,
  modelOf,
  optionalBoolean,
  optionalInteger,
  optionalObject,
} from './member-check.ts';
import { addMessages, addResponseInput, addTexts, addTools, emptyPrompt } from './prompt.ts';

export type RequestKind = 'chat' | 'completions' | 'embeddings' | 'responses';

export type RequestFeatures = {
  readonly kind: RequestKind;
  readonly model: string;
  /** Byte span of the JSON string of `model`, both quotes included. */
  readonly modelStart: number;
  readonly modelEnd: number;
  readonly stream: boolean;
  /** Does the client want usage in the stream? */
  readonly includeUsage: boolean;
  /** Of the prompt and the tool schemas, without the output. */
  readonly estimatedTokens: number;
  readonly maxOutputTokens: number | undefined;
  /** How many answers are to be generated: `n`, or `best_of` if that is more. */
  readonly choices: number;
  readonly needsVision: boolean;
  readonly needsTools: boolean;
  readonly needsJsonMode: boolean;
  /** The body names an address that the engine would contact; refused for self-hosted engines. */
  readonly remoteMedia: boolean;
  /** The beginning of the prompt, as far as it was asked for. */
  readonly prefix: string;
  /** What the client says its request belongs to: `prompt_cache_key`, else `user`. */
  readonly session: string | undefined;
};

const outputTokensMax = 2 ** 31 - 1;
const choicesMax = 128;

function invalidJson(message: string): Refusal {
  return refusal('invalid_json', message);
}

/** Text for the parser and its bytes as latin1 for the scan; the same string when it is ASCII. */
export function textsOf(
  body: Buffer,
): Result<{ readonly text: string; readonly bytes: string }, Refusal> {
  if (body.length === 0) {
    return err(invalidJson('The body is empty. Send one JSON object.'));
  }
  const bytes = body.toString('latin1');
  if (isAscii(body)) return ok({ text: bytes, bytes });
  if (bytes.startsWith('\u00ef\u00bb\u00bf')) {
    return err(invalidJson('The body starts with a byte order mark. Send UTF-8 without one.'));
  }
  if (!isUtf8(body)) {
    return err(invalidJson('The body is not valid UTF-8. Send one JSON object in UTF-8.'));
  }
  return ok({ text: body.toString('utf8'), bytes });
}

export function parseObject(text: string): Result<JsonObject, Refusal> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    // The parser's own words quote the body, which may be private.
    const place = /position (\d+)/.exec(cause instanceof Error ? cause.message : '')?.[1];
    const where = place === undefined ? '' : ` (it breaks at character ${place})`;
    return err(invalidJson(`The body is not valid JSON${where}. Send one JSON object.`));
  }
  if (isObject(value)) return ok(value);
  const met = typeof value === 'object' ? (value === null ? 'null' : 'an array') : typeof value;
  return err(invalidJson(`The body is ${met}. Send one JSON object.`));
}

function outputLimitOf(kind: RequestKind, body: JsonObject): number | undefined {
  if (kind === 'embeddings') return undefined;
  if (kind === 'responses') return optionalInteger(body, 'max_output_tokens', 1, outputTokensMax);
  const older = optionalInteger(body, 'max_tokens', 1, outputTokensMax);
  const newer = optionalInteger(body, 'max_completion_tokens', 1, outputTokensMax);
  // Engines differ in which of two they follow; a reservation has to hold for either.
  if (older === undefined || newer === undefined) return newer ?? older;
  return Math.max(older, newer);
}

function choicesOf(kind: RequestKind, body: JsonObject): number {
  if (kind !== 'chat' && kind !== 'completions') return 1;
  const n = optionalInteger(body, 'n', 1, choicesMax) ?? 1;
  return Math.max(n, optionalInteger(body, 'best_of', 1, choicesMax) ?? 1);
}

/** `response_format` of chat, `text.format` of responses. */
function wantsJson(kind: RequestKind, body: JsonObject): boolean {
  let param = 'response_format';
  let format: unknown;
  if (kind === 'responses') {
    param = 'text.format';
    format = optionalObject(body, 'text')?.['format'];
  } else {
    format = body['response_format'];
  }
  if (format === undefined || format === null) return false;
  if (!isObject(format)) throw fault(param, kindOf(format), 'an object with type');
  return format['type'] === 'json_object' || format['type'] === 'json_schema';
}

/** Texts only: what else stands there is the engine's to judge. */
function sessionOf(body: JsonObject): string | undefined {
  for (const member of ['prompt_cache_key', 'user']) {
    const value = body[member];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

function featuresOf(
  kind: RequestKind,
  body: JsonObject,
  scan: JsonScan,
  prefixMax: number,
): RequestFeatures {
  const model = modelOf(body);
  assert(scan.valueStart > 0, 'the scan found no model that the parser saw');
  const prompt = emptyPrompt(prefixMax);
  switch (kind) {
    case 'chat':
      addMessages(prompt, body);
      break;
    case 'completions':
      addTexts(prompt, body, 'prompt');
      break;
    case 'embeddings':
      addTexts(prompt, body, 'input');
      break;
    case 'responses':
      addResponseInput(prompt, body);
      break;
  }
  const needsTools = addTools(prompt, body);
  const streamOptions = optionalObject(body, 'stream_options') ?? {};
  return {
    kind,
    model,
    modelStart: scan.valueStart,
    modelEnd: scan.valueEnd,
    stream: optionalBoolean(body, 'stream'),
    includeUsage: optionalBoolean(streamOptions, 'include_usage', 'stream_options.include_usage'),
    estimatedTokens: prompt.estimatedTokens,
    maxOutputTokens: outputLimitOf(kind, body),
    choices: choicesOf(kind, body),
    needsVision: prompt.needsVision,
    needsTools,
    needsJsonMode: wantsJson(kind, body),
    remoteMedia: prompt.remoteMedia,
    prefix: prompt.prefix,
    session: sessionOf(body),
  };
}

type ReadOptions = {
  /** Engine-control fields that this key may send; none. */
  readonly allowedFields?: ReadonlySet<string>;
  /** Characters of the beginning of the prompt to keep; 0. */
  readonly prefixMax?: number;
};

/**
 * Reads and checks a whole body. Refuses with `invalid_json`, `json_too_complex`, `duplicate_field`, `field_not_allowed`, or
 * `invalid_request` with `param` named.
 */
export function readRequestBody(
  kind: RequestKind,
  body: Buffer,
  limits: JsonLimits,
  options: ReadOptions = {},
): Result<RequestFeatures, Refusal> {
  const { allowedFields = noEngineFields, prefixMax = 0 } = options;
  const texts = textsOf(body);
  if (!texts.ok) return texts;
  const scan = scanJson(texts.value.bytes, 'model', limits);
  if (!scan.ok) return scan;
  const parsed = parseObject(texts.value.text);
  if (!parsed.ok) return parsed;
  try {
    checkEngineFields(parsed.value, scan.value.names, allowedFields);
    return ok(featuresOf(kind, parsed.value, scan.value, prefixMax));
  } catch (cause) {
    if (cause instanceof BodyFault) return err(cause.refusal);
    throw cause;
  }
}

/** The same bytes with another value of `model`; the body itself when the value is the same. */
export function withModel(body: Buffer, features: RequestFeatures, model: string): Buffer {
  if (model === features.model) return body;
  const value = JSON.stringify(model);
  const valueBytes = Buffer.byteLength(value);
  const { modelStart, modelEnd } = features;
  const out = Buffer.allocUnsafe(body.length - (modelEnd - modelStart) + valueBytes);
  body.copy(out, 0, 0, modelStart);
  out.write(value, modelStart, valueBytes, 'utf8');
  body.copy(out, modelStart + valueBytes, modelEnd);
  return out;
}
