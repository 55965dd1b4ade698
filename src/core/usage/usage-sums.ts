// What requests used, summed by hour, key, group, model and backend. Sums of whole numbers: whatever
// the order of the requests and however threads share them, the same rows come out.
//
//   U1  The sum over all rows is the sum over all requests that were added.
//   U2  There are at most `rowsMax` rows; what would need one more goes to the row `other` of its key
//       and hour, or of no key at all, so that nothing is lost, only less finely told.

/** Where a request belongs. Empty texts: no backend was asked, or the model is one that nobody lists. */
export type UsageCell = {
  /** Whole hours since 1970 UTC. */
  readonly hour: number;
  readonly keyId: string;
  readonly groupName: string;
  readonly model: string;
  readonly backendId: string;
};

export type UsageFigures = {
  requests: number;
  succeeded: number;
  /** Answered 4xx, ours or the backend's. */
  refused: number;
  /** Answered 5xx, or cut after the answer had begun. */
  failed: number;
  /** The client left first. */
  aborted: number;
  /** Requests of a backend with a price; the cost is theirs. */
  priced: number;
  /** Requests of a backend without one. What no backend worked on is neither. */
  unpriced: number;
  promptTokens: number;
  completionTokens: number;
  /** Of the prompt tokens, those that came from a cache. */
  cachedTokens: number;
  costMicroUsd: number;
  /** Milliseconds that backends worked. */
  backendMs: number;
};

export type UsageRow = UsageCell & Readonly<UsageFigures>;

export const figureNames = [
  'requests',
  'succeeded',
  'refused',
  'failed',
  'aborted',
  'priced',
  'unpriced',
  'promptTokens',
  'completionTokens',
  'cachedTokens',
  'costMicroUsd',
  'backendMs',
] as const satisfies readonly (keyof UsageFigures)[];

export function noFigures(): UsageFigures {
  return {
    requests: 0,
    succeeded: 0,
    refused: 0,
    failed: 0,
    aborted: 0,
    priced: 0,
    unpriced: 0,
    promptTokens: 0,
    completionTokens: 0,
    cachedTokens: 0,
    costMicroUsd: 0,
    backendMs: 0,
  };
}

export function addFigures(to: UsageFigures, more: Readonly<UsageFigures>): void {
  for (const name of figureNames) to[name] += more[name];
}

/** In which figure a request with this answer counts. 499 is ours alone: the client left. */
export function outcomeOf(status: number): 'succeeded' | 'refused' | 'failed' | 'aborted' {
  if (status < 400) return 'succeeded';
  if (status === 499) return 'aborted';
  return status < 500 ? 'refused' : 'failed';
}

/** The row of what is told less finely. */
export const otherName = 'other';

function keyOf({ hour, keyId, groupName, model, backendId }: UsageCell): string {
  return JSON.stringify([hour, keyId, groupName, model, backendId]);
}

export class UsageSums {
  readonly #rowsMax: number;
  #rows = new Map<string, UsageCell & UsageFigures>();

  /** `rowsMax`: at least 1. Rows named `other` may come on top, one for each key or one for all. */
  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
  }

  get size(): number {
    return this.#rows.size;
  }

  add(row: UsageRow): void {
    addFigures(this.#rowOf(row), row);
  }

  #rowOf(cell: UsageCell): UsageFigures {
    const known = this.#rows.get(keyOf(cell));
    if (known !== undefined) return known;
    if (this.#rows.size < this.#rowsMax || cell.keyId === otherName) return this.#open(cell);
    const ofKey = { ...cell, model: otherName, backendId: otherName };
    if (this.#rows.size < 2 * this.#rowsMax) return this.#found(ofKey);
    return this.#found({ ...ofKey, keyId: otherName, groupName: otherName });
  }

  #found(cell: UsageCell): UsageFigures {
    return this.#rows.get(keyOf(cell)) ?? this.#open(cell);
  }

  #open({ hour, keyId, groupName, model, backendId }: UsageCell): UsageFigures {
    const cell = { hour, keyId, groupName, model, backendId };
    const row = { ...cell, ...noFigures() };
    this.#rows.set(keyOf(cell), row);
    return row;
  }

  /** Takes all rows; none stay. */
  drain(): UsageRow[] {
    const rows = [...this.#rows.values()];
    this.#rows = new Map();
    return rows;
  }
}
