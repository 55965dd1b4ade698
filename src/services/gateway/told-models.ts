// What the control thread says to the gateway threads of a change, made short: a list of models goes
// to them once and not again with every change of a status. A list of ten models is 2 KB to clone, on
// the event loop of every thread.
//
//   T1  Where a target goes out without models, every thread that hears it has those that it has.
//       A thread that starts later is told all targets whole, as the registry has them then.

import type { Target } from '../../core/routing/snapshot.ts';
import type { TargetsDelta } from '../../core/routing/snapshot-replica.ts';

type WholeDelta = Omit<TargetsDelta, 'upsert'> & { readonly upsert: readonly Target[] };

export class ToldModels {
  /** Backend -> the list that the threads have; a registry keeps one array as long as it is the same. */
  readonly #told = new Map<string, Target['models']>();

  /** The change as it goes out; what it says is noted as told. */
  shortened<Delta extends WholeDelta>(delta: Delta): Omit<Delta, 'upsert'> & TargetsDelta {
    for (const id of delta.remove) this.#told.delete(id);
    const upsert = delta.upsert.map((target) => {
      const isTold = this.#told.get(target.id) === target.models;
      this.#told.set(target.id, target.models);
      return isTold ? { ...target, models: undefined } : target;
    });
    return { ...delta, upsert };
  }
}
