// Any server with OpenAI's interface. Its list says who owns the models, and by that three engines are
// known which have no type of their own; they tell more when they are asked, and their metrics have
// names of their own. Of all others the names are all there is to go by.
//
//   SGLang         owner `sglang`: /get_model_info, /server_info (before 0.5.5 /get_server_info). Its
//                  /health may generate a token, so it is never asked.
//   TGI            the owner of a model is the model itself: /info. Before 2.0 it has no list at all.
//   TensorRT-LLM   owner `tensorrt_llm` (trtllm-serve).
// Source: https://docs.sglang.io/basic_usage/native_api.html;
// https://huggingface.github.io/text-generation-inference (GET /info).

import type { ModelFacts } from '../../../core/backends/heuristics.ts';
import { countOf, flagOf, labelOf, listOf, memberOf, modelIdOf, textOf } from './json-shape.ts';
import { healthyList, idOfEntry, readEntries, statedContext } from './openai-list.ts';
import type { Adapter, HealthyProbe, ProbeContext, ProbeResult } from './probe-result.ts';

type GenericEngine = 'sglang' | 'tgi' | 'trtllm';

/** The engine that a list is of; undefined when it could be any. */
export function engineOfList(entries: readonly unknown[]): GenericEngine | undefined {
  const [first] = entries;
  const owner = textOf(memberOf(first, 'owned_by'));
  if (owner === 'sglang') return 'sglang';
  if (owner === 'tensorrt_llm') return 'trtllm';
  return owner !== undefined && owner !== '' && owner === idOfEntry(first) ? 'tgi' : undefined;
}

/** `/info` of TGI. */
export function looksLikeTgi(json: unknown): boolean {
  return (
    textOf(memberOf(json, 'model_id')) !== undefined &&
    countOf(memberOf(json, 'max_total_tokens')) !== undefined
  );
}

async function ask({ session, headers }: ProbeContext, path: string): Promise<unknown> {
  const answer = await session.get(path, headers);
  return answer.ok && answer.status === 200 ? answer.json : undefined;
}

type Extras = Pick<HealthyProbe, 'capacity' | 'version' | 'metadata'>;
type Details = { readonly facts: ModelFacts; readonly extras: Extras; readonly embeds: boolean };

/** Requests that all of its data-parallel parts work on together. */
function sglangCapacity(server: unknown): number | undefined {
  const states = listOf(memberOf(server, 'internal_states')) ?? [];
  const perPart = countOf(memberOf(states[0], 'effective_max_running_requests_per_dp'));
  const stated = countOf(memberOf(server, 'max_running_requests'));
  return perPart === undefined ? stated : countOf(perPart * states.length);
}

async function sglangDetails(context: ProbeContext): Promise<Details> {
  const model = await ask(context, '/get_model_info');
  const server = (await ask(context, '/server_info')) ?? (await ask(context, '/get_server_info'));
  const hasParser = textOf(memberOf(server, 'tool_call_parser')) !== undefined;
  return {
    facts: {
      contextLength: countOf(memberOf(server, 'context_length')),
      vision: flagOf(memberOf(model, 'has_image_understanding')),
      tools: hasParser ? true : undefined,
      // Structured outputs are part of the server, whatever the model.
      jsonMode: true,
    },
    extras: {
      capacity: sglangCapacity(server),
      version: labelOf(memberOf(server, 'version')),
      metadata: { engine: 'sglang' },
    },
    embeds: memberOf(model, 'is_generation') === false,
  };
}

function tgiDetails(info: unknown): Details {
  const capacity = countOf(memberOf(info, 'max_batch_size'));
  return {
    facts: { contextLength: countOf(memberOf(info, 'max_total_tokens')) },
    extras: {
      capacity: capacity ?? countOf(memberOf(info, 'max_concurrent_requests')),
      version: labelOf(memberOf(info, 'version')),
      metadata: { engine: 'tgi' },
    },
    embeds: false,
  };
}

async function detailsOf(context: ProbeContext, engine: GenericEngine): Promise<Details> {
  if (engine === 'sglang') return sglangDetails(context);
  if (engine === 'tgi') return tgiDetails(await ask(context, '/info'));
  return { facts: {}, extras: { metadata: { engine } }, embeds: false };
}

function withDetails(
  entries: readonly unknown[],
  latencyMs: number,
  { facts, extras, embeds }: Details,
): ProbeResult {
  const able: ModelFacts = embeds ? { vision: false, tools: false, jsonMode: false } : facts;
  const listed = healthyList(entries, latencyMs, (entry) => ({
    facts: { ...able, contextLength: statedContext(entry) ?? facts.contextLength },
    runtime: { loaded: true, kind: embeds ? 'embeddings' : 'chat' },
  }));
  return { ...listed, ...extras };
}

/** A TGI without a list has the one model that `/info` names; anything else without a list is ill. */
async function probeByInfo(context: ProbeContext, otherwise: ProbeResult): Promise<ProbeResult> {
  const answer = await context.session.get('/info', context.headers);
  if (!answer.ok || answer.status !== 200 || !looksLikeTgi(answer.json)) return otherwise;
  const id = modelIdOf(memberOf(answer.json, 'model_id'));
  return withDetails([{ id }], answer.latencyMs, tgiDetails(answer.json));
}

export const genericAdapter: Adapter = {
  type: 'generic',
  async probe(context) {
    const answer = await context.session.get('/v1/models', context.headers);
    const list = readEntries(answer);
    if (list.kind === 'other') {
      const isMissing = answer.ok && answer.status === 404;
      return isMissing ? probeByInfo(context, list.result) : list.result;
    }
    const { entries, latencyMs } = list;
    const engine = engineOfList(entries);
    if (engine !== undefined) {
      return withDetails(entries, latencyMs, await detailsOf(context, engine));
    }
    return healthyList(entries, latencyMs, (entry) => ({
      facts: { contextLength: statedContext(entry) },
    }));
  },
};
