// A distribution as a table of its quantiles, read linearly between them. It keeps odd shapes (the
// humps that prompt templates make) that a named distribution would smooth away, and needs no
// transcendental functions, so draws are equal bit for bit on every machine.

import { assert } from '../../base/assert.ts';

/** Points [probability, value]: both ascending, probabilities from 0 to 1. */
export type QuantileTable = readonly (readonly [probability: number, value: number])[];

/** The value at `probability` in [0, 1]. */
export function quantileAt(table: QuantileTable, probability: number): number {
  assert(probability >= 0 && probability <= 1, `probability ${probability}`);
  let low = 0;
  let high = table.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (pointOf(table, middle)[0] <= probability) low = middle;
    else high = middle;
  }
  const [fromP, from] = pointOf(table, low);
  const [toP, to] = pointOf(table, high);
  return toP === fromP ? to : from + ((to - from) * (probability - fromP)) / (toP - fromP);
}

/** The mean of the distribution that the table describes. */
export function meanOf(table: QuantileTable): number {
  let mean = 0;
  for (let i = 1; i < table.length; i++) {
    const [fromP, from] = pointOf(table, i - 1);
    const [toP, to] = pointOf(table, i);
    mean += ((toP - fromP) * (from + to)) / 2;
  }
  return mean;
}

function pointOf(table: QuantileTable, index: number): readonly [number, number] {
  const point = table[index];
  assert(point !== undefined, `a table has no point ${index}`);
  return point;
}
