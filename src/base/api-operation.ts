// The interfaces under `/v1` that a client may use, and which kinds of backend can be asked for each.

import type { BackendType } from './backend-type.ts';

export const apiOperations = ['chat', 'completions', 'embeddings', 'responses'] as const;
export type ApiOperation = (typeof apiOperations)[number];

const chatOnly: ReadonlySet<BackendType> = new Set(['anthropic', 'google']);

/** All of them, but for those whose interface is another one: there we translate chat alone. */
export function canDo(type: BackendType, operation: ApiOperation): boolean {
  return operation === 'chat' || !chatOnly.has(type);
}
