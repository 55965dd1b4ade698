// What backends an installation begins with: those of the configuration, those that operators added
// or decided about before, those found on this machine, and simulated ones when there is none.

import type { OwnListener } from '../base/backend-url.ts';
import type { Configuration } from '../config/options.ts';
import type { Backend } from '../core/backends/backend.ts';
import { canonicalBaseUrl } from '../core/backends/url.ts';
import { TensorForgeError } from '../errors/tensorforge-error.ts';
import type { StoredBackend } from '../io/postgres/backend-store.ts';
import type { PortReport } from '../services/routing/discovery.ts';
import type { Fleet, NewBackend } from '../services/routing/fleet.ts';
import { operatorPriority } from '../services/routing/operator.ts';
import type { SimulatedEngine } from './simulated-engines.ts';

type ConfiguredBackend = Configuration['backends'][number];

function urlOf(entry: ConfiguredBackend, own: readonly OwnListener[]): string {
  const url = canonicalBaseUrl(entry.url, 'operator', own);
  if (!url.ok) {
    const words = `backends: ${entry.name}: ${url.error.message}`;
    throw new TensorForgeError('config_invalid', words);
  }
  return url.value;
}

function configuredFacts(
  entry: ConfiguredBackend,
  own: readonly OwnListener[],
  draining: boolean,
): NewBackend {
  return {
    name: entry.name,
    url: urlOf(entry, own),
    type: entry.type,
    source: 'static',
    priority: entry.priority,
    zone: entry.zone,
    tier: entry.tier,
    capacity: entry.capacity,
    apiKeyEnv: entry.apiKeyEnv,
    metadata: {},
    approved: true,
    draining,
    simulated: false,
    models: [],
  };
}

function storedFacts(stored: StoredBackend): NewBackend {
  return {
    name: stored.name,
    url: stored.url,
    type: stored.backendType,
    source: stored.discoverySource,
    priority: stored.priority,
    zone: stored.zone,
    tier: stored.tier,
    capacity: stored.capacity,
    apiKeyEnv: stored.apiKeyEnv,
    metadata: stored.metadata,
    approved: stored.approved,
    draining: stored.draining,
    simulated: stored.simulated,
    models: [],
  };
}

/** Configured backends, then stored ones; the ids of stored ones that have no place any more. */
export function insertKnown(
  fleet: Fleet,
  config: Configuration,
  stored: readonly StoredBackend[],
  own: readonly OwnListener[],
): readonly StoredBackend[] {
  const obsolete: StoredBackend[] = [];
  for (const entry of config.backends) {
    const draining = stored.some(
      (row) => row.discoverySource === 'static' && row.name === entry.name && row.draining,
    );
    const facts = configuredFacts(entry, own, draining);
    fleet.insert(fleet.compose(fleet.idFor(facts.name, facts.url), facts));
  }
  for (const row of stored) {
    if (row.discoverySource === 'static' || row.simulated || fleet.byUrl(row.url) !== undefined) {
      const isConfigured = config.backends.some((entry) => entry.name === row.name);
      if (!isConfigured) obsolete.push(row);
      continue;
    }
    fleet.insert(fleet.compose(row.id, storedFacts(row)));
  }
  return obsolete;
}

/**
 * After a reload: adds, changes and removes configured backends; everything else stays. The facts
 * come from {@link allConfiguredFacts}, so nothing is touched before all of them hold.
 */
export function reconcileConfigured(fleet: Fleet, wanted: readonly NewBackend[]): void {
  for (const backend of fleet.listBackends()) {
    if (backend.discoverySource !== 'static') continue;
    const facts = wanted.find((candidate) => candidate.name === backend.name);
    const isSame =
      facts !== undefined && facts.url === backend.url && facts.type === backend.backendType;
    if (!isSame) {
      fleet.remove(backend.id);
      continue;
    }
    fleet.edit(backend.id, {
      priority: facts.priority,
      tier: facts.tier,
      ...(facts.zone === undefined ? {} : { zone: facts.zone }),
      ...(facts.capacity === 0 ? {} : { capacity: facts.capacity }),
    });
  }
  for (const facts of wanted) {
    if (fleet.byUrl(facts.url) !== undefined) continue;
    fleet.insert(fleet.compose(fleet.idFor(facts.name, facts.url), facts));
  }
}

/** Every configured backend. Throws `config_invalid` on the first address that may not be used. */
export function allConfiguredFacts(
  config: Configuration,
  own: readonly OwnListener[],
): readonly NewBackend[] {
  return config.backends.map((entry) => configuredFacts(entry, own, false));
}

/** Adds the engines of a scan that are not registered yet. */
export function insertFound(fleet: Fleet, reports: readonly PortReport[]): readonly Backend[] {
  const added: Backend[] = [];
  for (const report of reports) {
    if (report.answer !== 'engine' || fleet.byUrl(report.url) !== undefined) continue;
    const name = `${report.type}-${report.port}`;
    const facts: NewBackend = {
      name,
      url: report.url,
      type: report.type,
      source: 'mdns',
      priority: operatorPriority,
      zone: undefined,
      tier: 1,
      capacity: 0,
      apiKeyEnv: undefined,
      metadata: { found_by: 'scan' },
      approved: report.approved,
      draining: false,
      simulated: false,
      models: report.models,
    };
    added.push(fleet.insert(fleet.compose(fleet.idFor(name, report.url), facts)));
  }
  return added;
}

export function insertSimulated(fleet: Fleet, engines: readonly SimulatedEngine[]): void {
  for (const engine of engines) {
    const facts: NewBackend = {
      name: engine.name,
      url: engine.url,
      type: engine.type,
      source: 'manual',
      priority: operatorPriority,
      zone: undefined,
      tier: 1,
      capacity: 0,
      apiKeyEnv: undefined,
      metadata: { simulated: 'true' },
      approved: true,
      draining: false,
      simulated: true,
      models: [],
    };
    fleet.insert(fleet.compose(fleet.idFor(engine.name, engine.url), facts));
  }
}
