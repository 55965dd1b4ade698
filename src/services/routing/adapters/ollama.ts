// Ollama: `/api/tags` lists what is downloaded, `/api/ps` what is in memory; `/api/show` tells what one
// model can do. The answer of `/api/show` belongs to the digest of the weights, so it is asked once per
// digest and backend. (Per backend: a digest is a claim of the peer, and must not speak for another
// peer's model.) None of these loads a model or keeps one loaded.
// Source: https://docs.ollama.com/api: List models, List running models, Show model details. Servers
// before 0.1.38 have no `/api/ps`, those before 0.6.4 tell no `capabilities`.

import { BoundedMap } from '../../../base/bounded-map.ts';
import type { ModelFacts } from '../../../core/backends/heuristics.ts';
import type { ModelKind } from '../../../core/backends/model-runtime.ts';
import {
  bytesOf,
  countOf,
  labelOf,
  listOf,
  memberAt,
  memberOf,
  modelIdOf,
  modelsMax,
  textOf,
} from './json-shape.ts';
import { offersOf, type Told } from './offers.ts';
import {
  type Adapter,
  type ProbeContext,
  type ProbeTarget,
  successOf,
  unreadable,
} from './probe-result.ts';

const cacheEntriesMax = 20_000;
/** Questions to one server at a time; it has requests to serve. */
const parallelShows = 4;

type Shown = { readonly facts: ModelFacts; readonly kind: ModelKind | undefined };

/** JSON mode is the server's own and works with every model that generates. */
const shownByDefault: Shown = { facts: { jsonMode: true }, kind: undefined };

function contextOf(show: unknown): number | undefined {
  const info = memberOf(show, 'model_info');
  if (typeof info !== 'object' || info === null) return undefined;
  const key = Object.keys(info).find((name) => name.endsWith('.context_length'));
  return key === undefined ? undefined : countOf(memberOf(info, key));
}

function kindOf(abilities: readonly unknown[] | undefined): ModelKind | undefined {
  if (abilities === undefined) return undefined;
  const embeds = abilities.includes('embedding') && !abilities.includes('completion');
  return embeds ? 'embeddings' : 'chat';
}

function shownBy(show: unknown): Shown {
  const abilities = listOf(memberOf(show, 'capabilities'));
  const kind = kindOf(abilities);
  return {
    facts: {
      jsonMode: kind !== 'embeddings',
      contextLength: contextOf(show),
      vision: abilities?.includes('vision'),
      tools: abilities?.includes('tools'),
    },
    kind,
  };
}

function nameOf(entry: unknown): string | undefined {
  return modelIdOf(memberOf(entry, 'name'));
}

type Listed = { readonly id: string; readonly cacheKey: string };

function listedModels(entries: readonly unknown[], target: ProbeTarget): readonly Listed[] {
  return entries.slice(0, modelsMax).flatMap((entry) => {
    const id = nameOf(entry);
    if (id === undefined) return [];
    const digest = textOf(memberOf(entry, 'digest'))?.slice(0, 128) ?? '';
    return [{ id, cacheKey: `${target.id} ${target.url} ${id} ${digest}` }];
  });
}

/** Bytes of GPU memory by the name of each loaded model; undefined when the server does not tell. */
async function readLoaded({
  session,
  headers,
}: ProbeContext): Promise<ReadonlyMap<string, number | undefined> | undefined> {
  const answer = await session.get('/api/ps', headers);
  const entries =
    answer.ok && answer.status === 200 ? listOf(memberOf(answer.json, 'models')) : undefined;
  if (entries === undefined) return undefined;
  const named = entries.map(
    (entry) => [nameOf(entry), bytesOf(memberOf(entry, 'size_vram'))] as const,
  );
  return new Map(named.flatMap(([name, bytes]) => (name === undefined ? [] : [[name, bytes]])));
}

function told(
  entry: unknown,
  id: string,
  shown: Shown,
  loaded: Awaited<ReturnType<typeof readLoaded>>,
): Told {
  return {
    facts: shown.facts,
    runtime: {
      kind: shown.kind,
      loaded: loaded?.has(id),
      vramBytes: loaded?.get(id),
      sizeBytes: bytesOf(memberOf(entry, 'size')),
      quantization: labelOf(memberAt(entry, 'details', 'quantization_level')),
    },
  };
}

/**
 * `/api/tags` of Ollama: a list under `models`, each with a name. llama.cpp answers that path too, with
 * OpenAI's list beside it.
 */
export function looksLikeTags(json: unknown): boolean {
  const entries = listOf(memberOf(json, 'models'));
  const isOllama = memberOf(json, 'data') === undefined;
  return (
    isOllama && (entries?.every((entry) => textOf(memberOf(entry, 'name')) !== undefined) ?? false)
  );
}

export function createOllamaAdapter(): Adapter {
  const shown = new BoundedMap<string, Shown>(cacheEntriesMax);

  const show = async ({ session, headers }: ProbeContext, model: Listed): Promise<void> => {
    // Servers before 0.5 read `name`, later ones `model`.
    const answer = await session.post('/api/show', { model: model.id, name: model.id }, headers);
    // Whatever could not be asked within this probe is asked in the next one.
    if (answer.ok && answer.status === 200 && answer.json !== undefined) {
      shown.set(model.cacheKey, shownBy(answer.json));
    }
  };

  const showAll = async (context: ProbeContext, models: readonly Listed[]): Promise<void> => {
    const unknown = models.filter(({ cacheKey }) => !shown.has(cacheKey));
    const ask = async (): Promise<void> => {
      for (let next = unknown.shift(); next !== undefined; next = unknown.shift()) {
        if (context.session.remainingMs() === 0) return;
        await show(context, next);
      }
    };
    await Promise.all(Array.from({ length: parallelShows }, ask));
  };

  return {
    type: 'ollama',
    async probe(context, target) {
      const success = successOf(await context.session.get('/api/tags', context.headers));
      if ('result' in success) return success.result;
      const { json, latencyMs } = success.reply;
      const entries = listOf(memberOf(json, 'models'));
      if (entries === undefined) return unreadable(latencyMs);
      const listed = listedModels(entries, target);
      const loaded = await readLoaded(context);
      const answer = await context.session.get('/api/version', context.headers);
      await showAll(context, listed);
      const keys = new Map(listed.map(({ id, cacheKey }) => [id, cacheKey]));
      const shownOf = (id: string): Shown => shown.get(keys.get(id) ?? '') ?? shownByDefault;
      return {
        kind: 'healthy',
        ...offersOf(entries, nameOf, (entry, id) => told(entry, id, shownOf(id), loaded)),
        latencyMs,
        version: answer.ok ? labelOf(memberOf(answer.json, 'version')) : undefined,
      };
    },
  };
}
