// LM Studio: OpenAI's list, and a native one with the type, window and abilities of each model.

import type { ModelFacts } from '../../../core/backends/heuristics.ts';
import { countOf, listOf, memberOf, modelIdOf, textOf } from './json-shape.ts';
import { probeByList } from './openai-list.ts';
import type { Adapter, ProbeContext } from './probe-result.ts';

function nativeFacts(entry: unknown): ModelFacts {
  const type = textOf(memberOf(entry, 'type'));
  const abilities = listOf(memberOf(entry, 'capabilities'));
  return {
    // A loaded model has the window it was loaded with, which may be smaller than its longest.
    contextLength:
      countOf(memberOf(entry, 'loaded_context_length')) ??
      countOf(memberOf(entry, 'max_context_length')),
    vision: type === undefined ? undefined : type === 'vlm',
    tools: abilities === undefined ? undefined : abilities.includes('tool_use'),
    jsonMode: type === undefined ? undefined : type !== 'embeddings',
  };
}

async function readNative(context: ProbeContext): Promise<ReadonlyMap<string, ModelFacts>> {
  const answer = await context.session.get('/api/v0/models', context.headers);
  const facts = new Map<string, ModelFacts>();
  for (const entry of (answer.ok && listOf(memberOf(answer.json, 'data'))) || []) {
    const id = modelIdOf(memberOf(entry, 'id'));
    if (id !== undefined) facts.set(id, nativeFacts(entry));
  }
  return facts;
}

/** A native list: entries with a type and a state. */
export function looksLikeNativeList(json: unknown): boolean {
  const entries = listOf(memberOf(json, 'data'));
  return (
    entries?.every(
      (entry) =>
        textOf(memberOf(entry, 'type')) !== undefined &&
        textOf(memberOf(entry, 'state')) !== undefined,
    ) ?? false
  );
}

export const lmstudioAdapter: Adapter = {
  type: 'lmstudio',
  async probe(context) {
    const native = await readNative(context);
    return probeByList(context, (_entry, id) => native.get(id) ?? { jsonMode: true });
  },
};
