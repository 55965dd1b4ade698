// LM Studio from 0.4 on: its native interface lists models with the instances of them in memory, loads
// one more instance, unloads an instance, and fetches as a job that is asked after.
// Source: its documentation, REST API v1: List, Load, Unload, Download, Download status.

import { listOf, memberOf, modelIdOf, textOf } from '../adapters/json-shape.ts';
import { successOf } from '../adapters/probe-result.ts';
import {
  done,
  type EngineContext,
  type EngineControl,
  type EngineOutcome,
  type EngineState,
  failureWords,
  outcomeOf,
  type ProgressListener,
  refused,
} from './engine-control.ts';

const jobEveryMs = 1000;

const tooOld =
  'this LM Studio has no interface to load and unload models: it needs version 0.4 or later';

type Listed = { readonly id: string; readonly instances: readonly string[] };

function listedOf(entry: unknown): Listed | undefined {
  const id = modelIdOf(memberOf(entry, 'key'));
  if (id === undefined) return undefined;
  const instances = listOf(memberOf(entry, 'loaded_instances')) ?? [];
  return { id, instances: instances.flatMap((one) => modelIdOf(memberOf(one, 'id')) ?? []) };
}

type List =
  | { readonly kind: 'shown'; readonly models: readonly Listed[] }
  | Exclude<EngineState, { kind: 'shown' }>;

async function list({ session, headers }: EngineContext): Promise<List> {
  const answer = await session.get('/api/v1/models', headers);
  if (!answer.ok) return { kind: 'away', words: answer.words };
  const models = listOf(memberOf(answer.json, 'models'));
  if (answer.status === 404) return { kind: 'unsupported', words: tooOld };
  if ('result' in successOf(answer)) return { kind: 'away', words: failureWords(answer.status) };
  // Versions before answer unknown paths with 200 and an error in the body.
  if (models === undefined) return { kind: 'unsupported', words: tooOld };
  return { kind: 'shown', models: models.flatMap((entry) => listedOf(entry) ?? []) };
}

async function look(context: EngineContext): Promise<EngineState> {
  const listed = await list(context);
  if (listed.kind !== 'shown') return listed;
  const { models } = listed;
  // An instance may be called by its own name as well.
  const loaded = models.filter(({ instances }) => instances.length > 0);
  return {
    kind: 'shown',
    loaded: new Set(loaded.flatMap(({ id, instances }) => [id, ...instances])),
    loading: new Set(),
    known: new Set(models.map(({ id }) => id)),
    memory: { usedBytes: undefined, totalBytes: undefined },
  };
}

function instancesOf(listed: List, modelId: string): readonly string[] {
  if (listed.kind !== 'shown') return [];
  return listed.models.find(({ id }) => id === modelId)?.instances ?? [];
}

async function load(context: EngineContext, modelId: string): Promise<EngineOutcome> {
  const listed = await list(context);
  if (listed.kind !== 'shown') return refused(listed.words);
  // Asked again it would load a second instance beside the first.
  if (instancesOf(listed, modelId).length > 0) return done;
  const { session, headers } = context;
  return outcomeOf(await session.post('/api/v1/models/load', { model: modelId }, headers));
}

async function unload(context: EngineContext, modelId: string): Promise<EngineOutcome> {
  const { session, headers } = context;
  for (const instance of instancesOf(await list(context), modelId)) {
    const body = { instance_id: instance };
    const outcome = outcomeOf(await session.post('/api/v1/models/unload', body, headers));
    if (!outcome.ok) return outcome;
  }
  return done;
}

function percentOf(job: unknown): number {
  const total = countOfBytes(memberOf(job, 'total_size_bytes'));
  const completed = countOfBytes(memberOf(job, 'downloaded_bytes'));
  return total === 0 ? 0 : (100 * Math.min(completed, total)) / total;
}

function countOfBytes(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

async function download(
  context: EngineContext,
  modelId: string,
  onProgress: ProgressListener,
): Promise<EngineOutcome> {
  const { session, headers } = context;
  const begun = await session.post('/api/v1/models/download', { model: modelId }, headers);
  const outcome = outcomeOf(begun);
  if (!outcome.ok || !begun.ok) return outcome;
  let job = begun.json;
  const jobId = textOf(memberOf(job, 'job_id'))?.slice(0, 200);
  let told = -1;
  while (!context.isStopped()) {
    const status = textOf(memberOf(job, 'status'));
    if (status === 'completed' || status === 'already_downloaded') return done;
    if (status === 'failed') return refused('the engine could not fetch the model');
    if (jobId === undefined) return refused('invalid response: a download without a job');
    // A job that stands still is not heard of, so that its time runs out.
    const percent = percentOf(job);
    if (percent !== told) onProgress(percent);
    told = percent;
    await context.wait(jobEveryMs);
    const path = `/api/v1/models/download/status/${encodeURIComponent(jobId)}`;
    const answer = await context.newSession().get(path, headers);
    if (answer.ok && answer.status === 404) return refused('the engine knows the download no more');
    if (answer.ok && answer.status === 200) job = answer.json;
  }
  return refused('stopped');
}

export const lmstudioControl: EngineControl = {
  fullName: (modelId) => modelId,
  look,
  load,
  unload,
  download,
};
