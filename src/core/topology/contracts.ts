// What a set of service definitions must keep, and what can be read from it. All functions take the
// definitions, so that a test, a split deployment and the catalogue itself are judged alike.
//
// Invariants of a valid set (validateContract)
//   C1  Ids are unique.
//   C2  Every dependency names a service of the set.
// The start order exists only when, besides, no service needs itself over any number of steps.

import { compareText } from '../../base/compare.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type DependencyEdge, dependencyOrder } from '../concurrency/dependency-order.ts';
import type { ServiceDefinition } from './service-catalog.ts';

export type ContractFault = {
  readonly code: 'duplicate_service' | 'unknown_dependency' | 'dependency_cycle';
  /** Names every service concerned. */
  readonly message: string;
  readonly services: readonly string[];
};

type Definitions = readonly ServiceDefinition[];

/** The set itself, or the first fault in input order. */
export function validateContract(definitions: Definitions): Result<Definitions, ContractFault> {
  const ids = new Set<string>();
  for (const { id } of definitions) {
    if (ids.has(id)) {
      const message = `service ${id} is defined twice`;
      return err({ code: 'duplicate_service', message, services: [id] });
    }
    ids.add(id);
  }
  for (const { id, dependencies } of definitions) {
    const unknown = dependencies.find((dependency) => !ids.has(dependency));
    if (unknown !== undefined) {
      const message = `service ${id} depends on ${unknown}, which is not a service`;
      return err({ code: 'unknown_dependency', message, services: [id, unknown] });
    }
  }
  return ok(definitions);
}

/** One cycle among services that each wait for another of them, as a path that ends where it began. */
function findCycle(waiting: Definitions): readonly string[] {
  const needs = new Map(waiting.map(({ id, dependencies }) => [id, dependencies]));
  const path: string[] = [];
  let id = [...needs.keys()].sort(compareText)[0];
  while (id !== undefined && !path.includes(id)) {
    path.push(id);
    // Whatever still waits has a dependency that waits too, so the walk must come round.
    id = (needs.get(id) ?? []).filter((next) => needs.has(next)).sort(compareText)[0];
  }
  return id === undefined ? path : [...path.slice(path.indexOf(id)), id];
}

/**
 * Dependencies before dependents; among the services that could come next always the alphabetically
 * first, so the order is the same everywhere. The order to start in; its reverse is the order to
 * stop in.
 */
export function topologicalOrder(
  definitions: Definitions,
): Result<readonly string[], ContractFault> {
  const valid = validateContract(definitions);
  if (!valid.ok) return valid;
  const sorted = [...definitions].sort((a, b) => compareText(a.id, b.id));
  const placeOf = new Map(sorted.map(({ id }, place) => [id, place]));
  const edges = sorted.flatMap(({ dependencies }, place) =>
    dependencies.map((needed): DependencyEdge => [placeOf.get(needed) ?? -1, place]),
  );
  const order = dependencyOrder(edges, sorted.length).flatMap((place) => sorted[place]?.id ?? []);
  if (order.length === sorted.length) return ok(order);
  const placed = new Set(order);
  const cycle = findCycle(sorted.filter(({ id }) => !placed.has(id)));
  const message = `services depend on each other in a circle: ${cycle.join(' -> ')}`;
  return err({ code: 'dependency_cycle', message, services: cycle });
}

/** Every service that `id` needs, directly or through others; without itself. */
function transitiveDependencies(definitions: Definitions, id: string): ReadonlySet<string> {
  const byId = new Map(definitions.map((definition) => [definition.id, definition]));
  const found = new Set<string>();
  const open = [...(byId.get(id)?.dependencies ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    open.push(...(byId.get(next)?.dependencies ?? []));
  }
  found.delete(id);
  return found;
}

/** How many distinct services `id` needs, directly or through others; 0 for an unknown id. */
export function transitiveDependencyCount(definitions: Definitions, id: string): number {
  return transitiveDependencies(definitions, id).size;
}

/** Does some other service depend on it? */
export function isCriticalPath(definitions: Definitions, id: string): boolean {
  return definitions.some((other) => other.id !== id && other.dependencies.includes(id));
}

/** Exact text equality: `1.0` is not `1.0.0`. False for an unknown id. */
export function versionMatches(definitions: Definitions, id: string, expected: string): boolean {
  return definitions.find((definition) => definition.id === id)?.version === expected;
}

/** Ids, in input order, that neither need anything nor are needed. */
export function orphanServices(definitions: Definitions): readonly string[] {
  return definitions
    .filter(({ id, dependencies }) => dependencies.length === 0 && !isCriticalPath(definitions, id))
    .map(({ id }) => id);
}

/** Do two definitions share a port? Services without a port are skipped. */
export function hasPortCollision(definitions: Definitions): boolean {
  const ports = definitions.flatMap(({ port }) => (port === undefined ? [] : [port]));
  return new Set(ports).size < ports.length;
}

/** One `id:port` line per service in input order; `id:-` without a port. */
export function contractSummary(definitions: Definitions): string {
  return definitions.map(({ id, port }) => `${id}:${port ?? '-'}`).join('\n');
}
