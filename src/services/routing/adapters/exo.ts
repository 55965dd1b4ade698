// exo: a cluster of consumer machines behind OpenAI's interface. Its list is a catalogue; a model
// answers only where an instance of it runs, which `/state` tells: instances by id, each wrapped in the
// name of its kind, with the model and the runners of its shards, and the status of every runner.
// Versions before 1.0 have no `/state` and start what they are asked for, so there the list stands.
// Source: https://raw.githubusercontent.com/exo-explore/exo/main/docs/api.md, "Get Cluster State";
// github.com/exo-explore/exo src/exo/shared/types/worker/{instances,runners}.py.

import { countOf, memberAt, memberOf, modelIdOf } from './json-shape.ts';
import type { Told } from './offers.ts';
import { healthyList, idOfEntry, readList, statedContext } from './openai-list.ts';
import { type Adapter, type ProbeContext, unreadable } from './probe-result.ts';

const bytesPerMegabyte = 1_000_000;

/** Of runners that will not answer, or not yet. All other names, also ones of the future, serve. */
const idleStates: ReadonlySet<string> = new Set([
  'RunnerIdle',
  'RunnerConnecting',
  'RunnerConnected',
  'RunnerLoading',
  'RunnerWarmingUp',
  'RunnerShuttingDown',
  'RunnerShutdown',
  'RunnerFailed',
]);

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function membersOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isObject(value) ? Object.entries(value) : [];
}

/** A value in the one member that names its kind, as exo writes its unions. */
function unwrapped(value: unknown): readonly [string, unknown] {
  return membersOf(value)[0] ?? ['', undefined];
}

/** The models that have an instance with all of its runners at work; undefined for what is no state. */
function servedModels(state: unknown): ReadonlySet<string> | undefined {
  const instances = memberOf(state, 'instances');
  if (!isObject(instances)) return undefined;
  const runners = memberOf(state, 'runners');
  const serves = (runner: string): boolean => {
    const status = memberOf(runners, runner);
    return status !== undefined && !idleStates.has(unwrapped(status)[0]);
  };
  const served = membersOf(instances).flatMap(([, wrapped]) => {
    const shards = memberOf(unwrapped(wrapped)[1], 'shardAssignments');
    const id = modelIdOf(memberOf(shards, 'modelId'));
    const parts = membersOf(memberAt(shards, 'runnerToShard'));
    return id !== undefined && parts.every(([runner]) => serves(runner)) ? [id] : [];
  });
  return new Set(served);
}

type Cluster =
  | { readonly kind: 'old' }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'state'; readonly served: ReadonlySet<string> };

async function readCluster({ session, headers }: ProbeContext): Promise<Cluster> {
  const answer = await session.get('/state', headers);
  if (answer.ok && answer.status === 404) return { kind: 'old' };
  const served = answer.ok && answer.status === 200 ? servedModels(answer.json) : undefined;
  return served === undefined ? { kind: 'unreadable' } : { kind: 'state', served };
}

function tell(entry: unknown, loaded: boolean | undefined): Told {
  const megabytes = countOf(memberOf(entry, 'storage_size_megabytes'));
  return {
    facts: { contextLength: statedContext(entry) },
    runtime: {
      loaded,
      sizeBytes: megabytes === undefined ? undefined : megabytes * bytesPerMegabyte,
    },
  };
}

export const exoAdapter: Adapter = {
  type: 'exo',
  async probe(context) {
    const list = await readList(context);
    if (list.kind === 'other') return list.result;
    const { entries, latencyMs } = list;
    if (entries.length === 0) return healthyList([], latencyMs, () => ({ facts: {} }));
    const cluster = await readCluster(context);
    // Which of the catalogue would answer is not known, so nothing new is promised.
    if (cluster.kind === 'unreadable') return unreadable(latencyMs);
    if (cluster.kind === 'old') {
      return healthyList(entries, latencyMs, (entry) => tell(entry, undefined));
    }
    const running = entries.filter((entry) => cluster.served.has(idOfEntry(entry) ?? ''));
    return healthyList(running, latencyMs, (entry) => tell(entry, true));
  },
};
