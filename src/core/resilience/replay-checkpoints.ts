// Replay checkpoints: how far each stream has been applied, so that a restart replays only the rest.
// Not to be confused with training checkpoints (core/checkpoints), which are states of a model.
//
// Keep rule (RD7): none. One record per id, and the newest *record* replaces the one before, whatever
// its sequence: after a rollback the lower one is the truth.
//
//   I1  At most one checkpoint per id.
//   I2  Sequence and timestamp of every stored checkpoint are safe integers.

import { assert } from '../../base/assert.ts';
import { type Fault, invalid } from '../../base/fault.ts';
import { isCount } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';

export type ReplayCheckpoint = {
  /** The stream. */
  readonly id: string;
  /** The last sequence that has been applied. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
};

/** current - last >= interval, in one unit; the difference saturates at 0. True means "due". */
export function checkpointDue(current: number, last: number, interval: number): boolean {
  return Math.max(0, current - last) >= interval;
}

export class ReplayCheckpoints {
  readonly #byId = new Map<string, ReplayCheckpoint>();
  readonly #interval: number;

  /** `interval` is a whole number of sequences (or steps), 0 or more; with 0 one is always due. */
  constructor(interval: number) {
    assert(isCount(interval), `checkpoint interval ${interval}`);
    this.#interval = interval;
  }

  /** How many ids have one. */
  get count(): number {
    return this.#byId.size;
  }

  /** Writes or replaces the checkpoint of its id. */
  record(
    checkpoint: ReplayCheckpoint,
  ): Result<ReplayCheckpoint, Fault<'invalid_replay_checkpoint'>> {
    const violations = (['sequence', 'timestamp'] as const)
      .filter((field) => !Number.isSafeInteger(checkpoint[field]))
      .map((field) => ({ field, value: checkpoint[field], bound: 'a safe integer' }));
    if (violations.length > 0) {
      const subject = `replay checkpoint ${checkpoint.id}`;
      return err(invalid('invalid_replay_checkpoint', subject, violations));
    }
    const { id, sequence, timestamp } = checkpoint;
    const kept = Object.freeze({ id, sequence, timestamp });
    this.#byId.set(id, kept);
    return ok(kept);
  }

  get(id: string): ReplayCheckpoint | undefined {
    return this.#byId.get(id);
  }

  /** Is the next one due? See {@link checkpointDue}. */
  shouldCheckpoint(current: number, last: number): boolean {
    return checkpointDue(current, last, this.#interval);
  }

  /** Forgets all. */
  reset(): void {
    this.#byId.clear();
  }
}
