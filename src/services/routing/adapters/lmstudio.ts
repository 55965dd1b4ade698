// LM Studio: OpenAI's list, and a native one with the kind, window, abilities and state of each model.
// From 0.4.0 the native list is v1, keyed by `key`, with the instances in memory; from 0.3.6 there is
// v0, keyed by `id`, with a `state`. Unknown paths are answered 200 with an error in the body.
// Source: https://lmstudio.ai/docs/developer/rest/list and
// https://lmstudio.ai/docs/developer/rest/endpoints.

import type { ModelFacts } from '../../../core/backends/heuristics.ts';
import type { ModelKind } from '../../../core/backends/model-runtime.ts';
import {
  bytesOf,
  countOf,
  flagOf,
  labelOf,
  listOf,
  memberAt,
  memberOf,
  modelIdOf,
  textOf,
} from './json-shape.ts';
import type { Told } from './offers.ts';
import { healthyList, readList } from './openai-list.ts';
import type { Adapter, ProbeContext } from './probe-result.ts';

function kindOf(type: string | undefined): ModelKind | undefined {
  if (type === undefined) return undefined;
  return type === 'embeddings' || type === 'embedding' ? 'embeddings' : 'chat';
}

/** An entry of v1. A loaded model has the window it was loaded with, perhaps a smaller one. */
function tellV1(entry: unknown): Told {
  const kind = kindOf(textOf(memberOf(entry, 'type')));
  const instance = listOf(memberOf(entry, 'loaded_instances'))?.[0];
  const isEmbedding = kind === 'embeddings';
  const can = (ability: string): boolean | undefined =>
    flagOf(memberAt(entry, 'capabilities', ability)) ?? (isEmbedding ? false : undefined);
  return {
    facts: {
      contextLength:
        countOf(memberAt(instance, 'config', 'context_length')) ??
        countOf(memberOf(entry, 'max_context_length')),
      vision: can('vision'),
      tools: can('trained_for_tool_use'),
      jsonMode: !isEmbedding,
    },
    runtime: {
      kind,
      loaded: instance !== undefined,
      sizeBytes: bytesOf(memberOf(entry, 'size_bytes')),
      quantization: labelOf(memberAt(entry, 'quantization', 'name')),
    },
  };
}

function factsV0(entry: unknown, type: string | undefined): ModelFacts {
  const abilities = listOf(memberOf(entry, 'capabilities'));
  return {
    contextLength:
      countOf(memberOf(entry, 'loaded_context_length')) ??
      countOf(memberOf(entry, 'max_context_length')),
    vision: type === undefined ? undefined : type === 'vlm',
    tools: abilities === undefined ? undefined : abilities.includes('tool_use'),
    jsonMode: type === undefined ? undefined : type !== 'embeddings',
  };
}

function tellV0(entry: unknown): Told {
  const type = textOf(memberOf(entry, 'type'));
  const state = textOf(memberOf(entry, 'state'));
  return {
    facts: factsV0(entry, type),
    runtime: {
      kind: kindOf(type),
      loaded: state === undefined ? undefined : state === 'loaded',
      quantization: labelOf(memberOf(entry, 'quantization')),
    },
  };
}

type Native = ReadonlyMap<string, Told>;

async function readEntries(
  { session, headers }: ProbeContext,
  path: string,
  member: string,
): Promise<readonly unknown[] | undefined> {
  const answer = await session.get(path, headers);
  return answer.ok && answer.status === 200 ? listOf(memberOf(answer.json, member)) : undefined;
}

/** By the model's name, and by the names of its instances, which may be asked for as well. */
async function readV1(context: ProbeContext): Promise<Native | undefined> {
  const entries = await readEntries(context, '/api/v1/models', 'models');
  if (entries === undefined) return undefined;
  const native = new Map<string, Told>();
  for (const entry of entries) {
    const told = tellV1(entry);
    const instances = listOf(memberOf(entry, 'loaded_instances')) ?? [];
    for (const instance of instances) {
      const id = modelIdOf(memberOf(instance, 'id'));
      if (id !== undefined) native.set(id, told);
    }
    const key = modelIdOf(memberOf(entry, 'key'));
    if (key !== undefined) native.set(key, told);
  }
  return native;
}

async function readV0(context: ProbeContext): Promise<Native> {
  const entries = (await readEntries(context, '/api/v0/models', 'data')) ?? [];
  const native = new Map<string, Told>();
  for (const entry of entries) {
    const id = modelIdOf(memberOf(entry, 'id'));
    if (id !== undefined) native.set(id, tellV0(entry));
  }
  return native;
}

/** A native list of v0: entries with a type and a state. */
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

/** A native list of v1: entries with a key and their instances. */
export function looksLikeNativeV1(json: unknown): boolean {
  const entries = listOf(memberOf(json, 'models'));
  return (
    entries?.every(
      (entry) =>
        textOf(memberOf(entry, 'key')) !== undefined &&
        listOf(memberOf(entry, 'loaded_instances')) !== undefined,
    ) ?? false
  );
}

export const lmstudioAdapter: Adapter = {
  type: 'lmstudio',
  async probe(context) {
    const list = await readList(context);
    if (list.kind === 'other') return list.result;
    const native = (await readV1(context)) ?? (await readV0(context));
    const tell = (id: string): Told => native.get(id) ?? { facts: { jsonMode: true } };
    return healthyList(list.entries, list.latencyMs, (_entry, id) => tell(id));
  },
};
