// Which model is where: a row for each model, a column for each backend. A cell is in one of four
// states, and a backend that does not offer the model has none.

import type { BackendViewWire } from '../api/wire.ts';
import type { Mark } from '../status/status.ts';

type Fleet = readonly BackendViewWire[];

/**
 * `loaded`: in memory. `available`: offered, and a load comes first. `offered`: the engine does not
 * tell whether it is in memory. The last two take no requests while an operation runs.
 */
export type CellState = 'loaded' | 'available' | 'offered' | 'loading' | 'unloading';

export const cellMarks: Readonly<Record<CellState, Mark>> = {
  loaded: { tone: 'ok', words: 'loaded' },
  available: { tone: 'waiting', words: 'available' },
  offered: { tone: 'ok', words: 'offered' },
  loading: { tone: 'active', words: 'loading' },
  unloading: { tone: 'off', words: 'unloading' },
};

export type MatrixCell = { readonly state: CellState; readonly contextLength: number };

export type MatrixRow = {
  readonly modelId: string;
  /** By backend id. */
  readonly cells: ReadonlyMap<string, MatrixCell>;
  /** Backends that offer it, in a column here or not. */
  readonly holders: number;
  /** Those of them that take requests for it now. */
  readonly serving: number;
};

/** The state of a model that this backend offers. */
export function cellState(backend: BackendViewWire, modelId: string): CellState {
  const closed = backend.closed_models.find(({ id }) => id === modelId);
  if (closed !== undefined) return closed.reason;
  if (backend.loaded_models === null) return 'offered';
  return backend.loaded_models.includes(modelId) ? 'loaded' : 'available';
}

/** Does this backend take requests for a model that it offers? */
function serves(backend: BackendViewWire, modelId: string): boolean {
  return backend.routable && !backend.closed_models.some(({ id }) => id === modelId);
}

type RowDraft = { cells: Map<string, MatrixCell>; holders: number; serving: number };

/** Each model of the backends in `columns`, with its cells and no counts yet. */
function drafts(columns: Fleet): Map<string, RowDraft> {
  const rows = new Map<string, RowDraft>();
  for (const backend of columns) {
    for (const { id, context_length: contextLength } of backend.models) {
      const row = rows.get(id) ?? { cells: new Map(), holders: 0, serving: 0 };
      row.cells.set(backend.id, { state: cellState(backend, id), contextLength });
      rows.set(id, row);
    }
  }
  return rows;
}

/** A row for each model of the backends in `columns`, by id; its counts are of the whole `fleet`. */
export function modelMatrix(columns: Fleet, fleet: Fleet): readonly MatrixRow[] {
  const rows = drafts(columns);
  for (const backend of fleet) {
    for (const { id } of backend.models) {
      const row = rows.get(id);
      if (row === undefined) continue;
      row.holders += 1;
      if (serves(backend, id)) row.serving += 1;
    }
  }
  return [...rows]
    .map(([modelId, row]) => ({ modelId, ...row }))
    .sort((a, b) => (a.modelId < b.modelId ? -1 : 1));
}
