// The smart score (specification BR 12.1), undivided: 0 to 10 000, higher is better.
// P = 100 - min(priority, 100)          negative priorities count as 0
// L = 100 - min(pending, 100)           or per cent of the capacity where that is known
// T = 100 - min(floor(latency/10), 100) 0 ms is best; a second or more is 0
// The whole numbers of the source hide differences below ~3 requests in flight, so the weighted sum
// is compared before the division by 100.

export type SmartWeights = {
  readonly priority: number;
  readonly load: number;
  readonly latency: number;
};

export type ScoreInput = {
  /** Lower is preferred. */
  readonly priority: number;
  /** Requests in flight. */
  readonly pending: number;
  /** Concurrent requests; 0 when not known. */
  readonly capacity: number;
  /** First-byte latency, ms. */
  readonly latencyMs: number;
};

export type ScoreTerms = {
  readonly priority: number;
  readonly load: number;
  readonly latency: number;
};

/** The three terms, each 0 to 100. */
export function scoreTerms(input: ScoreInput): ScoreTerms {
  const load =
    input.capacity > 0
      ? Math.min(Math.floor((input.pending * 100) / input.capacity), 100)
      : Math.min(input.pending, 100);
  return {
    priority: 100 - Math.min(Math.max(input.priority, 0), 100),
    load: 100 - load,
    latency: 100 - Math.min(Math.floor(input.latencyMs / 10), 100),
  };
}

export function smartScore(input: ScoreInput, weights: SmartWeights): number {
  const terms = scoreTerms(input);
  return (
    terms.priority * weights.priority + terms.load * weights.load + terms.latency * weights.latency
  );
}
