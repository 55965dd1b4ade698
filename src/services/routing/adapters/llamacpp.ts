// llama.cpp: `/health` tells life and loading apart, `/v1/models` the name, `/props` the window of
// one slot, the number of slots, and what the model and its chat template can do.
//
// Loading is 503 with "Loading model"; builds of old also answer 503 with `no slot available` when
// every slot works, which is being alive. The list may be missing; then the known models stay.
//
// A server started without a model routes to several of them ("router mode"): its list has a status for
// each, and `/props` of one would load it, unless `autoload=false` is said. A server may also put its
// model to sleep; `/health`, `/props` and the list neither wake it nor keep it awake.
// Source: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md, "GET /health",
// "GET /props", "GET /v1/models", "Using multiple models", "Sleeping on Idle".

import type { ModelFacts } from '../../../core/backends/heuristics.ts';
import type { ProbeReply } from '../../../io/http/probe/probe-client.ts';
import {
  bytesOf,
  countOf,
  flagOf,
  labelOf,
  listOf,
  memberAt,
  memberOf,
  textOf,
} from './json-shape.ts';
import type { Told } from './offers.ts';
import { healthyList, idOfEntry, readList } from './openai-list.ts';
import {
  type Adapter,
  type HealthyProbe,
  type ProbeContext,
  type ProbeResult,
  refusalWords,
  successOf,
} from './probe-result.ts';

/** Models of a router whose properties are asked for in one probe; it holds four by default. */
const loadedMax = 16;

/** Marks a router for the reader of its metrics. */
export const routerMode = 'router';

type Life =
  | {
      readonly kind: 'alive';
      readonly latencyMs: number;
      readonly busy: boolean;
      /** Slots, where old builds told them. */
      readonly slots: number | undefined;
    }
  /** No such route: only the list can tell. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'over'; readonly result: ProbeResult };

/** 503 with "Loading model", which llama.cpp answers on every route until its model is there. */
export function isLoadingAnswer(reply: ProbeReply): boolean {
  return reply.status === 503 && refusalWords(reply).includes('loading model');
}

function slotsOf({ json }: ProbeReply): number | undefined {
  const counts = ['slots_idle', 'slots_processing'].map((name) => bytesOf(memberOf(json, name)));
  const [idle, busy] = counts;
  return idle === undefined || busy === undefined ? undefined : countOf(idle + busy);
}

async function readLife({ session, headers }: ProbeContext): Promise<Life> {
  const answer = await session.get('/health', headers);
  if (answer.ok && answer.status === 503 && refusalWords(answer).includes('no slot')) {
    return { kind: 'alive', latencyMs: answer.latencyMs, busy: true, slots: slotsOf(answer) };
  }
  if (answer.ok && answer.status === 404) return { kind: 'silent' };
  const success = successOf(answer);
  if ('result' in success) return { kind: 'over', result: success.result };
  const { reply } = success;
  return { kind: 'alive', latencyMs: reply.latencyMs, busy: false, slots: slotsOf(reply) };
}

type Properties = {
  readonly facts: ModelFacts;
  readonly capacity: number | undefined;
  readonly version: string | undefined;
  readonly isRouter: boolean;
  readonly isAsleep: boolean;
};

/** Does the chat template take tools? Newer builds say so; older ones show the template itself. */
function toolsOf(props: unknown): boolean | undefined {
  const stated = flagOf(memberAt(props, 'chat_template_caps', 'supports_tools'));
  const template = textOf(memberOf(props, 'chat_template'));
  return stated ?? (template === undefined ? undefined : template.includes('tools'));
}

async function readProperties(
  { session, headers }: ProbeContext,
  path: string,
): Promise<Properties> {
  const answer = await session.get(path, headers);
  const props = answer.ok && answer.status === 200 ? answer.json : undefined;
  return {
    facts: {
      contextLength: countOf(memberAt(props, 'default_generation_settings', 'n_ctx')),
      vision: flagOf(memberAt(props, 'modalities', 'vision')),
      tools: toolsOf(props),
      jsonMode: true,
    },
    capacity: countOf(memberOf(props, 'total_slots')),
    version: labelOf(memberOf(props, 'build_info')),
    isRouter: memberOf(props, 'role') === routerMode,
    isAsleep: memberOf(props, 'is_sleeping') === true,
  };
}

/** `/props` of llama.cpp and of nothing else that we know. */
export function looksLikeProps(json: unknown): boolean {
  return (
    memberOf(json, 'default_generation_settings') !== undefined &&
    listOf(memberOf(json, 'default_generation_settings')) === undefined
  );
}

/** Of an entry of a router's list: the status is an object with a value. */
function isLoaded(entry: unknown): boolean {
  return memberAt(entry, 'status', 'value') === 'loaded';
}

async function tellRouted(
  context: ProbeContext,
  entries: readonly unknown[],
): Promise<(entry: unknown, id: string) => Told> {
  const known = new Map<string, ModelFacts>();
  for (const entry of entries.filter(isLoaded).slice(0, loadedMax)) {
    const id = idOfEntry(entry);
    if (id === undefined) continue;
    const path = `/props?model=${encodeURIComponent(id)}&autoload=false`;
    known.set(id, (await readProperties(context, path)).facts);
  }
  return (entry, id) => ({
    facts: known.get(id) ?? { jsonMode: true },
    runtime: { loaded: isLoaded(entry) },
  });
}

function tellOnly({ facts, isAsleep }: Properties): (entry: unknown) => Told {
  return (entry) => ({
    facts,
    runtime: { loaded: !isAsleep, sizeBytes: bytesOf(memberAt(entry, 'meta', 'size')) },
  });
}

/** Alive by `/health`, without a list: what is known of its models stays. */
const keepsModels = { kind: 'healthy', models: undefined } as const;

type Extras = Pick<HealthyProbe, 'capacity' | 'version' | 'metadata'>;

export const llamacppAdapter: Adapter = {
  type: 'llamacpp',
  async probe(context) {
    const life = await readLife(context);
    if (life.kind === 'over') return life.result;
    const isAlive = life.kind === 'alive';
    const properties = await readProperties(context, '/props');
    const list = await readList(context);
    const extras: Extras = {
      capacity: properties.capacity ?? (isAlive ? life.slots : undefined),
      version: properties.version,
      metadata: { mode: properties.isRouter ? routerMode : 'single' },
    };
    const busy = isAlive && life.busy;
    if (list.kind === 'other') {
      // A wrong key shows here first, since `/health` is open to all.
      if (!isAlive || list.result.kind === 'config_error') return list.result;
      const kept = list.result.kind === 'healthy' ? list.result : keepsModels;
      return { ...kept, ...extras, latencyMs: life.latencyMs, busy };
    }
    const { entries } = list;
    const tell = properties.isRouter ? await tellRouted(context, entries) : tellOnly(properties);
    const latencyMs = isAlive ? life.latencyMs : list.latencyMs;
    return { ...healthyList(entries, latencyMs, tell), ...extras, busy };
  },
};
