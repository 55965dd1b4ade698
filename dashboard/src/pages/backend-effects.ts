// What an action on a backend would do, in numbers taken from the fleet that is on show, and which
// dialog it therefore needs: reversible ones act at once, those on live traffic ask, and removing
// the only holder of a model wants its name typed.

import type { BackendViewWire } from '../api/wire.ts';
import { plural } from '../format/numbers.ts';

type Fleet = readonly BackendViewWire[];

export type ModelSplit = {
  /** Models that another routable backend has too. */
  readonly elsewhere: readonly string[];
  /** Models that no other routable backend has. */
  readonly onlyHere: readonly string[];
};

export function splitModels(backend: BackendViewWire, fleet: Fleet): ModelSplit {
  const held = new Set<string>();
  for (const other of fleet) {
    if (other.id === backend.id || !other.routable) continue;
    for (const model of other.models) held.add(model.id);
  }
  const ids = backend.models.map((model) => model.id);
  return {
    elsewhere: ids.filter((id) => held.has(id)),
    onlyHere: ids.filter((id) => !held.has(id)),
  };
}

function named(ids: readonly string[]): string {
  const shown = ids.slice(0, 3).join(', ');
  return ids.length > 3 ? `${shown} and ${ids.length - 3} more` : shown;
}

function modelWords({ elsewhere, onlyHere }: ModelSplit): string {
  if (onlyHere.length === 0 && elsewhere.length === 0) return 'It offers no model.';
  if (onlyHere.length === 0) {
    const verb = elsewhere.length === 1 ? 'is' : 'are';
    return `Its ${plural(elsewhere.length, 'model')} ${verb} on other backends too.`;
  }
  const verb = onlyHere.length === 1 ? 'is' : 'are';
  return `${named(onlyHere)} ${verb} nowhere else: requests for ${onlyHere.length === 1 ? 'it' : 'them'} get 503.`;
}

/** What it means for requests that it is out; of one that serves, what losing it would mean. */
export function effectWords(backend: BackendViewWire, fleet: Fleet): string {
  const split = splitModels(backend, fleet);
  if (!backend.routable || split.onlyHere.length === 0) return modelWords(split);
  const alone = split.onlyHere.length === 1;
  return `${named(split.onlyHere)} ${alone ? 'is' : 'are'} nowhere else: without this backend requests for ${alone ? 'it' : 'them'} get 503.`;
}

function inFlightWords(backend: BackendViewWire): string {
  const count = backend.pending_requests;
  if (count === 0) return 'Nothing is in flight there.';
  return `${plural(count, 'request')} in flight there ${count === 1 ? 'finishes' : 'finish'} first.`;
}

export function drainWords(backend: BackendViewWire, fleet: Fleet): string {
  const models = modelWords(splitModels(backend, fleet));
  return `${inFlightWords(backend)} ${models} New requests avoid it until you resume it.`;
}

export function removeWords(backend: BackendViewWire, fleet: Fleet): string {
  const count = backend.pending_requests;
  const flight =
    count === 0
      ? 'Nothing is in flight there.'
      : `${plural(count, 'request')} ${count === 1 ? 'is' : 'are'} in flight there; drain it first to let them finish for sure.`;
  return `${flight} ${modelWords(splitModels(backend, fleet))} To have it back, add its address again.`;
}

/** Removing is final for the only routable holder of a model; else it is like a drain. */
export function removalNeedsName(backend: BackendViewWire, fleet: Fleet): boolean {
  return backend.routable && splitModels(backend, fleet).onlyHere.length > 0;
}
