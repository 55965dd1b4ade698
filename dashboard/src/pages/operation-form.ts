// The form of an operation on a model: what can be chosen, why it cannot be sent yet, what it would do
// to the traffic in numbers of the fleet on show, and the same as a command. The server checks again,
// above all the GPU memory, which nobody here knows.

import type { BackendViewWire, OperationWire } from '../api/wire.ts';
import { plural } from '../format/numbers.ts';
import { byName } from './fleet-filter.ts';
import { cellState } from './model-matrix.ts';
import { shellWord } from './pin-form.ts';

type Fleet = readonly BackendViewWire[];

export const operationKinds = ['load', 'unload', 'migrate'] as const;
export type OperationKind = (typeof operationKinds)[number];

export type OperationForm = {
  readonly kind: OperationKind;
  readonly backend: BackendViewWire;
  readonly modelId: string;
  /** Where a migration goes; empty while none is chosen. */
  readonly targetId: string;
  /** Of a load: fetch weights that are not there. */
  readonly download: boolean;
  /** Of an unload: wait for the requests that run instead of being refused. */
  readonly drain: boolean;
};

/** What the person chooses. */
export type FormChoices = Omit<OperationForm, 'kind' | 'backend'>;

export const emptyForm: FormChoices = { modelId: '', targetId: '', download: false, drain: true };

export const kindWords: Readonly<Record<OperationWire['operation_type'], string>> = {
  load: 'Load',
  unload: 'Unload',
  migrate: 'Migrate',
  download: 'Download',
};

function sorted(ids: Iterable<string>): readonly string[] {
  return [...new Set(ids)].sort();
}

const idsOf = (backend: BackendViewWire) => backend.models.map(({ id }) => id);

/** Models that it would make sense to choose; a load may name any other as well. */
export function modelChoices(kind: OperationKind, on: BackendViewWire, fleet: Fleet) {
  const held = idsOf(on);
  switch (kind) {
    case 'load': {
      const absent = held.filter((id) => cellState(on, id) === 'available');
      const elsewhere = fleet.flatMap(idsOf).filter((id) => !held.includes(id));
      return sorted([...absent, ...elsewhere]);
    }
    case 'unload':
      return sorted(held.filter((id) => ['loaded', 'offered'].includes(cellState(on, id))));
    case 'migrate':
      return sorted(held.filter((id) => cellState(on, id) !== 'unloading'));
  }
}

/** Approved backends other than this one, by name. */
export function targetChoices(on: BackendViewWire, fleet: Fleet): Fleet {
  return fleet.filter(({ id, approved }) => approved && id !== on.id).sort(byName);
}

/** Why it cannot be sent yet; undefined when it can. */
export function formRefusal({ kind, modelId, targetId }: OperationForm): string | undefined {
  if (modelId.trim() === '') return 'Name a model first.';
  if (modelId.trim().length > 1000) return 'A model id has at most 1000 characters.';
  return kind === 'migrate' && targetId === '' ? 'Choose where it goes first.' : undefined;
}

/** Backends that take requests for it now, besides this one. */
function othersServing({ backend, modelId }: OperationForm, fleet: Fleet): number {
  return fleet.filter((other) => {
    if (other.id === backend.id || !other.routable) return false;
    if (!idsOf(other).includes(modelId)) return false;
    return !other.closed_models.some(({ id }) => id === modelId);
  }).length;
}

function meanwhileWords(form: OperationForm, fleet: Fleet): string {
  const others = othersServing(form, fleet);
  if (others === 0)
    return `No other backend serves ${form.modelId}: requests for it get 503 until then.`;
  return `${plural(others, 'other backend')} ${others === 1 ? 'serves' : 'serve'} it meanwhile.`;
}

function restWords({ backend, modelId }: OperationForm): string {
  const rest = idsOf(backend).filter((id) => id !== modelId).length;
  if (rest === 0) return '';
  return ` Its ${plural(rest, 'other model')} ${rest === 1 ? 'stays' : 'stay'} open.`;
}

function loadWords(form: OperationForm, fleet: Fleet): string {
  const { backend, modelId, download } = form;
  const fetched = download ? ' Weights that are not there are fetched first.' : '';
  return `${backend.name} takes no requests for ${modelId} until it is in memory.${restWords(form)} ${meanwhileWords(form, fleet)}${fetched} Refused when the GPU memory does not suffice. Undo: unload it.`;
}

function runningWords({ backend, modelId, drain }: OperationForm): string {
  const { pending_requests: pending, name } = backend;
  if (pending === 0) return `Nothing is in flight on ${name}.`;
  const counted = `${plural(pending, 'request')} ${pending === 1 ? 'is' : 'are'} in flight on ${name}`;
  if (drain) return `${counted}: those for ${modelId} finish first.`;
  return `${counted}: refused while one of them is for ${modelId}.`;
}

function unloadWords(form: OperationForm, fleet: Fleet): string {
  const others = othersServing(form, fleet);
  const holders =
    others === 0
      ? `${form.modelId} is served nowhere else: requests for it get 503, or wait until it is loaded again.`
      : `${plural(others, 'other backend')} ${others === 1 ? 'serves' : 'serve'} ${form.modelId}.`;
  return `${runningWords(form)} ${holders}${restWords(form)} Undo: load it again.`;
}

function migrateWords({ backend, modelId, targetId }: OperationForm, fleet: Fleet): string {
  const target = fleet.find(({ id }) => id === targetId)?.name ?? 'the other one';
  return `${backend.name} serves ${modelId} until ${target} has it in memory; ${target} takes no requests for it until then. Afterwards both hold it: unload it from ${backend.name} when you like. Fails back to how it was.`;
}

/** What it would do, in numbers. */
export function formEffect(form: OperationForm, fleet: Fleet): string {
  switch (form.kind) {
    case 'load':
      return loadWords(form, fleet);
    case 'unload':
      return unloadWords(form, fleet);
    case 'migrate':
      return migrateWords(form, fleet);
  }
}

/** The words of the button that sends it: verb and object. */
export function formVerb({ kind, modelId }: OperationForm): string {
  return modelId === '' ? kindWords[kind] : `${kindWords[kind]} ${modelId}`;
}

export function formCommand({ kind, backend, targetId, ...form }: OperationForm): string {
  const model = shellWord(form.modelId.trim());
  switch (kind) {
    case 'load': {
      const fetched = form.download ? ' --download' : '';
      return `tensorforge models load ${model} --on ${backend.id}${fetched}`;
    }
    case 'unload': {
      const drain = form.drain ? ' --drain' : '';
      return `tensorforge models unload ${model} --on ${backend.id}${drain}`;
    }
    case 'migrate':
      return `tensorforge models migrate ${model} --from ${backend.id} --to ${targetId}`;
  }
}
