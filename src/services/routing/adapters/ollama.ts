// Ollama: `/api/tags` lists what is downloaded; `/api/show` tells what one model can do. The answer
// of `/api/show` belongs to the digest of the weights, so it is asked once per digest and backend.
// (Per backend: a digest is a claim of the peer, and must not speak for another peer's model.)

import { BoundedMap } from '../../../base/bounded-map.ts';
import type { ModelFacts } from '../../../core/backends/heuristics.ts';
import {
  countOf,
  labelOf,
  listOf,
  memberOf,
  modelIdOf,
  modelsMax,
  modelsOf,
  textOf,
} from './json-shape.ts';
import { type Adapter, type ProbeContext, type ProbeTarget, successOf } from './probe-result.ts';

const cacheEntriesMax = 20_000;
/** Questions to one server at a time; it has requests to serve. */
const parallelShows = 4;

/** JSON mode is the server's own and works with every model. */
const factsByDefault: ModelFacts = { jsonMode: true };

function contextOf(show: unknown): number | undefined {
  const info = memberOf(show, 'model_info');
  if (typeof info !== 'object' || info === null) return undefined;
  const key = Object.keys(info).find((name) => name.endsWith('.context_length'));
  return key === undefined ? undefined : countOf(memberOf(info, key));
}

function factsOfShow(show: unknown): ModelFacts {
  const abilities = listOf(memberOf(show, 'capabilities'));
  return {
    jsonMode: true,
    contextLength: contextOf(show),
    vision: abilities?.includes('vision'),
    tools: abilities?.includes('tools'),
  };
}

type Listed = { readonly id: string; readonly cacheKey: string };

function listedModels(entries: readonly unknown[], target: ProbeTarget): readonly Listed[] {
  return entries.slice(0, modelsMax).flatMap((entry) => {
    const id = modelIdOf(memberOf(entry, 'name'));
    if (id === undefined) return [];
    const digest = textOf(memberOf(entry, 'digest'))?.slice(0, 128) ?? '';
    return [{ id, cacheKey: `${target.id} ${target.url} ${id} ${digest}` }];
  });
}

/** `/api/tags` of Ollama: a list under `models`, each with a name. */
export function looksLikeTags(json: unknown): boolean {
  const entries = listOf(memberOf(json, 'models'));
  return entries?.every((entry) => textOf(memberOf(entry, 'name')) !== undefined) ?? false;
}

export function createOllamaAdapter(): Adapter {
  const shown = new BoundedMap<string, ModelFacts>(cacheEntriesMax);

  const show = async ({ session, headers }: ProbeContext, model: Listed): Promise<void> => {
    // Servers before 0.5 read `name`, later ones `model`.
    const answer = await session.post('/api/show', { model: model.id, name: model.id }, headers);
    // Whatever could not be asked within this probe is asked in the next one.
    if (answer.ok && answer.status === 200 && answer.json !== undefined) {
      shown.set(model.cacheKey, factsOfShow(answer.json));
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
      if (entries === undefined) {
        return { kind: 'healthy', models: undefined, latencyMs, warning: 'unreadable_model_list' };
      }
      const listed = listedModels(entries, target);
      const answer = await context.session.get('/api/version', context.headers);
      await showAll(context, listed);
      const keys = new Map(listed.map(({ id, cacheKey }) => [id, cacheKey]));
      return {
        kind: 'healthy',
        models: modelsOf(
          entries,
          (entry) => modelIdOf(memberOf(entry, 'name')),
          (_entry, id) => shown.get(keys.get(id) ?? '') ?? factsByDefault,
        ),
        latencyMs,
        version: answer.ok ? labelOf(memberOf(answer.json, 'version')) : undefined,
      };
    },
  };
}
