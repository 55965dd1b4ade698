// A thread's copy of the fleet, kept by deltas from the owner. Each delta gives another snapshot that
// shares with the one before all that did not change, so requests in flight keep the one they began
// with, and a change of one backend costs its own models and not the whole fleet: with 1000 backends
// of 10 models each 15 to 60 us, where building anew takes 400 to 1100.
//
//   P1  After any deltas the snapshot is what buildSnapshot makes of the targets that are left, but
//       for the order of models: targets, and the offers of a model, in the order of their ids.
//   P2  A snapshot that was given out never changes.
//   P3  Models that say the same are one object where the copy meets them side by side: they come over
//       a thread's border as copies, and a fleet has few models and many backends.

import { assert } from '../../base/assert.ts';
import { isCloudType } from '../../base/backend-type.ts';
import { compareText } from '../../base/compare.ts';
import { isSameModel, type Model } from '../backends/backend.ts';
import { OfferShards } from './offer-shards.ts';
import type { Offer, RoutingSettings, RoutingSnapshot, Target } from './snapshot.ts';

/** A target as it travels; without `models` where they are those that the threads have of it. */
export type TargetChange = Omit<Target, 'models'> & {
  readonly models: Target['models'] | undefined;
};

export type TargetsDelta = {
  readonly version: number;
  readonly upsert: readonly TargetChange[];
  /** Goes before `upsert`. */
  readonly remove: readonly string[];
};

/** Where the target with this id stands in a list in the order of ids, or would stand. */
function placeOf<Item>(
  items: readonly Item[],
  idOf: (item: Item) => string,
  id: string,
): { readonly at: number; readonly isThere: boolean } {
  let from = 0;
  let to = items.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (compareText(idOf(items[middle] as Item), id) < 0) from = middle + 1;
    else to = middle;
  }
  const found = items[from];
  return { at: from, isThere: found !== undefined && idOf(found) === id };
}

const idOfTarget = ({ id }: Target): string => id;
const idOfOffer = ({ target }: Offer): string => target.id;

function put<Item>(items: Item[], idOf: (item: Item) => string, item: Item): void {
  const { at, isThere } = placeOf(items, idOf, idOf(item));
  items.splice(at, isThere ? 1 : 0, item);
}

function drop<Item>(items: Item[], idOf: (item: Item) => string, id: string): void {
  const { at, isThere } = placeOf(items, idOf, id);
  if (isThere) items.splice(at, 1);
}

/** Lists of offers that one delta changes, each copied once. */
class Changes {
  readonly lists = new Map<string, Offer[]>();
  readonly #before: RoutingSnapshot['byModel'];

  constructor(before: RoutingSnapshot['byModel']) {
    this.#before = before;
  }

  /** A copy to write to. */
  of(modelId: string): Offer[] {
    const known = this.lists.get(modelId);
    if (known !== undefined) return known;
    const list = [...(this.#before.get(modelId) ?? [])];
    this.lists.set(modelId, list);
    return list;
  }

  /** Some offer of the model, to compare with. */
  someOffer(modelId: string): Offer | undefined {
    return (this.lists.get(modelId) ?? this.#before.get(modelId))?.[0];
  }

  withdraw(target: Target): void {
    for (const { id } of target.models) drop(this.of(id), idOfOffer, target.id);
  }

  offer(target: Target): void {
    const isCloud = isCloudType(target.backendType);
    for (const model of target.models)
      put(this.of(model.id), idOfOffer, { target, model, isCloud });
  }
}

export class SnapshotReplica {
  readonly #targets = new Map<string, Target>();
  #offers = OfferShards.empty;
  #snapshot: RoutingSnapshot;

  constructor(settings: RoutingSettings) {
    this.#snapshot = { version: 0, targets: [], byModel: this.#offers, settings };
  }

  get snapshot(): RoutingSnapshot {
    return this.#snapshot;
  }

  target(id: string): Target | undefined {
    return this.#targets.get(id);
  }

  /** The other settings, on the same targets. */
  reconfigure(settings: RoutingSettings): void {
    this.#snapshot = { ...this.#snapshot, settings };
  }

  /** A target that is new to this copy comes with its models. */
  apply({ version, upsert, remove }: TargetsDelta): void {
    const changes = new Changes(this.#offers);
    const targets = [...this.#snapshot.targets];
    for (const id of remove) {
      const before = this.#targets.get(id);
      if (before === undefined) continue;
      changes.withdraw(before);
      drop(targets, idOfTarget, id);
      this.#targets.delete(id);
    }
    for (const change of upsert) {
      const before = this.#targets.get(change.id);
      const target = { ...change, models: modelsOf(change, before, changes) };
      if (before !== undefined && before.models !== target.models) changes.withdraw(before);
      changes.offer(target);
      put(targets, idOfTarget, target);
      this.#targets.set(target.id, target);
    }
    this.#offers = this.#offers.with(changes.lists);
    this.#snapshot = { ...this.#snapshot, version, targets, byModel: this.#offers };
  }
}

/** The list that the copy holds where it says the same, and models that it holds elsewhere (P3). */
function modelsOf(
  { id, models }: TargetChange,
  before: Target | undefined,
  changes: Changes,
): readonly Model[] {
  if (models === undefined) {
    assert(before !== undefined, `the models of ${id} were never told`);
    return before.models;
  }
  const isSame =
    before?.models.length === models.length &&
    models.every((model, i) => isSameModel(model, before.models[i] as Model));
  if (isSame && before !== undefined) return before.models;
  return models.map((model) => {
    const known = changes.someOffer(model.id)?.model;
    if (known !== undefined && isSameModel(known, model)) return known;
    // Two texts that came over a border, where one says it.
    return model.name === model.id ? { ...model, name: model.id } : model;
  });
}
