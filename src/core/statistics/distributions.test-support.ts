// The distributions on which accuracy is judged (platform specification D.3), from a seed.

import { type Random, seededRandom } from '../../base/random.ts';

const seed = 20_261_121;

export type Distribution = {
  readonly name: string;
  /** The value at index `at` of `n`, in order of arrival. */
  readonly value: (random: Random, at: number, n: number) => number;
};

/** A double within (0, 1). */
function unit(random: Random): number {
  return random.nextUnit() + 2 ** -33;
}

/** Standard normal (Box and Muller 1958). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(unit(random))) * Math.cos(2 * Math.PI * unit(random));
}

export const distributions: readonly Distribution[] = [
  { name: 'uniform', value: unit },
  { name: 'normal', value: (random) => 100 + 15 * normal(random) },
  { name: 'normal around 0', value: normal },
  { name: 'exponential', value: (random) => -Math.log(unit(random)) },
  { name: 'log-normal, sigma 2', value: (random) => Math.exp(2 * normal(random)) },
  { name: 'Pareto 1.2', value: (random) => unit(random) ** (-1 / 1.2) },
  {
    name: 'bimodal, gap at p95',
    value: (random, at) => (at % 20 < 19 ? 10 : 1000) * (0.9 + 0.2 * unit(random)),
  },
  { name: 'constant', value: () => 42.5 },
  { name: 'ascending', value: (_, at) => 1 + at },
  { name: 'descending', value: (_, at, n) => n - at },
  { name: 'negative', value: (random) => -Math.exp(2 * normal(random)) },
];

/** `n` values of a distribution, the same on each call. */
export function sampleOf({ value }: Distribution, n: number): Float64Array {
  const random = seededRandom(seed);
  const sample = new Float64Array(n);
  for (let at = 0; at < n; at += 1) sample[at] = value(random, at, n);
  return sample;
}
