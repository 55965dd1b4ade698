// Ollama: `/api/ps` shows what is in memory, `/api/tags` what is there. A generation with an empty
// prompt loads and `keep_alive` says for how long: -1 for ever, 0 not any more. `/api/pull` fetches,
// a line of progress at a time; one that broke off goes on where it was.
// Source: the API page of its documentation, "Load a model", "Unload a model", "Pull a model",
// "List running models".

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

/** `llama3` is `llama3:latest`; a colon before the last slash belongs to a host. */
export function ollamaName(modelId: string): string {
  const name = modelId.slice(modelId.lastIndexOf('/') + 1);
  return name.includes(':') ? modelId : `${modelId}:latest`;
}

type List =
  | {
      readonly kind: 'shown';
      readonly ids: ReadonlySet<string>;
      readonly entries: readonly unknown[];
    }
  | Exclude<EngineState, { kind: 'shown' }>;

const tooOld = 'this Ollama does not tell what is in memory: it needs version 0.1.38 or later';

async function list(context: EngineContext, path: string): Promise<List> {
  const answer = await context.session.get(path, context.headers);
  if (!answer.ok) return { kind: 'away', words: answer.words };
  if (answer.status === 404) return { kind: 'unsupported', words: tooOld };
  if ('result' in successOf(answer)) return { kind: 'away', words: failureWords(answer.status) };
  const entries = listOf(memberOf(answer.json, 'models'));
  if (entries === undefined) return { kind: 'away', words: 'invalid response: no list of models' };
  const ids = new Set(entries.flatMap((entry) => modelIdOf(memberOf(entry, 'name')) ?? []));
  return { kind: 'shown', ids, entries };
}

function bytesOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

async function look(context: EngineContext): Promise<EngineState> {
  const running = await list(context, '/api/ps');
  if (running.kind !== 'shown') return running;
  const there = await list(context, '/api/tags');
  if (there.kind !== 'shown') return there;
  const usedBytes = running.entries.reduce<number>(
    (sum, entry) => sum + bytesOf(memberOf(entry, 'size_vram')),
    0,
  );
  return {
    kind: 'shown',
    loaded: running.ids,
    loading: new Set(),
    known: there.ids,
    memory: { usedBytes, totalBytes: undefined },
  };
}

/** A model for embeddings alone does not generate; an empty embedding loads it just as well. */
async function keepAlive(
  { session, headers }: EngineContext,
  model: string,
  keep: number,
): Promise<EngineOutcome> {
  const body = { model, keep_alive: keep, stream: false };
  const answer = await session.post('/api/generate', body, headers);
  const words = answer.ok ? textOf(memberOf(answer.json, 'error')) : undefined;
  if (words?.includes('does not support generate') !== true) return outcomeOf(answer);
  return outcomeOf(
    await session.post('/api/embed', { model, input: '', keep_alive: keep }, headers),
  );
}

/** The share that is here, over all layers that were told of so far. */
class PullProgress {
  readonly #layers = new Map<string, { readonly total: number; readonly completed: number }>();

  take(line: unknown): void {
    const digest = textOf(memberOf(line, 'digest'))?.slice(0, 128);
    const total = bytesOf(memberOf(line, 'total'));
    // A peer may invent layers; no model has so many.
    if (digest === undefined || total === 0 || this.#layers.size > 1000) return;
    const completed = Math.min(total, bytesOf(memberOf(line, 'completed')));
    this.#layers.set(digest, { total, completed });
  }

  percent(): number {
    let total = 0;
    let completed = 0;
    for (const layer of this.#layers.values()) {
      total += layer.total;
      completed += layer.completed;
    }
    return total === 0 ? 0 : (100 * completed) / total;
  }
}

async function download(
  context: EngineContext,
  model: string,
  onProgress: ProgressListener,
): Promise<EngineOutcome> {
  const progress = new PullProgress();
  let isWhole = false;
  let hasFailed = false;
  const end = await context.postForLines('/api/pull', { model, stream: true }, (line) => {
    progress.take(line);
    if (memberOf(line, 'error') !== undefined) hasFailed = true;
    if (textOf(memberOf(line, 'status')) === 'success') isWhole = true;
    onProgress(progress.percent());
  });
  if (!end.ok) return refused(end.status === undefined ? end.words : failureWords(end.status));
  if (hasFailed) return refused('the engine could not fetch the model');
  return isWhole ? done : refused('the download broke off');
}

export const ollamaControl: EngineControl = {
  fullName: ollamaName,
  look,
  load: (context, modelId) => keepAlive(context, modelId, -1),
  unload: (context, modelId) => keepAlive(context, modelId, 0),
  download,
};
