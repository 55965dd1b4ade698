// A broken rule between options.

export type CrossFault = {
  readonly path: string;
  readonly value: string;
  readonly expected: string;
  /** Other options the rule reads; if one is broken by itself, the rule is not asked. */
  readonly depends: readonly string[];
  /** Where the file holds it, when that is not simply the path. */
  readonly steps?: readonly (string | number)[];
};
