// Random histories for the properties of replay. A raw history holds one event per (id, sequence), so
// that it is never tampered with; deliveries of it may repeat and reorder at will.

import fc from 'fast-check';
import { seededRandom } from '../../base/random.ts';
import type { ReplayEvent } from './replay-event.ts';

const ids = fc.constantFrom('k-1', 'k-2', 'k-10', 'z', 'Z', 'é', '');

const payloads = fc.oneof(
  fc.constant(undefined),
  fc.integer(),
  fc.constantFrom(null, 'text', 0.1, [1, 2]),
  fc.record({ a: fc.integer(), b: fc.string({ maxLength: 3 }) }),
);

/** Sequences repeat between ids and lie beyond 2^32 too. */
export const history: fc.Arbitrary<readonly ReplayEvent[]> = fc.uniqueArray(
  fc.record({
    id: ids,
    sequence: fc.oneof(
      fc.integer({ min: -3, max: 12 }),
      fc.integer({ min: 2 ** 40, max: 2 ** 40 + 5 }),
    ),
    payload: payloads,
  }),
  { selector: ({ id, sequence }) => `${sequence}/${id}`, maxLength: 25, size: 'max' },
);

/** One event per sequence, as a stream numbers them. */
export const streamHistory: fc.Arbitrary<readonly ReplayEvent[]> = fc.uniqueArray(
  fc.record({ id: ids, sequence: fc.integer({ min: 0, max: 40 }), payload: payloads }),
  { selector: ({ sequence }) => sequence, maxLength: 25, size: 'max' },
);

export type Delivery = {
  readonly raw: readonly ReplayEvent[];
  readonly delivered: readonly ReplayEvent[];
};

/** A history, and the same events in another order, some of them twice. */
export const delivery: fc.Arbitrary<Delivery> = history.chain((raw) =>
  fc
    .subarray([...raw], { minLength: 0 })
    .chain((again) => shuffled([...raw, ...again]))
    .map((delivered) => ({ raw, delivered })),
);

export function shuffled<T>(items: readonly T[]): fc.Arbitrary<readonly T[]> {
  return fc.shuffledSubarray([...items], { minLength: items.length });
}

/** The items in an order that only the seed decides. */
export function anyOrder<T>(items: readonly T[], seed: number): readonly T[] {
  const random = seededRandom(seed);
  return items
    .map((item) => ({ item, key: random.nextUint32() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

/** One event per given sequence, with an id made of it. */
export function eventsAt(...sequences: readonly number[]): readonly ReplayEvent[] {
  return sequences.map((sequence) => ({ id: `e-${sequence}`, sequence }));
}

/** from, from + 1, ... to. */
export function upTo(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

export function sequencesOf(list: readonly ReplayEvent[]): readonly number[] {
  return list.map(({ sequence }) => sequence);
}
