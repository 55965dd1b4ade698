// Weights of events summed up on a grid (platform specification A.13). A recorder: an event that is
// not finite in every part is dropped and counted.

import { assert } from '../../base/assert.ts';
import { clamp, isCount } from '../../base/numbers.ts';

export type HeatmapEvent = { readonly x: number; readonly y: number; readonly weight: number };

export type HeatmapCell = { readonly row: number; readonly col: number; readonly weight: number };

export class Heatmap {
  readonly #cols: number;
  readonly #rows: number;
  readonly #weights: Float64Array;
  #dropped = 0;

  /** `rows` and `cols` are whole numbers from 0; with a 0 there is no cell to add to. */
  constructor(rows: number, cols: number) {
    assert(isCount(rows), `a heatmap of ${rows} rows`);
    assert(isCount(cols), `a heatmap of ${cols} columns`);
    this.#rows = rows;
    this.#cols = cols;
    this.#weights = new Float64Array(rows * cols);
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** Row floor(y), column floor(x), each moved to the nearest one that there is. */
  add({ x, y, weight }: HeatmapEvent): void {
    if (!(Number.isFinite(x) && Number.isFinite(y) && Number.isFinite(weight))) {
      this.#dropped += 1;
      return;
    }
    if (this.#weights.length === 0) return;
    const row = clamp(Math.floor(y), 0, this.#rows - 1);
    const cell = row * this.#cols + clamp(Math.floor(x), 0, this.#cols - 1);
    this.#weights[cell] = (this.#weights[cell] ?? 0) + weight;
  }

  /** Every cell, also the empty ones, row by row. */
  cells(): readonly HeatmapCell[] {
    return Array.from(this.#weights, (weight, at) => {
      const col = at % this.#cols;
      return { row: (at - col) / this.#cols, col, weight };
    });
  }
}

/** All rows x cols cells, row by row, with the weights of the events in them. No cells: []. */
export function heatmap(
  events: Iterable<HeatmapEvent>,
  rows: number,
  cols: number,
): readonly HeatmapCell[] {
  const map = new Heatmap(rows, cols);
  for (const event of events) map.add(event);
  return map.cells();
}
