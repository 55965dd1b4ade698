// GET /v1/models: what this key can call, one entry per backend and model, healthy backends only.

import { compareText } from '../../base/compare.ts';
import type { RoutingSnapshot } from '../../core/routing/snapshot.ts';
import { matchesGlob } from '../../core/security/glob.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import type { KeyRecord } from '../../io/credentials/key-table.ts';

export function mayUseModel(key: KeyRecord, model: string): boolean {
  const { models, furtherModels } = key;
  if (furtherModels?.every((globs) => holdsModel(globs, model)) === false) return false;
  return models.length === 0 || holdsModel(models, model);
}

function holdsModel(globs: readonly string[], model: string): boolean {
  return globs.some((glob) => matchesGlob(glob, model));
}

type ModelEntry = {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
  readonly context_length: number;
  readonly capabilities: {
    readonly vision: boolean;
    readonly tools: boolean;
    readonly json_mode: boolean;
  };
};

/** Every entry that the key may see, sorted by id, then owner. `created` is unix seconds. */
function entriesFor(
  snapshot: RoutingSnapshot,
  key: KeyRecord,
  isHealthy: (slot: number) => boolean,
  created: number,
): ModelEntry[] {
  const entries: ModelEntry[] = [];
  for (const [id, offers] of snapshot.byModel) {
    if (!mayUseModel(key, id)) continue;
    for (const { target, model } of offers) {
      if (!target.approved || !isHealthy(target.slot)) continue;
      entries.push({
        id,
        object: 'model',
        created,
        owned_by: target.name,
        context_length: model.contextLength,
        capabilities: {
          vision: model.supportsVision,
          tools: model.supportsTools,
          json_mode: model.supportsJsonMode,
        },
      });
    }
  }
  return entries.sort((a, b) => compareText(a.id, b.id) || compareText(a.owned_by, b.owned_by));
}

export type ModelQuery = {
  readonly snapshot: RoutingSnapshot;
  readonly key: KeyRecord;
  readonly isHealthy: (slot: number) => boolean;
  /** Unix seconds. */
  readonly created: number;
};

/** The body of `GET /v1/models`; `distinct` folds the entries of one model into one. */
export function modelListBody(query: ModelQuery, distinct: boolean): string {
  const entries = entriesFor(query.snapshot, query.key, query.isHealthy, query.created);
  const data = distinct
    ? entries.filter((entry, i) => i === 0 || entries[i - 1]?.id !== entry.id)
    : entries;
  return JSON.stringify({ object: 'list', data });
}

/** The body of `GET /v1/models/{model}`, or undefined when the key sees no such model. */
export function modelBody(query: ModelQuery, id: string): string | undefined {
  const entries = entriesFor(query.snapshot, query.key, query.isHealthy, query.created);
  const entry = entries.find((candidate) => candidate.id === id);
  return entry === undefined ? undefined : JSON.stringify(entry);
}

/** Ids that the key may use, for the text of 404; at most `limit`. What nobody approved stays out. */
export function usableModels(snapshot: RoutingSnapshot, key: KeyRecord, limit: number): string[] {
  const ids: string[] = [];
  for (const [id, offers] of snapshot.byModel) {
    if (mayUseModel(key, id) && offers.some(({ target }) => target.approved)) ids.push(id);
  }
  return ids.sort(compareText).slice(0, limit);
}

/** Listed in a refusal at most. */
const listedModelsMax = 50;

/** One refusal for a model that nobody has and for one that this key may not use. */
export function modelNotFound(snapshot: RoutingSnapshot, key: KeyRecord, model: string): Refusal {
  const usable = usableModels(snapshot, key, listedModelsMax);
  const list =
    usable.length === 0
      ? 'This key can use no model yet.'
      : `This key can use: ${usable.join(', ')}.`;
  return refusal('model_not_found', `No model “${model}”. ${list}`, { param: 'model' });
}
