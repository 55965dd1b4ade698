// Members that steer the engine instead of the request. An engine that takes them from any client
// can be made to fetch, crash, leak a cache or ignore our own choices (security 2.1), so they are
// refused unless the key was given the right to one.

import { BodyFault, isObject, type JsonObject } from './member-check.ts';

export const engineControlFields: ReadonlySet<string> = new Set([
  'chat_template',
  'chat_template_kwargs',
  'prompt_embeds',
  'mm_processor_kwargs',
  'logits_processors',
  'kv_transfer_params',
  'cache_salt',
  'priority',
  'request_id',
  'vllm_xargs',
  'guided_decoding_backend',
  'id_slot',
  'api_base',
  'base_url',
  'api_key',
]);

const grammarBytesMax = 16 * 1024;

/** No field is allowed to this key beyond what everyone may send. */
export const noEngineFields: ReadonlySet<string> = new Set();

function checkGrammar(value: unknown, param: string): void {
  if (typeof value !== 'string' || value.length * 3 <= grammarBytesMax) return;
  const bytes = Buffer.byteLength(value);
  if (bytes <= grammarBytesMax) return;
  throw new BodyFault(
    'field_not_allowed',
    `${param} is ${bytes} bytes long, the limit is ${grammarBytesMax}. Send a smaller grammar.`,
    param,
  );
}

/** Throws for the first top-level member that is refused. `names` are the body's own members. */
export function checkEngineFields(
  body: JsonObject,
  names: readonly string[],
  allowed: ReadonlySet<string>,
): void {
  for (const name of names) {
    if (engineControlFields.has(name) && !allowed.has(name)) {
      throw new BodyFault(
        'field_not_allowed',
        `${name} controls the engine and is refused. Leave it out, or ask for a key that allows it.`,
        name,
      );
    }
  }
  if (!allowed.has('grammar')) checkGrammar(body['grammar'], 'grammar');
  if (!allowed.has('guided_grammar')) checkGrammar(body['guided_grammar'], 'guided_grammar');
  const outputs = body['structured_outputs'];
  if (isObject(outputs)) checkGrammar(outputs['grammar'], 'structured_outputs.grammar');
}
