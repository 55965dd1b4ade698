// What would the mean first byte have been, had another policy chosen? Tier 2: an estimate from the
// log alone, no model of an engine. A decision says something about the candidate where both chose
// the same backend; such decisions are weighted by how rarely the log made that choice, so that a
// seldom chosen backend counts for all the requests that the candidate would have sent there:
//
//   mean = sum(w y) / sum(w)      w = 1 / propensity where both chose alike, else 0
//
// (self-normalised inverse propensity, Swaminathan and Joachims 2015). One placement changes what the
// next one meets, which this estimate cannot see; so it looks only at decisions without congestion
// and refuses where the two policies hardly ever meet.
//
// Assumptions, said because they cannot be tested on the log:
//   A1  Within a slice (model, size of the prompt) and without congestion, which backend was chosen
//       has nothing to do with how long the request would have taken anywhere: as good as random.
//   A2  Without congestion a request does not change the first byte of another one.
// Where the strategy of the log was chance or turn about, A1 holds by itself and propensities are
// exact: one of n.
//
//   O1  The state grows with slices and backends, never with decisions.
//   O2  The estimate does not depend on the order of the decisions beyond rounding.

import { compareNumbers, compareText } from '../../base/compare.ts';

/** One decision of the log that has an outcome and met no congestion. */
export type SliceSample = {
  readonly model: string;
  readonly promptTokens: number;
  /** Backend ids. */
  readonly logged: string;
  /** Undefined where the candidate would have refused, or cannot be known. */
  readonly candidate: string | undefined;
  /** Number of candidates where the log chose by chance or turn about; 0 where it chose by score. */
  readonly choices: number;
  /** Milliseconds from the head of the request to the first byte of its answer. */
  readonly firstByteMs: number;
};

/** Decisions that the log sent to one backend in one way: sums are enough (O1). */
type Cell = {
  readonly backend: string;
  readonly choices: number;
  logged: number;
  /** Those of them that the candidate sends there as well, with their first bytes. */
  met: number;
  sum: number;
  squares: number;
};

type Slice = {
  readonly model: string;
  /** Index of the bucket of prompt tokens. */
  readonly bucket: number;
  decisions: number;
  uncongested: number;
  firstByteSum: number;
  readonly cells: Map<string, Cell>;
  /** Backend -> decisions that the candidate sends there. */
  readonly wanted: Map<string, number>;
};

export type SliceEstimate = {
  readonly model: string;
  readonly tokens: string;
  readonly decisions: number;
  readonly uncongested: number;
  readonly recordedMs: number | undefined;
  readonly outcome:
    | { readonly kind: 'refused'; readonly words: string }
    | {
        readonly kind: 'estimate';
        readonly effectiveSampleSize: number;
        readonly candidateMs: number;
        readonly lowMs: number;
        readonly highMs: number;
      };
};

/** Slices at most; what comes later is counted under one name, so that memory has a bound. */
const slicesMax = 2000;
const restOfModels = 'other models';

/** A backend that gets less of a slice is one of which the log knows too little. */
export const leastPropensity = 0.01;
/** The part of a slice that the candidate may send to such backends. */
export const unseenShareMax = 0.05;
/** Below this many effective decisions an interval would promise too much. */
export const leastEffectiveSize = 100;

/** Standard deviations to either side of a 95 % interval of the normal distribution. */
const deviations95 = 1.959964;

/** Buckets grow by four: 0-255, 256-1023, 1024-4095 ... */
export function tokenBucket(promptTokens: number): number {
  let bucket = 0;
  for (let edge = 256; promptTokens >= edge; edge *= 4) bucket++;
  return bucket;
}

export function bucketWords(bucket: number): string {
  const edge = (at: number): number => 256 * 4 ** at;
  return `${bucket === 0 ? 0 : edge(bucket - 1)}-${edge(bucket) - 1}`;
}

/** 1 / propensity of the choices of one cell, given its slice. */
function weightOf(cell: Cell, scored: number): number {
  return cell.choices > 0 ? cell.choices : scored / cell.logged;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** The backends that the candidate wants and the log hardly knows, in words; undefined: none. */
function withoutOverlap(slice: Slice): string | undefined {
  const loggedTo = new Map<string, number>();
  for (const cell of slice.cells.values()) {
    loggedTo.set(cell.backend, (loggedTo.get(cell.backend) ?? 0) + cell.logged);
  }
  const unseen = [...slice.wanted]
    .filter(([backend]) => (loggedTo.get(backend) ?? 0) / slice.uncongested < leastPropensity)
    .sort(([a], [b]) => compareText(a, b));
  const share = unseen.reduce((sum, [, count]) => sum + count, 0) / slice.uncongested;
  if (share <= unseenShareMax) return undefined;
  const names = unseen.map(([backend]) => backend).join(', ');
  return `no overlap: the candidate sends ${percent(share)} of this slice to ${names}, which got under ${percent(leastPropensity)} of it`;
}

function estimateOf(slice: Slice): SliceEstimate['outcome'] {
  if (slice.uncongested === 0) {
    return {
      kind: 'refused',
      words: 'every decision of this slice met congestion or has no outcome',
    };
  }
  const words = withoutOverlap(slice);
  if (words !== undefined) return { kind: 'refused', words };
  const cells = [...slice.cells.values()].filter((cell) => cell.met > 0);
  const scored = [...slice.cells.values()]
    .filter((cell) => cell.choices === 0)
    .reduce((sum, cell) => sum + cell.logged, 0);
  let weights = 0;
  let weightSquares = 0;
  let weighted = 0;
  for (const cell of cells) {
    const weight = weightOf(cell, scored);
    weights += weight * cell.met;
    weightSquares += weight * weight * cell.met;
    weighted += weight * cell.sum;
  }
  const effective = weightSquares === 0 ? 0 : (weights * weights) / weightSquares;
  if (effective < leastEffectiveSize) {
    const met = `effective sample size ${effective.toFixed(1)} of ${slice.uncongested} decisions`;
    return { kind: 'refused', words: `${met}, needs ${leastEffectiveSize}` };
  }
  const mean = weighted / weights;
  let spread = 0;
  for (const cell of cells) {
    const weight = weightOf(cell, scored);
    // Sum of (y - mean)^2 over the cell, from its sums; rounding may leave it a hair below zero.
    const around = cell.squares - 2 * mean * cell.sum + mean * mean * cell.met;
    spread += weight * weight * Math.max(0, around);
  }
  // Delta method for the ratio of two sums.
  const half = (deviations95 * Math.sqrt(spread)) / weights;
  return {
    kind: 'estimate',
    effectiveSampleSize: effective,
    candidateMs: mean,
    lowMs: mean - half,
    highMs: mean + half,
  };
}

export class OffPolicyEstimate {
  readonly #slices = new Map<string, Slice>();

  /** A decision that cannot take part: congested, without an outcome, or failed over. */
  leaveOut(model: string, promptTokens: number): void {
    this.#sliceOf(model, promptTokens).decisions++;
  }

  add(sample: SliceSample): void {
    const slice = this.#sliceOf(sample.model, sample.promptTokens);
    slice.decisions++;
    slice.uncongested++;
    slice.firstByteSum += sample.firstByteMs;
    const { candidate } = sample;
    if (candidate !== undefined) {
      slice.wanted.set(candidate, (slice.wanted.get(candidate) ?? 0) + 1);
    }
    const cell = cellOf(slice, sample.logged, sample.choices);
    cell.logged++;
    if (candidate !== sample.logged) return;
    cell.met++;
    cell.sum += sample.firstByteMs;
    cell.squares += sample.firstByteMs ** 2;
  }

  /** By model, then by size of the prompt. */
  slices(): readonly SliceEstimate[] {
    return [...this.#slices.values()]
      .sort((a, b) => compareText(a.model, b.model) || compareNumbers(a.bucket, b.bucket))
      .map((slice) => ({
        model: slice.model,
        tokens: bucketWords(slice.bucket),
        decisions: slice.decisions,
        uncongested: slice.uncongested,
        recordedMs: slice.uncongested === 0 ? undefined : slice.firstByteSum / slice.uncongested,
        outcome: estimateOf(slice),
      }));
  }

  #sliceOf(wantedModel: string, promptTokens: number): Slice {
    const bucket = tokenBucket(promptTokens);
    const known = this.#slices.get(`${bucket} ${wantedModel}`);
    if (known !== undefined) return known;
    const model = this.#slices.size < slicesMax ? wantedModel : restOfModels;
    const key = `${bucket} ${model}`;
    let slice = this.#slices.get(key);
    if (slice === undefined) {
      const none = { decisions: 0, uncongested: 0, firstByteSum: 0 };
      slice = { model, bucket, ...none, cells: new Map(), wanted: new Map() };
      this.#slices.set(key, slice);
    }
    return slice;
  }
}

function cellOf(slice: Slice, backend: string, choices: number): Cell {
  const key = `${choices} ${backend}`;
  let cell = slice.cells.get(key);
  if (cell === undefined) {
    cell = { backend, choices, logged: 0, met: 0, sum: 0, squares: 0 };
    slice.cells.set(key, cell);
  }
  return cell;
}
