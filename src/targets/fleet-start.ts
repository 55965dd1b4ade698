// What backends an installation begins with: those of the configuration, those that operators added
// or decided about before, and simulated ones when there is none. What runs is found by discovery.

import type { OwnListener } from '../base/backend-url.ts';
import type { BackendId } from '../base/brand.ts';
import type { Configuration } from '../config/options.ts';
import type { Backend } from '../core/backends/backend.ts';
import { slugOf } from '../core/backends/slug.ts';
import { canonicalBaseUrl } from '../core/backends/url.ts';
import { TensorForgeError } from '../errors/tensorforge-error.ts';
import type { StoredBackend } from '../io/postgres/backend-store.ts';
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
 *
 * A name keeps its id. At another address, of another type or with another credential it is another
 * server under that id, with a slot and counts of its own; what runs on the former finishes there.
 */
export function reconcileConfigured(fleet: Fleet, wanted: readonly NewBackend[]): void {
  const stays = new Set<string>();
  const drained = new Set<string>();
  for (const backend of fleet.listBackends()) {
    if (backend.discoverySource !== 'static') continue;
    const facts = wanted.find((candidate) => candidate.name === backend.name);
    if (facts === undefined || !isSameServer(facts, backend)) {
      if (backend.status === 'draining') drained.add(backend.name);
      fleet.remove(backend.id);
      continue;
    }
    stays.add(facts.name);
    fleet.edit(backend.id, {
      priority: facts.priority,
      tier: facts.tier,
      capacity: capacityAfter(facts, backend),
      ...(facts.zone === undefined ? {} : { zone: facts.zone }),
    });
  }
  for (const facts of wanted) {
    if (stays.has(facts.name)) continue;
    const twin = fleet.byUrl(facts.url);
    // Somebody was given this address by hand; that one stays. One that was found gives way.
    if (twin !== undefined && twin.discoverySource !== 'mdns') continue;
    const draining = drained.has(facts.name);
    fleet.insert(fleet.compose(idOfConfigured(fleet, facts), { ...facts, draining }));
  }
}

function isSameServer(facts: NewBackend, backend: Backend): boolean {
  return (
    facts.url === backend.url &&
    facts.type === backend.backendType &&
    facts.apiKeyEnv === backend.apiKeyEnv
  );
}

/** A number that is not configured any more is forgotten, one that a probe learned is not. */
function capacityAfter(facts: NewBackend, backend: Backend): number {
  const isLearned = backend.metadata['capacity_source'] === 'probe';
  return facts.capacity === 0 && isLearned ? backend.capacity : facts.capacity;
}

/** A found twin with the same slug gives its id away with its address. */
function idOfConfigured(fleet: Fleet, facts: NewBackend): BackendId {
  const twin = fleet.byUrl(facts.url);
  const isTwin = twin?.discoverySource === 'mdns' && twin.id === slugOf(facts.name);
  return isTwin ? twin.id : fleet.idFor(facts.name, facts.url);
}

/** Every configured backend. Throws `config_invalid` on the first address that may not be used. */
export function allConfiguredFacts(
  config: Configuration,
  own: readonly OwnListener[],
): readonly NewBackend[] {
  return config.backends.map((entry) => configuredFacts(entry, own, false));
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
