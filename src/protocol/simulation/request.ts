// What `tensorforge simulate` is asked for.

export type SimulateRequest = {
  /** Absolute, as all paths here. */
  readonly fleet: string;
  /** A file, or a folder with a decision log. */
  readonly trace: string;
  /** Candidate files; the word `defaults` is the product's own policy. Empty: that alone. */
  readonly policies: readonly string[];
  /** File to write the plot to. */
  readonly plot: string | undefined;
  /** Above 0; 2 halves every gap. */
  readonly speed: number;
  /** Requests over those of the trace; 1.1 is 110 % load. */
  readonly rateScale: number;
  /** First rows of the trace. */
  readonly limit: number | undefined;
  /** Played but not counted, seconds. */
  readonly warmUpSeconds: number;
  /** Asked for by every request, whatever the trace says. */
  readonly model: string | undefined;
  readonly seed: number;
};
