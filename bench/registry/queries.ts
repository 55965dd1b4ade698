// What the owner answers and what a counter costs: each query timed for itself, each counter a million
// times in a loop.
import { BackendRegistry } from '../../src/core/backends/registry.ts';
import { SnapshotReplica } from '../../src/core/routing/snapshot-replica.ts';
import type { Arena, ArenaHandle } from '../../src/io/shared-memory/arena.ts';
import type { Fleet } from '../../src/services/routing/fleet.ts';
import { backendCount, backendName, modelId, modelsEach, routing, type Shape } from './fleets.ts';

export const queries = 10_000;
export const increments = 1_000_000;
/** In the rounds under change, a status moves with every so many queries. */
const changeEvery = 10;

export type Percentiles = { readonly p50: number; readonly p99: number };

/** By rank, of all samples; us. */
export function percentiles(samples: readonly number[]): Percentiles {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

export type Queried = {
  readonly registry: BackendRegistry;
  readonly replica: SnapshotReplica;
  readonly shape: Shape;
};

/** The records of a fleet in a registry, and in the copy of a thread. */
export function queriedOf(fleet: Fleet, shape: Shape): Queried {
  const registry = new BackendRegistry();
  for (const backend of fleet.listBackends()) registry.add(backend);
  const replica = new SnapshotReplica(routing);
  replica.apply({ version: 1, upsert: structuredClone(fleet.targets()), remove: [] });
  return { registry, replica, shape };
}

/** us of each query by `ask`, which answers how many backends it got. */
function timed(shape: Shape, ask: (modelId: string) => number, before?: (i: number) => void) {
  const ids = Array.from({ length: queries }, (_, i) =>
    modelId(shape, (i * 7919) % backendCount, i % modelsEach),
  );
  const samples: number[] = [];
  for (const [i, id] of ids.entries()) {
    before?.(i);
    const began = process.hrtime.bigint();
    const count = ask(id);
    samples.push(Number(process.hrtime.bigint() - began) / 1000);
    if (count === 0) throw new Error(`nobody lists ${id}`);
  }
  return percentiles(samples);
}

/** `get_backends_for_model` on the owner. */
export function ownerQueries({ registry, shape }: Queried): Percentiles {
  return timed(shape, (id) => registry.forModel(id).length);
}

/** The same right after a backend has changed, now and then. */
export function ownerQueriesUnderChange({ registry, shape }: Queried): Percentiles {
  const change = (i: number): void => {
    if (i % changeEvery !== 0) return;
    const id = registry.get(backendName((i * 31) % backendCount))?.id;
    if (id === undefined) return;
    const status = (i / changeEvery) % 2 === 0 ? 'healthy' : 'unhealthy';
    registry.updateStatus(id, { status, now: registry.all()[0]?.statusSince ?? failNow() });
  };
  return timed(shape, (id) => registry.forModel(id).length, change);
}

function failNow(): never {
  throw new Error('the registry is empty');
}

/** The offers of a model in the copy of a thread. */
export function threadQueries({ replica, shape }: Queried): Percentiles {
  return timed(shape, (id) => replica.snapshot.byModel.get(id)?.length ?? 0);
}

/** ns for one request more in flight, over all backends in turn. */
export function incrementNs(arena: Arena, handles: readonly ArenaHandle[]): number {
  const rounds = increments / handles.length;
  const began = process.hrtime.bigint();
  for (let round = 0; round < rounds; round++) {
    for (const handle of handles) arena.increment(handle, 1);
  }
  const ns = Number(process.hrtime.bigint() - began) / increments;
  for (let round = 0; round < rounds; round++) {
    for (const handle of handles) arena.decrement(handle, 1);
  }
  return ns;
}
