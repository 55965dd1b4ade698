// The report of `tensorforge simulate` as it is printed with `--json` and read by whoever draws it.
// The same inputs give the same bytes: nothing here depends on the clock or the machine.

type PercentilesWire = { readonly p50: number; readonly p95: number; readonly p99: number };

export type SimulatedEngineWire = {
  readonly name: string;
  readonly requests: number;
  /** Shares are 0 to 1. */
  readonly share: number;
  /** Part of the time in a step. */
  readonly busy: number;
  readonly batch_occupancy: number;
  readonly kv_mean: number;
  readonly kv_peak: number;
  readonly waiting_mean: number;
  readonly waiting_peak: number;
  readonly tokens_per_second: number;
  readonly prefix_cached: number;
};

export type SimulatedCandidateWire = {
  readonly name: string;
  readonly strategy: string;
  readonly requests: number;
  readonly answered: number;
  readonly rejected: number;
  readonly rejections: readonly { readonly code: string; readonly count: number }[];
  readonly attempts_per_request: number;
  /** Null when nothing was answered. */
  readonly ttft_ms: PercentilesWire | null;
  readonly total_ms: PercentilesWire | null;
  /** p99 over all tokens, within 0.5 %. */
  readonly inter_token_p99_ms: number | null;
  /** Over all offered requests; a rejection is a failure. */
  readonly goodput: number;
  /** Over the answered requests. */
  readonly slo_attainment: number;
  readonly requests_per_second: number;
  /** Output tokens. */
  readonly tokens_per_second: number;
  readonly span_seconds: number;
  readonly price_per_hour: number;
  readonly price_per_million_output_tokens: number | null;
  readonly backends: readonly SimulatedEngineWire[];
  readonly curve: readonly {
    readonly percent: number;
    readonly ttft_ms: number;
    readonly total_ms: number;
  }[];
  readonly mode_moves: readonly { readonly at_seconds: number; readonly to: string }[];
};

export type SimulationReport = {
  readonly simulated: true;
  readonly trace: {
    readonly file: string;
    readonly format: 'azure' | 'mooncake' | 'burstgpt' | 'decisions';
    /** Played, after `limit` and `rate_scale`. */
    readonly requests: number;
    readonly warm_up_requests: number;
    /** Rows that were out of order and were sorted. */
    readonly unsorted: number;
    /** Rows that failed at their origin and were left out. */
    readonly without_output: number;
    readonly seconds: number;
  };
  readonly fleet: {
    readonly file: string;
    readonly engines: number;
    readonly price_per_hour: number;
    readonly overhead_ms: number;
    readonly network_ms: number;
  };
  readonly slo: { readonly ttft_ms: number; readonly tpot_ms: number };
  readonly seed: number;
  readonly speed: number;
  readonly rate_scale: number;
  readonly candidates: readonly SimulatedCandidateWire[];
  /**
   * |simulated - recorded| / recorded of the p95 first byte, first candidate against the log it was
   * played from; null where the trace has no latencies.
   */
  readonly calibration_error: number | null;
  /** What a reader must know, a sentence each. */
  readonly notes: readonly string[];
};
