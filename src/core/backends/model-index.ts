// Model id -> the ids of the backends that list it, in the order in which they were added.
//
// I1  a backend listed under a model is registered and lists that model.
// I2  every model of every registered backend is listed.
// I3  no entry is empty, so the number of models is the number of keys.
// I4  a backend stands at most once under a model.
// I6  status never touches the index.
// (I5, that no reader sees a list and the index of different moments, holds because both change in
// one synchronous call.)

import type { BackendId } from '../../base/brand.ts';
import type { Backend, Model } from './backend.ts';

const none: readonly BackendId[] = Object.freeze([]);

export class ModelIndex {
  readonly #byModel = new Map<string, readonly BackendId[]>();
  /** The records of a model as they were last asked for; dropped when one of them changes. */
  readonly #records = new Map<string, readonly Backend[]>();

  get modelCount(): number {
    return this.#byModel.size;
  }

  modelIds(): string[] {
    return [...this.#byModel.keys()];
  }

  /** All backends that list the model, whatever their status. */
  backendsOf(modelId: string): readonly BackendId[] {
    return this.#byModel.get(modelId) ?? none;
  }

  /**
   * The records of those backends, frozen and the same until one of them changes; undefined when one
   * that is listed is not registered, which only a bug of ours brings about.
   */
  recordsOf(
    modelId: string,
    backends: ReadonlyMap<BackendId, Backend>,
  ): readonly Backend[] | undefined {
    const known = this.#records.get(modelId);
    if (known !== undefined) return known;
    const records: Backend[] = [];
    for (const id of this.backendsOf(modelId)) {
      const record = backends.get(id);
      if (record === undefined) return undefined;
      records.push(record);
    }
    // Questions for models that nobody has leave nothing behind.
    if (records.length > 0) this.#records.set(modelId, Object.freeze(records));
    return records;
  }

  /** A backend that lists these models has a new record. */
  recordChanged(models: readonly Model[]): void {
    for (const model of models) this.#records.delete(model.id);
  }

  clear(): void {
    this.#byModel.clear();
    this.#records.clear();
  }

  add(id: BackendId, models: readonly Model[]): void {
    this.recordChanged(models);
    for (const model of models) {
      const listed = this.#byModel.get(model.id) ?? none;
      if (!listed.includes(id)) this.#byModel.set(model.id, Object.freeze([...listed, id]));
    }
  }

  remove(id: BackendId, models: readonly Model[]): void {
    this.recordChanged(models);
    for (const model of models) {
      const listed = this.#byModel.get(model.id);
      if (listed === undefined) continue;
      const rest = listed.filter((other) => other !== id);
      if (rest.length === 0) this.#byModel.delete(model.id);
      else this.#byModel.set(model.id, Object.freeze(rest));
    }
  }

  /** Faults against I1 to I4 when compared with what the backends say; empty when whole. */
  faults(backends: ReadonlyMap<BackendId, Backend>): string[] {
    const faults: string[] = [];
    for (const [modelId, ids] of this.#byModel) {
      if (ids.length === 0) faults.push(`I3: ${modelId} has no backend`);
      if (new Set(ids).size !== ids.length) faults.push(`I4: ${modelId} lists a backend twice`);
      for (const id of ids) {
        const lists = backends.get(id)?.models.some((model) => model.id === modelId) ?? false;
        if (!lists) faults.push(`I1: ${id} is listed under ${modelId}`);
      }
    }
    for (const backend of backends.values()) {
      for (const model of backend.models) {
        if (!this.backendsOf(model.id).includes(backend.id)) {
          faults.push(`I2: ${backend.id} is missing under ${model.id}`);
        }
      }
    }
    return faults;
  }
}
