// llama.cpp in router mode (a server started without a model): `/models` lists models with a status,
// `/models/load` and `/models/unload` answer at once, and the status tells the rest.
// Source: the README of its server, "Using multiple models".

import { listOf, memberAt, memberOf, modelIdOf, textOf } from '../adapters/json-shape.ts';
import { successOf } from '../adapters/probe-result.ts';
import {
  type EngineContext,
  type EngineControl,
  type EngineState,
  failureWords,
  outcomeOf,
} from './engine-control.ts';

const oneModel =
  'this llama.cpp server has the one model that it was started with: only one in router mode loads and unloads';

/** The text of a status, which is an object with a value. */
function statusOf(entry: unknown): string | undefined {
  return textOf(memberAt(entry, 'status', 'value'));
}

function withStatus(entries: readonly unknown[], wanted: string): ReadonlySet<string> {
  const found = entries.filter((entry) => statusOf(entry) === wanted);
  return new Set(found.flatMap((entry) => modelIdOf(memberOf(entry, 'id')) ?? []));
}

async function look({ session, headers }: EngineContext): Promise<EngineState> {
  const answer = await session.get('/models', headers);
  if (!answer.ok) return { kind: 'away', words: answer.words };
  if (answer.status === 404) return { kind: 'unsupported', words: oneModel };
  if ('result' in successOf(answer)) return { kind: 'away', words: failureWords(answer.status) };
  const entries = listOf(memberOf(answer.json, 'data')) ?? [];
  // The same list without a status is that of a server with one model.
  if (entries.some((entry) => statusOf(entry) === undefined)) {
    return { kind: 'unsupported', words: oneModel };
  }
  return {
    kind: 'shown',
    loaded: withStatus(entries, 'loaded'),
    loading: withStatus(entries, 'loading'),
    known: new Set(entries.flatMap((entry) => modelIdOf(memberOf(entry, 'id')) ?? [])),
    memory: { usedBytes: undefined, totalBytes: undefined },
  };
}

export const llamacppControl: EngineControl = {
  fullName: (modelId) => modelId,
  look,
  load: async ({ session, headers }, model) =>
    outcomeOf(await session.post('/models/load', { model }, headers)),
  unload: async ({ session, headers }, model) =>
    outcomeOf(await session.post('/models/unload', { model }, headers)),
  download: undefined,
};
