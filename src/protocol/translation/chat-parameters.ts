// What becomes of each parameter of a chat request at a provider that is not OpenAI: one table per
// provider, and one check that walks the request. A parameter that stands in no table is refused by
// its name, so a new one is never lost without a word.
//
//   translated  the request of the provider says it, in the words of `to`
//   only        the values that ask for nothing special are taken, any other is refused
//   ignored     a hint whose loss changes no answer; `because` says why that is so
//
// `null` counts as absent, as OpenAI's clients send it.

import { BodyFault, fault, isObject, type JsonObject, kindOf } from '../openai/member-check.ts';

type ParameterRule =
  | { readonly kind: 'translated'; readonly to: string }
  | { readonly kind: 'only'; readonly values: readonly unknown[] }
  | { readonly kind: 'ignored'; readonly because: string };

export type ParameterTable = Readonly<Record<string, ParameterRule>>;

export function translated(to: string): ParameterRule {
  return { kind: 'translated', to };
}

export function only(...values: readonly unknown[]): ParameterRule {
  return { kind: 'only', values };
}

export function ignored(because: string): ParameterRule {
  return { kind: 'ignored', because };
}

const cacheHint = 'caching changes the price, never the answer';

/** What holds for every provider that is not OpenAI. */
export const commonParameters: ParameterTable = {
  model: translated('the model of the provider'),
  messages: translated('the conversation'),
  stream: translated('the streaming call'),
  stream_options: translated('a usage chunk of ours at the end'),
  n: only(1),
  logprobs: only(false),
  top_logprobs: only(0),
  logit_bias: only({}),
  modalities: only(['text']),
  audio: only(),
  moderation: only(),
  web_search_options: only(),
  functions: only([]),
  function_call: only(),
  service_tier: only('auto', 'default'),
  store: only(false),
  verbosity: only('medium'),
  metadata: ignored('it labels completions that OpenAI stores, and nothing is stored'),
  prediction: ignored('it makes the same answer come faster'),
  prompt_cache_key: ignored(cacheHint),
  prompt_cache_options: ignored(cacheHint),
  prompt_cache_retention: ignored(cacheHint),
};

/** The fault of a parameter that the provider cannot honour. */
export function unsupported(param: string, words: string): BodyFault {
  return new BodyFault('unsupported_parameter', words, param);
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function shown(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string'
    ? JSON.stringify(value).slice(0, 64)
    : kindOf(value);
}

/** Refuses the first parameter that `provider` cannot honour. */
export function checkParameters(body: JsonObject, table: ParameterTable, provider: string): void {
  for (const [name, value] of Object.entries(body)) {
    if (isAbsent(value)) continue;
    const rule = Object.hasOwn(table, name) ? table[name] : undefined;
    if (rule === undefined) {
      throw unsupported(name, `${provider} has no ${name.slice(0, 64)}. Leave it out.`);
    }
    if (rule.kind !== 'only') continue;
    const text = JSON.stringify(value);
    if (rule.values.some((allowed) => JSON.stringify(allowed) === text)) continue;
    const instead = rule.values.map((allowed) => JSON.stringify(allowed)).join(' or ');
    const advice = instead === '' ? 'Leave it out.' : `Send ${instead}, or leave it out.`;
    throw unsupported(name, `${name} is ${shown(value)}, which ${provider} cannot do. ${advice}`);
  }
}

/** Refuses a member of `object` that is not in `known`: nothing inside is lost either. */
export function onlyMembers(object: JsonObject, known: readonly string[], param: string): void {
  for (const [name, value] of Object.entries(object)) {
    if (isAbsent(value) || known.includes(name)) continue;
    const path = `${param}.${name.slice(0, 64)}`;
    throw unsupported(path, `${path} has no counterpart at this provider. Leave it out.`);
  }
}

/** A number within [min, max]; undefined when it is absent. */
export function optionalNumber(
  body: JsonObject,
  param: string,
  min: number,
  max: number,
): number | undefined {
  const value = body[param];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || value < min || value > max) {
    throw fault(param, kindOf(value), `a number from ${min} to ${max}`);
  }
  return value;
}

/** `stop` as a list; undefined when it is absent or empty. */
export function stopSequences(body: JsonObject, countMax: number): readonly string[] | undefined {
  const value = body['stop'];
  if (value === undefined || value === null) return undefined;
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  const stops = texts.filter((text) => typeof text === 'string');
  if (stops.length !== texts.length || stops.length > countMax || stops.includes('')) {
    throw fault('stop', kindOf(value), `a text that is not empty, or up to ${countMax} of them`);
  }
  return stops.length === 0 ? undefined : stops;
}

/** The limit of the output: the newer of the two names wins. */
export function outputTokens(body: JsonObject): number | undefined {
  const max = 2 ** 31 - 1;
  return (
    optionalNumber(body, 'max_completion_tokens', 1, max) ??
    optionalNumber(body, 'max_tokens', 1, max)
  );
}

type JsonFormat =
  | { readonly kind: 'object' }
  | { readonly kind: 'schema'; readonly schema: JsonObject };

/** `response_format`; undefined when plain text is wanted. */
export function jsonFormat(body: JsonObject): JsonFormat | undefined {
  const format = body['response_format'];
  if (format === undefined || format === null) return undefined;
  if (!isObject(format)) throw fault('response_format', kindOf(format), 'an object with type');
  onlyMembers(format, ['type', 'json_schema'], 'response_format');
  const type = format['type'];
  if (type === 'text') return undefined;
  if (type === 'json_object') return { kind: 'object' };
  if (type !== 'json_schema') {
    throw unsupported(
      'response_format.type',
      `response_format.type is ${shown(type)}. Send text, json_object or json_schema.`,
    );
  }
  return { kind: 'schema', schema: schemaOf(format) };
}

function schemaOf(format: JsonObject): JsonObject {
  const param = 'response_format.json_schema';
  const wrapper = format['json_schema'];
  if (!isObject(wrapper)) throw fault(param, kindOf(wrapper), 'an object with schema');
  // Both providers hold the answer to the schema, which is what `strict` asks for; `name` and
  // `description` label it.
  onlyMembers(wrapper, ['name', 'description', 'schema', 'strict'], param);
  const { schema } = wrapper;
  if (!isObject(schema)) throw fault(`${param}.schema`, kindOf(schema), 'a JSON schema');
  return schema;
}

const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] as const;
type ReasoningEffort = (typeof efforts)[number];

export function reasoningEffort(body: JsonObject): ReasoningEffort | undefined {
  const value = body['reasoning_effort'];
  if (value === undefined || value === null) return undefined;
  const effort = efforts.find((name) => name === value);
  if (effort === undefined) {
    throw fault('reasoning_effort', kindOf(value), efforts.join(', '));
  }
  return effort;
}
