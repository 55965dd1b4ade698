// The live checkpoints of one training run, in order, with what is asked of them at every command:
// who depends on whom, and which chains hold a corrupted member.
//
//   I1  The list ascends by step, time of creation and id, and holds no tombstone.
//   I2  A checkpoint is broken exactly when it or one of its ancestors is corrupted.
//   I3  dependents(id) are the live checkpoints whose parent is `id`.
//
// Corruption is for ever, so a broken mark is set once and never taken back: marking costs each
// checkpoint once over its life, and asking costs nothing. Parents are added before children.
// Removed ones leave the list when it is next looked at, all at once, so that deleting many of many
// is not quadratic.

import { assert } from '../../base/assert.ts';
import { compareInRun, type TrainingCheckpoint } from './training-checkpoint.ts';

export class CheckpointRun {
  #ordered: TrainingCheckpoint[] = [];
  readonly #removed = new Set<string>();
  readonly #dependents = new Map<string, Set<string>>();
  readonly #broken = new Set<string>();

  /** Ascending by step, time of creation and id. A view: read it before the next change. */
  get checkpoints(): readonly TrainingCheckpoint[] {
    if (this.#removed.size > 0) {
      this.#ordered = this.#ordered.filter(({ checkpointId }) => !this.#removed.has(checkpointId));
      this.#removed.clear();
    }
    return this.#ordered;
  }

  /** Ids of those that cannot be restored because something in their chain is corrupted. */
  get broken(): ReadonlySet<string> {
    return this.#broken;
  }

  /** The highest step. */
  get latest(): TrainingCheckpoint | undefined {
    return this.checkpoints.at(-1);
  }

  dependents(id: string): ReadonlySet<string> | undefined {
    return this.#dependents.get(id);
  }

  add(checkpoint: TrainingCheckpoint): void {
    const { checkpointId, parentId } = checkpoint;
    // First: looking for the place may put a new list in the place of the old one.
    const place = this.#placeOf(checkpoint);
    this.#ordered.splice(place, 0, checkpoint);
    if (parentId === undefined) return;
    const siblings = this.#dependents.get(parentId) ?? new Set();
    this.#dependents.set(parentId, siblings.add(checkpointId));
  }

  /** A new record in the place of the one with the same id, step and time. */
  replace(checkpoint: TrainingCheckpoint): void {
    const place = this.#placeOf(checkpoint);
    const found = this.#ordered[place]?.checkpointId === checkpoint.checkpointId;
    assert(found, `checkpoint ${checkpoint.checkpointId} is in its run`);
    this.#ordered[place] = checkpoint;
    if (checkpoint.state === 'corrupted') this.#breakChainsThrough(checkpoint.checkpointId);
  }

  remove(checkpoint: TrainingCheckpoint): void {
    const { checkpointId, parentId } = checkpoint;
    assert(!this.#dependents.has(checkpointId), `checkpoint ${checkpointId} is still needed`);
    this.#removed.add(checkpointId);
    this.#broken.delete(checkpointId);
    const siblings = parentId === undefined ? undefined : this.#dependents.get(parentId);
    siblings?.delete(checkpointId);
    if (parentId !== undefined && siblings?.size === 0) this.#dependents.delete(parentId);
  }

  /**
   * What an incremental checkpoint at this place can build on: the newest by step that is complete
   * down to its root, lies before the step and not in a later epoch.
   */
  newestBase(place: {
    readonly step: number;
    readonly epoch: number;
  }): TrainingCheckpoint | undefined {
    return this.#newestBefore(place.step, (checkpoint) => {
      return this.#isRestorable(checkpoint) && checkpoint.epoch <= place.epoch;
    });
  }

  /** The highest step up to `step` that is saved or being saved; corrupted ones do not count. */
  lastSavedStep(step: number): number | undefined {
    return this.#newestBefore(step + 1, ({ state }) => state !== 'corrupted')?.step;
  }

  #isRestorable({ state, checkpointId }: TrainingCheckpoint): boolean {
    return state === 'complete' && !this.#broken.has(checkpointId);
  }

  #newestBefore(
    step: number,
    accepts: (checkpoint: TrainingCheckpoint) => boolean,
  ): TrainingCheckpoint | undefined {
    for (let i = this.#countBefore((other) => other.step < step) - 1; i >= 0; i -= 1) {
      const candidate = this.#ordered[i];
      if (candidate !== undefined && accepts(candidate)) return candidate;
    }
    return undefined;
  }

  /** How many checkpoints at the front of the list are `before`, by bisection. */
  #countBefore(before: (checkpoint: TrainingCheckpoint) => boolean): number {
    const { checkpoints } = this;
    let [low, high] = [0, checkpoints.length];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const candidate = checkpoints[middle];
      if (candidate !== undefined && before(candidate)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #placeOf(checkpoint: TrainingCheckpoint): number {
    return this.#countBefore((other) => compareInRun(other, checkpoint) < 0);
  }

  #breakChainsThrough(id: string): void {
    const open = [id];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (this.#broken.has(next)) continue;
      this.#broken.add(next);
      for (const dependent of this.#dependents.get(next) ?? []) open.push(dependent);
    }
  }
}
