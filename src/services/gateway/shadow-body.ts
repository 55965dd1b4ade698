// The body of a copy: whether there may be one, and what keeps it out of the caches of prompts.

import type { BackendType } from '../../base/backend-type.ts';
import { type RequestFeatures, withModel } from '../../protocol/openai/request-body.ts';

function parsed(body: Buffer): Readonly<Record<string, unknown>> {
  return JSON.parse(body.toString('utf8'));
}

/** A tool that the provider runs itself, such as a search; calls of functions are the client's to run. */
function runsItself(tool: unknown): boolean {
  const isTyped = typeof tool === 'object' && tool !== null && 'type' in tool;
  return isTyped && tool.type !== 'function' && tool.type !== 'custom';
}

/**
 * Would sending the request twice do something twice? It would where the provider stores the answer
 * (responses do unless `store` is false), goes on from a stored one, or runs a tool itself.
 */
export function hasSideEffects(kind: RequestFeatures['kind'], body: Buffer): boolean {
  const { store, tools, ...rest } = parsed(body);
  if (store === true || (kind === 'responses' && store !== false)) return true;
  const stored = ['previous_response_id', 'conversation', 'background', 'web_search_options'];
  if (stored.some((name) => rest[name] !== undefined && rest[name] !== null)) return true;
  return Array.isArray(tools) && tools.some(runsItself);
}

/**
 * A member that keeps the copy from filling, and from reading, the cache of prompts that other requests
 * use; undefined for engines that have none. `salt`: 32 hexadecimal characters.
 */
function isolation(type: BackendType, salt: string): string | undefined {
  switch (type) {
    case 'vllm':
      return `"cache_salt":"${salt}"`;
    case 'llamacpp':
      return '"cache_prompt":false';
    default:
      return undefined;
  }
}

/** What is sent: the client's own bytes, for `model`, apart from other prompts where the engine can. */
export function shadowBody(
  body: Buffer,
  features: RequestFeatures,
  to: { readonly model: string; readonly type: BackendType; readonly salt: string },
): Buffer {
  const named = withModel(body, features, to.model);
  const member = isolation(to.type, to.salt);
  if (member === undefined) return named;
  // An object that has at least `model`, so a comma follows.
  const open = named.indexOf('{');
  return Buffer.concat([Buffer.from(`{${member},`), named.subarray(open + 1)]);
}
