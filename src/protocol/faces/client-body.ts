// The body of a client that speaks another interface, read under the same rules as OpenAI's: UTF-8,
// the cost of its JSON, doubled members, fields that control an engine, the name of the model. What is
// read has two forms side by side: values to look at, and their own characters to pass on.

import { err, ok, type Result } from '../../base/result.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import { checkEngineFields, noEngineFields } from '../openai/engine-fields.ts';
import { type JsonLimits, scanJson } from '../openai/json-scan.ts';
import { BodyFault, type JsonObject, modelOf } from '../openai/member-check.ts';
import { parseObject, textsOf } from '../openai/request-body.ts';
import { jsonText, RawJson } from './raw-json.ts';

export type ClientBody = {
  readonly value: JsonObject;
  readonly raw: RawJson;
  /** As the client named it. */
  readonly askedModel: string;
  /** As it is known here. */
  readonly model: string;
};

/** A model goes by the name that the client gave it. */
export function sameName(model: string): string {
  return model;
}

/**
 * What `translate` makes of a checked body. It refuses by throwing a BodyFault, as the checks of
 * single members do.
 */
export function readClientBody<Made>(
  body: Buffer,
  limits: JsonLimits,
  nameOf: (model: string) => string,
  translate: (body: ClientBody) => Made,
): Result<Made, Refusal> {
  const texts = textsOf(body);
  if (!texts.ok) return texts;
  const scan = scanJson(texts.value.bytes, 'model', limits);
  if (!scan.ok) return scan;
  const value = parseObject(texts.value.text);
  if (!value.ok) return value;
  try {
    checkEngineFields(value.value, scan.value.names, noEngineFields);
    const askedModel = modelOf(value.value);
    const raw = new RawJson(texts.value.text);
    return ok(translate({ value: value.value, raw, askedModel, model: nameOf(askedModel) }));
  } catch (cause) {
    if (cause instanceof BodyFault) return err(cause.refusal);
    throw cause;
  }
}

/** The bytes of an OpenAI body. */
export function openAiBody(members: JsonObject): Buffer {
  return Buffer.from(jsonText(members));
}
