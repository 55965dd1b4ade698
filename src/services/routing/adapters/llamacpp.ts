// llama.cpp: `/health` tells life and loading apart, `/v1/models` the name, `/props` the window of
// one slot, the number of slots, and what the model and its chat template can do.
//
// Loading is 503 with "Loading model"; builds of old also answer 503 with `no slot available` when
// every slot works, which is being alive. The list may be missing; then the known models stay.

import type { ModelFacts } from '../../../core/backends/heuristics.ts';
import type { ProbeReply } from '../../../io/http/probe/probe-client.ts';
import { countOf, labelOf, listOf, memberAt, memberOf, textOf } from './json-shape.ts';
import { probeByList } from './openai-list.ts';
import { type Adapter, type ProbeContext, type ProbeResult, successOf } from './probe-result.ts';

type Life =
  | { readonly kind: 'alive'; readonly latencyMs: number; readonly busy: boolean }
  /** No such route: only the list can tell. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'over'; readonly result: ProbeResult };

function wordsOf(reply: ProbeReply): string {
  const words = [memberAt(reply.json, 'error', 'message'), memberOf(reply.json, 'status')];
  return words.map(textOf).join(' ').toLowerCase();
}

/** 503 with "Loading model", which llama.cpp answers on every route until its model is there. */
export function isLoadingAnswer(reply: ProbeReply): boolean {
  return reply.status === 503 && wordsOf(reply).includes('loading model');
}

async function readLife({ session, headers }: ProbeContext): Promise<Life> {
  const answer = await session.get('/health', headers);
  if (answer.ok && isLoadingAnswer(answer)) return { kind: 'over', result: { kind: 'loading' } };
  if (answer.ok && answer.status === 503 && wordsOf(answer).includes('no slot')) {
    return { kind: 'alive', latencyMs: answer.latencyMs, busy: true };
  }
  if (answer.ok && answer.status === 404) return { kind: 'silent' };
  const success = successOf(answer);
  if ('result' in success) return { kind: 'over', result: success.result };
  return { kind: 'alive', latencyMs: success.reply.latencyMs, busy: false };
}

type Properties = {
  readonly facts: ModelFacts;
  readonly capacity: number | undefined;
  readonly version: string | undefined;
};

function flagOf(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

/** Does the chat template take tools? Newer builds say so; older ones show the template itself. */
function toolsOf(props: unknown): boolean | undefined {
  const stated = flagOf(memberAt(props, 'chat_template_caps', 'supports_tools'));
  const template = textOf(memberOf(props, 'chat_template'));
  return stated ?? (template === undefined ? undefined : template.includes('tools'));
}

async function readProperties({ session, headers }: ProbeContext): Promise<Properties> {
  const answer = await session.get('/props', headers);
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
  };
}

/** `/props` of llama.cpp and of nothing else that we know. */
export function looksLikeProps(json: unknown): boolean {
  return (
    memberOf(json, 'default_generation_settings') !== undefined &&
    listOf(memberOf(json, 'default_generation_settings')) === undefined
  );
}

export const llamacppAdapter: Adapter = {
  type: 'llamacpp',
  async probe(context) {
    const life = await readLife(context);
    if (life.kind === 'over') return life.result;
    const properties = await readProperties(context);
    const listed = await probeByList(context, () => properties.facts);
    const extras = { capacity: properties.capacity, version: properties.version };
    if (listed.kind === 'healthy') {
      const isAlive = life.kind === 'alive';
      return {
        ...listed,
        ...extras,
        latencyMs: isAlive ? life.latencyMs : listed.latencyMs,
        busy: isAlive && life.busy,
      };
    }
    // A wrong key shows here first, since `/health` is open to all.
    if (life.kind === 'silent' || listed.kind === 'config_error') return listed;
    return {
      kind: 'healthy',
      models: undefined,
      ...extras,
      latencyMs: life.latencyMs,
      busy: life.busy,
    };
  },
};
