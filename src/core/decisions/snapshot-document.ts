// A routing snapshot as documents that are stored once under their digests, and read again by whoever
// makes a decision again. They hold what decide() looks at and what tells a person which backend is
// meant: no address, no credential, no counter slot, no status (that is a reading).
//
// Version 2 is a root and its pages (snapshot-digester.ts): a page holds what an operator or an engine
// changes now and then, the root what changes by the minute. Version 1 was one document; it is read.
//
//   S1  decide() on a snapshot read back gives the decision that it gave on the original.
//   S2  Snapshots that decide alike have the same digest, whatever slots and versions they have.
//   S3  A digest is that of the canonical text of a whole document; that of the root, which holds those
//       of its pages, is that of the snapshot.

import { type BackendType, backendTypes, isCloudType } from '../../base/backend-type.ts';
import type { BackendId } from '../../base/brand.ts';
import type { Json } from '../../base/canonical.ts';
import { type Fault, fault, invalid } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Model, PrivacyZone } from '../backends/backend.ts';
import type { ModelClosure } from '../backends/operation.ts';
import {
  buildSnapshot,
  type RoutingSettings,
  type RoutingSnapshot,
  type Target,
} from '../routing/snapshot.ts';
import { JsonReader } from './json-reader.ts';
import { readSettings, settingsDocument } from './settings-document.ts';

export type SnapshotFault = Fault<'unknown_version' | 'corrupt'>;

/** Raised by a change of what the members mean; the readers of earlier ones stay. */
const documentVersion = 2;

export function modelsDocument(models: readonly Model[]): Json {
  return models.map((model) => ({
    id: model.id,
    context_length: model.contextLength,
    vision: model.supportsVision,
    tools: model.supportsTools,
    json_mode: model.supportsJsonMode,
  }));
}

function closuresDocument(closures: readonly ModelClosure[]): Json {
  return closures.map(({ modelId, reason }) => ({ model: modelId, reason }));
}

/** What a page says of a target besides its models; what is usual of zone and tier is left out. */
export function targetDocument(target: Target): { readonly [member: string]: Json } {
  const { id, name, backendType, approved, priority, simulated, zone, tier } = target;
  return {
    id,
    name,
    type: backendType,
    approved,
    priority,
    simulated,
    ...(zone === usualZone(backendType) ? {} : { zone }),
    ...(tier === usualTier ? {} : { tier }),
  };
}

/** Backend -> its models in memory, where the strategy asks; they change with every other request. */
function loadedDocument(
  { strategy }: RoutingSettings,
  targets: readonly Target[],
): { readonly loaded?: Json } {
  if (strategy !== 'model_affinity') return {};
  const told = targets.flatMap(({ id, loadedModels }) =>
    loadedModels === undefined ? [] : [[id, [...loadedModels]] as const],
  );
  return told.length === 0 ? {} : { loaded: Object.fromEntries(told) };
}

/** The root over pages of these digests; `targets` in the order of their ids. */
export function rootDocument(
  pages: readonly string[],
  settings: RoutingSettings,
  targets: readonly Target[],
): Json {
  const reasoned = targets.filter(({ statusReason }) => statusReason !== undefined);
  const reasons = Map.groupBy(reasoned, ({ statusReason }) => statusReason ?? '');
  const closed = targets.filter(({ closures }) => closures.length > 0);
  return {
    version: documentVersion,
    settings: settingsDocument(settings),
    pages,
    status_reasons: Object.fromEntries(
      [...reasons].map(([to, of]) => [to, of.map(({ id }) => id)]),
    ),
    closures: Object.fromEntries(
      closed.map(({ id, closures }) => [id, closuresDocument(closures)]),
    ),
    ...loadedDocument(settings, targets),
  };
}

/**
 * The snapshot of a stored document, with slots of its own: the place of a target in it. `pageOf` reads
 * a further document by its digest; its refusal is handed on. Refuses another version, and what is no
 * such document with every member at fault.
 */
export function snapshotOfDocument<PageFault>(
  json: unknown,
  pageOf: (digest: string) => Result<unknown, PageFault>,
): Result<RoutingSnapshot, SnapshotFault | PageFault> {
  const reader = new JsonReader();
  const version = reader.number(reader.member(json, 'version'), 'version');
  const isKnown = version === 1 || version === documentVersion;
  if (reader.violations.length === 0 && !isKnown) {
    const words = `the snapshot is a document of version ${version}, which a newer TensorForge reads; this program reads versions 1 to ${documentVersion}`;
    return err(fault('unknown_version', words));
  }
  const settings = readSettings(reader, reader.member(json, 'settings'));
  const targets = version === 1 ? ok(readWhole(reader, json)) : readPages(reader, json, pageOf);
  if (!targets.ok) return targets;
  if (reader.violations.length > 0) {
    return err(invalid('corrupt', 'the snapshot is no such document', reader.violations));
  }
  return ok(buildSnapshot(0, targets.value, settings));
}

/** The targets of a document of version 1. */
function readWhole(reader: JsonReader, json: unknown): readonly Target[] {
  const items = reader.list(reader.member(json, 'targets'), 'targets');
  return items.map((item, slot) => {
    const at = `targets[${slot}]`;
    const reason = reader.member(item, 'status_reason');
    const statusReason = reason === null ? undefined : reader.text(reason, `${at}.status_reason`);
    return { ...readTarget(reader, item, at, slot), statusReason };
  });
}

/** The targets of a root, from its pages. */
function readPages<PageFault>(
  reader: JsonReader,
  root: unknown,
  pageOf: (digest: string) => Result<unknown, PageFault>,
): Result<readonly Target[], PageFault> {
  const reasons = readReasons(reader, reader.member(root, 'status_reasons'));
  const closures = readClosures(reader, reader.member(root, 'closures'));
  const loaded = readLoaded(reader, reader.member(root, 'loaded'));
  const targets: Target[] = [];
  for (const [i, item] of reader.list(reader.member(root, 'pages'), 'pages').entries()) {
    const digest = reader.text(item, `pages[${i}]`);
    if (digest === '') continue;
    const page = pageOf(digest);
    if (!page.ok) return page;
    const at = `pages[${i}].targets`;
    for (const [k, json] of reader.list(reader.member(page.value, 'targets'), at).entries()) {
      const target = readTarget(reader, json, `${at}[${k}]`, targets.length);
      const { id } = target;
      const statusReason = reasons.get(id);
      targets.push({
        ...target,
        statusReason,
        closures: closures.get(id) ?? target.closures,
        loadedModels: loaded.get(id),
      });
    }
  }
  return ok(targets);
}

/** Backend -> why it has its status. */
function readReasons(reader: JsonReader, json: unknown): ReadonlyMap<string, string> {
  const at = 'status_reasons';
  const reasons = reader
    .entries(json, at)
    .flatMap(([reason, ids]) =>
      reader
        .list(ids, `${at}.${reason}`)
        .map((id, i) => [reader.text(id, `${at}.${reason}[${i}]`), reason] as const),
    );
  return new Map(reasons);
}

/** Backend -> its models that take no requests. */
function readClosures(
  reader: JsonReader,
  json: unknown,
): ReadonlyMap<string, readonly ModelClosure[]> {
  const closures = reader.entries(json, 'closures').map(([id, list]) => {
    const at = `closures.${id}`;
    const own = reader.list(list, at).map((item, i) => ({
      modelId: reader.text(reader.member(item, 'model'), `${at}[${i}].model`),
      reason: reader.oneOf<ModelClosure['reason']>(
        reader.member(item, 'reason'),
        ['loading', 'unloading'],
        `${at}[${i}].reason`,
      ),
    }));
    return [id, own] as const;
  });
  return new Map(closures);
}

/** Backend -> its models in memory. */
function readLoaded(reader: JsonReader, json: unknown): ReadonlyMap<string, readonly string[]> {
  if (json === undefined) return new Map();
  return new Map(
    reader.entries(json, 'loaded').map(([id, list]) => {
      const at = `loaded.${id}`;
      const models = reader.list(list, at).map((item, i) => reader.text(item, `${at}[${i}]`));
      return [id, models] as const;
    }),
  );
}

/** A target without its standing. */
function readTarget(reader: JsonReader, json: unknown, at: string, slot: number): Target {
  const member = (name: string): unknown => reader.member(json, name);
  const id = reader.text(member('id'), `${at}.id`) as BackendId;
  const name = reader.text(member('name'), `${at}.name`);
  const backendType = reader.oneOf<BackendType>(member('type'), backendTypes, `${at}.type`);
  return {
    id,
    name,
    backendType,
    approved: reader.flag(member('approved'), `${at}.approved`),
    priority: reader.number(member('priority'), `${at}.priority`),
    simulated: reader.flag(member('simulated'), `${at}.simulated`),
    zone: readZone(reader, json, at, usualZone(backendType)),
    tier: readTier(reader, json, at),
    models: reader
      .list(member('models'), `${at}.models`)
      .map((item, i) => readModel(reader, item, `${at}.models[${i}]`)),
    statusReason: undefined,
    closures: [],
    slot,
    ...notKept,
  };
}

/** The zone that a document that does not say stands for: that of its type (registry 15). */
function usualZone(type: BackendType): PrivacyZone {
  return isCloudType(type) ? 'open' : 'restricted';
}

/** As {@link usualZone}. */
const usualTier = 1;

function readZone(reader: JsonReader, json: unknown, at: string, usual: PrivacyZone): PrivacyZone {
  const zone = reader.member(json, 'zone');
  if (zone === undefined) return usual;
  return reader.oneOf<PrivacyZone>(zone, ['restricted', 'open'], `${at}.zone`);
}

function readTier(reader: JsonReader, json: unknown, at: string): number {
  const tier = reader.member(json, 'tier');
  return tier === undefined ? usualTier : reader.number(tier, `${at}.tier`);
}

/** Members of a target that no decision looks at. */
const notKept = {
  url: '',
  status: 'unknown',
  generation: 1,
  apiKeyEnv: undefined,
  loadedModels: undefined,
} as const;

function readModel(reader: JsonReader, json: unknown, at: string): Model {
  const flag = (name: string): boolean => reader.flag(reader.member(json, name), `${at}.${name}`);
  const id = reader.text(reader.member(json, 'id'), `${at}.id`);
  return {
    id,
    name: id,
    contextLength: reader.number(reader.member(json, 'context_length'), `${at}.context_length`),
    supportsVision: flag('vision'),
    supportsTools: flag('tools'),
    supportsJsonMode: flag('json_mode'),
    maxOutputTokens: undefined,
  };
}
