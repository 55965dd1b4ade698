// What is played in bench `routing`: prompts that share their beginning, drawn from a seed, and real use,
// read in place. Lengths and times are those of the source; what had to be changed stands at the reader.
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { seededRandom } from '../../src/base/random.ts';
import { scramble } from '../../src/core/workload/engine/prompt-digest.ts';
import type { Arrival } from '../../src/core/workload/traces/arrivals.ts';
import { readTrace } from '../../src/services/simulation/trace-reader.ts';

/** Tokens that one prefix id stands for (Mooncake). */
const idTokens = 512;

export type Workload = {
  readonly name: string;
  readonly arrivals: readonly Arrival[];
  /** Requests at the beginning that fill the caches and are not counted. */
  readonly warmUp: number;
  /** Session of each request; undefined where the source knows none. */
  readonly sessions?: readonly number[];
};

/** Tokens of all distinct prefix blocks that more than one request has. */
export function workingSetTokens({ arrivals }: Pick<Workload, 'arrivals'>): number {
  const seen = new Map<number, number>();
  for (const { prefixIds } of arrivals) {
    for (const id of prefixIds) seen.set(id, (seen.get(id) ?? 0) + 1);
  }
  let shared = 0;
  for (const count of seen.values()) if (count > 1) shared++;
  return shared * idTokens;
}

export type SharedShape = {
  readonly name: string;
  /** Tenants, each with a beginning of its own that all its requests share; drawn evenly. */
  readonly tenants: number;
  readonly sharedTokens: number;
  readonly questionTokens: number;
  readonly answerTokens: number;
};

/**
 * Poisson arrivals at one a second; play them at another speed for another load. Questions are shared by
 * nobody.
 */
export function sharedPrefixes(shape: SharedShape, requests: number, seed: number): Workload {
  const random = seededRandom(seed);
  const shared = shape.sharedTokens / idTokens;
  const own = Math.ceil(shape.questionTokens / idTokens);
  const promptTokens = shape.sharedTokens + shape.questionTokens;
  let next = shape.tenants * shared;
  let atUs = 0;
  const arrivals = Array.from({ length: requests }, (): Arrival => {
    atUs += -Math.log(1 - random.nextUnit()) * 1e6;
    const from = random.nextBelow(shape.tenants) * shared;
    const prefixIds = [
      ...Array.from({ length: shared }, (_, i) => from + i),
      ...Array.from({ length: own }, () => next++),
    ];
    const facts = {
      promptTokens,
      outputTokens: shape.answerTokens,
      model: undefined,
      stream: true,
    };
    return { atUs: Math.floor(atUs), prefixIds, ...facts };
  });
  return { name: shape.name, arrivals, warmUp: Math.floor(requests / 3) };
}

/** A trace in one of the formats that the product reads; its first `rows`. */
export async function traceOf(name: string, file: string, rows: number): Promise<Workload> {
  const { arrivals } = await readTrace(file, rows);
  return { name, arrivals, warmUp: Math.floor(arrivals.length / 10) };
}

const agentRequest = z.object({
  t: z.number(),
  type: z.string(),
  in: z.int().optional(),
  out: z.int().optional(),
  hash_ids: z.array(z.int()).optional(),
});
type AgentRequest = z.infer<typeof agentRequest>;
const agentConversation = z.object({
  requests: z.array(agentRequest.extend({ requests: z.array(agentRequest).optional() })),
});

/** Trace blocks of 64 tokens that make one id of 512 of ours once lengths are a quarter. */
const blocksOfId = 32;
const lengthDivisor = 4;
/** Longest pause between two requests of a conversation that is kept, seconds. */
const pauseMaxS = 60;
/** Conversations begin within this, seconds. */
const beginWithinS = 600;
/** Of each conversation, its first so many: the longest have a thousand. */
const conversationRequestsMax = 200;

/**
 * Conversations of coding agents (kv-cache-tester). Lengths are divided by four, so that contexts of up
 * to 0.9 million tokens fit an engine of 7 billion parameters; pauses above a minute are cut, and the
 * conversations, which the trace gives without a common clock, begin at drawn moments. Of each the first
 * 200 requests are played, at their times whatever became of those before. Ids are local to a conversation, so what two of them share
 * (system prompt, tools) is not in the trace.
 */
export async function agentTrace(
  file: string,
  conversations: number,
  seed: number,
): Promise<Workload> {
  const random = seededRandom(seed);
  const rows: { arrival: Arrival; session: number }[] = [];
  const lines = createInterface({ input: createReadStream(file).pipe(createGunzip()) });
  let session = 0;
  for await (const line of lines) {
    if (session === conversations) break;
    const { requests } = agentConversation.parse(JSON.parse(line));
    const beginUs = random.nextUnit() * beginWithinS * 1e6;
    for (const arrival of conversationArrivals(requests, session, beginUs)) {
      rows.push({ arrival, session });
    }
    session++;
  }
  rows.sort((a, b) => a.arrival.atUs - b.arrival.atUs || a.session - b.session);
  return {
    name: 'agents',
    arrivals: rows.map(({ arrival }) => arrival),
    warmUp: Math.floor(rows.length / 10),
    sessions: rows.map((row) => row.session),
  };
}

type NestedRequest = z.infer<typeof agentConversation>['requests'][number];

function conversationArrivals(
  nested: readonly NestedRequest[],
  session: number,
  beginUs: number,
): Arrival[] {
  const flat = nested.flatMap((one): AgentRequest[] =>
    one.requests === undefined
      ? [one]
      : one.requests.map((inner) => ({ ...inner, t: one.t + inner.t })),
  );
  flat.sort((a, b) => a.t - b.t);
  let atUs = beginUs;
  let before = flat[0]?.t ?? 0;
  const arrivals: Arrival[] = [];
  const kept = flat.slice(0, conversationRequestsMax);
  for (const { t, in: tokens = 0, out = 0, hash_ids: ids = [] } of kept) {
    atUs += Math.min(t - before, pauseMaxS) * 1e6;
    before = t;
    if (tokens === 0 || out === 0) continue;
    arrivals.push({
      atUs: Math.floor(atUs),
      promptTokens: Math.max(1, Math.floor(tokens / lengthDivisor)),
      outputTokens: Math.max(1, Math.floor(out / lengthDivisor)),
      model: undefined,
      prefixIds: wideIds(ids, session),
      stream: true,
    });
  }
  return arrivals;
}

/** One id for each whole run of 32 blocks; equal only where all blocks up to its end are. */
function wideIds(ids: readonly number[], session: number): number[] {
  const wide: number[] = [];
  let chain = scramble(session + 1);
  for (let at = 0; at + blocksOfId <= ids.length; at += blocksOfId) {
    let run = 0;
    for (let i = at; i < at + blocksOfId; i++) run = scramble(run ^ (ids[i] ?? 0));
    chain = scramble(chain ^ run);
    wide.push(chain);
  }
  return wide;
}

/**
 * The same requests as if every engine had every beginning that was ever asked: only what no earlier
 * request had is computed. Nobody can do better, so it bounds what a policy may gain.
 */
export function perfectlyCached(workload: Workload): Workload {
  const seen = new Set<number>();
  const arrivals = workload.arrivals.map((arrival) => {
    const fresh = arrival.prefixIds.findIndex((id) => !seen.has(id));
    const known = fresh < 0 ? arrival.prefixIds.length : fresh;
    for (const id of arrival.prefixIds) seen.add(id);
    const promptTokens = Math.max(1, arrival.promptTokens - known * idTokens);
    return { ...arrival, promptTokens, prefixIds: [] };
  });
  return { ...workload, arrivals };
}

/** The folder of public traces that stands beside the repository, or where the variable says. */
export const traceFolder = process.env['TENSORFORGE_TRACES'] ?? '../shared/data';

export const traceFiles = {
  mooncake: join(traceFolder, 'mooncake/conversation_trace.dev.jsonl.gz'),
  agents: join(traceFolder, 'agent-traces/kv_cache_tester.dev.jsonl.gz'),
  azureConversation: join(traceFolder, 'azure-llm-2023/AzureLLMInferenceTrace_conv.dev.csv.gz'),
  azureCode: join(traceFolder, 'azure-llm-2023/AzureLLMInferenceTrace_code.dev.csv'),
} as const;
