// What Ollama's clients ask about models, answered from the snapshot: `GET /api/tags`, `GET /api/ps`
// and `POST /api/show`. Models that this key may use, on healthy backends that somebody approved, one
// entry per model. What only a file on a disk has (size, digest, template) is empty.

import { compareText } from '../../base/compare.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Model } from '../../core/backends/backend.ts';
import { type Offer, resolveModel } from '../../core/routing/snapshot.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import { isObject } from '../../protocol/openai/member-check.ts';
import { parseObject, textsOf } from '../../protocol/openai/request-body.ts';
import { type ModelQuery, mayUseModel, modelNotFound } from './model-list.ts';

const details = {
  parent_model: '',
  format: '',
  family: '',
  families: [],
  parameter_size: '',
  quantization_level: '',
} as const;

/** Engines that list more models than they have in memory. */
const loadsOnDemand: ReadonlySet<string> = new Set(['ollama', 'lmstudio', 'llamacpp']);

function isUsable({ target }: Offer, query: ModelQuery): boolean {
  return target.approved && query.isHealthy(target.slot);
}

function isLoaded({ target, model }: Offer): boolean {
  return target.loadedModels?.includes(model.id) ?? !loadsOnDemand.has(target.backendType);
}

/** Ids of the models with an offer that `counts`, sorted. */
function idsOf(query: ModelQuery, counts: (offer: Offer) => boolean): readonly string[] {
  const ids: string[] = [];
  for (const [id, offers] of query.snapshot.byModel) {
    if (!mayUseModel(query.key, id)) continue;
    if (offers.some((offer) => isUsable(offer, query) && counts(offer))) ids.push(id);
  }
  return ids.sort(compareText);
}

function timeOf(query: ModelQuery): string {
  return new Date(query.created * 1000).toISOString();
}

/** The body of `GET /api/tags`. */
export function tagsBody(query: ModelQuery): string {
  const modified_at = timeOf(query);
  const models = idsOf(query, () => true).map((id) => ({
    name: id,
    model: id,
    modified_at,
    size: 0,
    digest: '',
    details,
  }));
  return JSON.stringify({ models });
}

/**
 * The body of `GET /api/ps`: models that are in the memory of a backend. One that does not tell is
 * taken to hold what it lists, but for those that load a model when it is asked for.
 */
export function runningBody(query: ModelQuery): string {
  const models = idsOf(query, isLoaded).map((id) => ({
    name: id,
    model: id,
    size: 0,
    digest: '',
    details,
    expires_at: '9999-12-31T23:59:59Z',
    size_vram: 0,
  }));
  return JSON.stringify({ models });
}

/** `build` is the program and its version, such as `tensorforge/1.2.3`. */
export function versionBody(build: string): string {
  return JSON.stringify({ version: build.slice(build.indexOf('/') + 1) });
}

function capabilitiesOf(models: readonly Model[]): readonly string[] {
  return [
    'completion',
    ...(models.some((model) => model.supportsTools) ? ['tools'] : []),
    ...(models.some((model) => model.supportsVision) ? ['vision'] : []),
  ];
}

function shown(query: ModelQuery, models: readonly Model[]): string {
  const contextLength = Math.max(...models.map((model) => model.contextLength));
  return JSON.stringify({
    modelfile: '',
    parameters: '',
    template: '',
    details,
    model_info: { 'general.architecture': 'any', 'any.context_length': contextLength },
    capabilities: capabilitiesOf(models),
    modified_at: timeOf(query),
  });
}

/** The name that `POST /api/show` asks for: `model`, or `name` as older clients say. */
function askedName(body: Buffer): Result<string, Refusal> {
  const texts = textsOf(body);
  if (!texts.ok) return texts;
  const value = parseObject(texts.value.text);
  if (!value.ok) return value;
  const name = isObject(value.value) ? (value.value['model'] ?? value.value['name']) : undefined;
  if (typeof name === 'string' && name.trim() !== '') return ok(name);
  return err(
    refusal('invalid_request', 'model is absent. Send the id of a model.', { param: 'model' }),
  );
}

/** The body of `POST /api/show`. */
export function showBody(query: ModelQuery, body: Buffer): Result<string, Refusal> {
  const asked = askedName(body);
  if (!asked.ok) return asked;
  const { snapshot, key } = query;
  const name = ollamaName(query.snapshot, asked.value);
  const offers = snapshot.byModel.get(resolveModel(snapshot, name)) ?? [];
  const models = offers.filter((offer) => isUsable(offer, query)).map(({ model }) => model);
  if (models.length === 0 || !mayUseModel(key, name)) {
    return err(modelNotFound(snapshot, key, asked.value));
  }
  return ok(shown(query, models));
}

const latest = ':latest';

/**
 * The name of a model as Ollama's clients may have written it: `name` is `name:latest` where nobody
 * has `name`, and the other way round.
 */
export function ollamaName(snapshot: ModelQuery['snapshot'], name: string): string {
  const isKnown = (id: string): boolean =>
    snapshot.byModel.has(id) || Object.hasOwn(snapshot.settings.aliases, id);
  if (isKnown(name)) return name;
  const other = name.endsWith(latest) ? name.slice(0, -latest.length) : name + latest;
  return isKnown(other) ? other : name;
}
