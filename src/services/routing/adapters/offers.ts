// What a list of an engine comes to: the models that it offers, and beside them what is known of each
// at run time. Both are read from one entry at a time, by the adapter that knows the entry.

import type { Model } from '../../../core/backends/backend.ts';
import { type ModelFacts, modelFrom } from '../../../core/backends/heuristics.ts';
import type { ModelRuntime } from '../../../core/backends/model-runtime.ts';
import { modelsMax } from './json-shape.ts';

/** What an entry tells; what it does not tell is left out. */
export type Told = {
  readonly facts: ModelFacts;
  readonly runtime?: { readonly [Fact in keyof Omit<ModelRuntime, 'id'>]?: ModelRuntime[Fact] };
};

export type Offers = {
  readonly models: readonly Model[];
  /** One for each model of which something is told. */
  readonly runtime: readonly ModelRuntime[];
};

function runtimeOf(id: string, told: Told): readonly ModelRuntime[] {
  const { loaded, kind, sizeBytes, vramBytes, quantization } = told.runtime ?? {};
  const facts = { loaded, kind, sizeBytes, vramBytes, quantization };
  const isTold = Object.values(facts).some((fact) => fact !== undefined);
  return isTold ? [Object.freeze({ id, ...facts })] : [];
}

/**
 * The offers of a list, each from its entry. Entries without a usable id are dropped; of twins the
 * last definition wins and the first place is kept; beyond `modelsMax` the list is cut off.
 */
export function offersOf(
  entries: readonly unknown[],
  idOf: (entry: unknown) => string | undefined,
  tell: (entry: unknown, id: string) => Told,
): Offers {
  const offers = new Map<string, Told>();
  for (const entry of entries) {
    const id = idOf(entry);
    if (id === undefined || (offers.size >= modelsMax && !offers.has(id))) continue;
    offers.set(id, tell(entry, id));
  }
  const told = [...offers];
  return {
    models: Object.freeze(told.map(([id, { facts }]) => modelFrom(id, facts))),
    runtime: Object.freeze(told.flatMap(([id, one]) => runtimeOf(id, one))),
  };
}
