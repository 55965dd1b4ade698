// What a checker says when something does not hold. Its name is the rule, so that a failure tells
// which promise was broken and a planted defect can be matched with who must find it.

/** Rules of specification F, and those of traffic that the world adds. */
export const checkerNames = [
  'RD1',
  'RD2',
  'RD3',
  'RD4',
  'RD5',
  'RD6',
  'RD7',
  'RD8',
  'RD9',
  'RD10',
  'RD11',
  'RP1',
  'RP2',
  'RP3',
  'RP4',
  'RP5',
  'RP6',
  'RP7',
  'SO1',
  'SO2',
  'SO3',
  'SO4',
  'SO5',
  'SO6',
  'SO7',
  'SO8',
  'SO9',
  'SO10',
  /** Never more leases on a backend than its capacity and the threads that may race. */
  'capacity',
  /** What threads leave in the queue of notices is taken: each place once, none lost or invented. */
  'queue',
  /** Every request ends exactly once. */
  'one-ending',
  /** A backend is tried at most once per request. */
  'one-attempt',
  /** No attempt follows the first byte. */
  'first-byte',
  /** Pending never negative, and conserved: leases held and pending agree. */
  'pending',
  /** What is read of the log has every sequence, and all that was acknowledged. */
  'gapless',
  /** Once faults stop, the world becomes calm. */
  'calm',
  /** Copies of the fleet are equal, and what a request decides on is no older than its thread's. */
  'copies',
  /** Nobody logs an error, no assertion fails. */
  'no-error',
  /** The seed is as hard as it should be. */
  'hardness',
] as const;
export type CheckerName = (typeof checkerNames)[number];

export class Violation extends Error {
  override readonly name = 'Violation';
  readonly checker: CheckerName;

  constructor(checker: CheckerName, words: string) {
    super(words);
    this.checker = checker;
  }
}

/** Fails the seed in the name of `checker` unless `condition` holds; words are made only then. */
export function demand(checker: CheckerName, condition: boolean, words: () => string): void {
  if (!condition) throw new Violation(checker, words());
}
