// A routing snapshot as a document that is stored once under its digest, and read again by whoever
// makes a decision again. It holds what decide() looks at and what tells a person which backend is
// meant: no address, no credential, no counter slot, no status (that is a reading).
//
//   S1  decide() on a snapshot read back gives the decision that it gave on the original.
//   S2  Snapshots that decide alike have the same digest, whatever slots and versions they have.
//   S3  The digest is that of the canonical text of the whole document.

import { type BackendType, backendTypes } from '../../base/backend-type.ts';
import type { BackendId } from '../../base/brand.ts';
import { canonicalJson, type Json } from '../../base/canonical.ts';
import { type Fault, fault, invalid } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Model } from '../backends/backend.ts';
import {
  buildSnapshot,
  type RoutingSettings,
  type RoutingSnapshot,
  type Strategy,
  strategies,
  type Target,
} from '../routing/snapshot.ts';
import { JsonReader } from './json-reader.ts';

export type SnapshotFault = Fault<'unknown_version' | 'corrupt'>;

/** Raised by a change of what the members mean; the readers of earlier ones stay. */
const documentVersion = 1;

export function settingsDocument(settings: RoutingSettings): Json {
  const { strategy, weights, maxRetries, aliases } = settings;
  const { priority, load, latency } = weights;
  return { strategy, weights: { priority, load, latency }, max_retries: maxRetries, aliases };
}

export function modelsDocument(models: readonly Model[]): Json {
  return models.map((model) => ({
    id: model.id,
    context_length: model.contextLength,
    vision: model.supportsVision,
    tools: model.supportsTools,
    json_mode: model.supportsJsonMode,
  }));
}

/** What a target says besides its models. */
export function targetDocument(target: Target): { readonly [member: string]: Json } {
  const { id, name, backendType, approved, priority, statusReason, simulated } = target;
  const status_reason = statusReason ?? null;
  return { id, name, type: backendType, approved, priority, status_reason, simulated };
}

export function snapshotDocument(snapshot: RoutingSnapshot): Json {
  return {
    version: documentVersion,
    settings: settingsDocument(snapshot.settings),
    targets: snapshot.targets.map((target) => ({
      ...targetDocument(target),
      models: modelsDocument(target.models),
    })),
  };
}

/** The canonical text, as it is stored; {@link SnapshotDigester} makes it faster, and its digest. */
export function snapshotText(snapshot: RoutingSnapshot): string {
  return canonicalJson(snapshotDocument(snapshot));
}

/** The text of a document from the canonical texts of its parts. */
export function joinedSnapshotText(settings: string, targets: readonly string[]): string {
  return `{"settings":${settings},"targets":[${targets.join(',')}],"version":${documentVersion}}`;
}

/**
 * The snapshot of a stored document, with slots of its own: the place of a target in it. Refuses
 * another version, and what is no such document with every member at fault.
 */
export function snapshotOfDocument(json: unknown): Result<RoutingSnapshot, SnapshotFault> {
  const reader = new JsonReader();
  const version = reader.number(reader.member(json, 'version'), 'version');
  if (reader.violations.length === 0 && version !== documentVersion) {
    const words = `the snapshot is a document of version ${version}, which a newer TensorForge reads; this program reads version ${documentVersion}`;
    return err(fault('unknown_version', words));
  }
  const settings = readSettings(reader, reader.member(json, 'settings'));
  const targets = reader
    .list(reader.member(json, 'targets'), 'targets')
    .map((item, slot) => readTarget(reader, item, slot));
  if (reader.violations.length > 0) {
    return err(invalid('corrupt', 'the snapshot is no such document', reader.violations));
  }
  return ok(buildSnapshot(0, targets, settings));
}

function readSettings(reader: JsonReader, json: unknown): RoutingSettings {
  const at = 'settings';
  const weights = reader.member(json, 'weights');
  const weight = (name: string): number =>
    reader.number(reader.member(weights, name), `${at}.weights.${name}`);
  const aliases = reader.entries(reader.member(json, 'aliases'), `${at}.aliases`);
  return {
    strategy: reader.oneOf<Strategy>(reader.member(json, 'strategy'), strategies, `${at}.strategy`),
    weights: { priority: weight('priority'), load: weight('load'), latency: weight('latency') },
    maxRetries: reader.number(reader.member(json, 'max_retries'), `${at}.max_retries`),
    aliases: Object.fromEntries(
      aliases.map(([name, to]) => [name, reader.text(to, `${at}.aliases.${name}`)]),
    ),
  };
}

function readTarget(reader: JsonReader, json: unknown, slot: number): Target {
  const at = `targets[${slot}]`;
  const member = (name: string): unknown => reader.member(json, name);
  const statusReason = member('status_reason');
  return {
    id: reader.text(member('id'), `${at}.id`) as BackendId,
    name: reader.text(member('name'), `${at}.name`),
    backendType: reader.oneOf<BackendType>(member('type'), backendTypes, `${at}.type`),
    approved: reader.flag(member('approved'), `${at}.approved`),
    priority: reader.number(member('priority'), `${at}.priority`),
    statusReason:
      statusReason === null ? undefined : reader.text(statusReason, `${at}.status_reason`),
    simulated: reader.flag(member('simulated'), `${at}.simulated`),
    models: reader
      .list(member('models'), `${at}.models`)
      .map((item, i) => readModel(reader, item, `${at}.models[${i}]`)),
    slot,
    ...notKept,
  };
}

/** Members of a target that no decision looks at. */
const notKept = {
  url: '',
  status: 'unknown',
  zone: 'open',
  tier: 1,
  generation: 1,
  apiKeyEnv: undefined,
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
