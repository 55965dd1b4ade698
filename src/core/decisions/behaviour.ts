// Numbered behaviour: which rules a decision was made by. Each block of the log names the number in
// force when it was written, and replay asks the decision functions to behave as of that number. So
// a log of last year replays without a divergence by the program of this year.
//
// A change of decide, judgeAdmission or stepLadder that could give another outcome, reason, stage,
// score or state for the same input is a change of behaviour. Whoever makes one:
//
//   1. adds it to `behaviours` under a name that says what is so from then on, with the next number,
//   2. gives the function a last argument `asOf = currentBehaviour` and writes the new rule as
//      `asOf >= behaviours.thatName ? ... : what it did before`,
//   3. hands `asOf` through in redecide.ts, which has it from the block,
//   4. keeps a history of the new number: see test/histories/record.test-support.ts. The test there
//      fails until there is one, and goes on replaying those of every number before.
//
// A new stage or a new need is none of this as long as what was written before cannot meet it: no
// snapshot of before closes a model (stage `lifecycle`), and every request of before is read as a chat,
// which all backends can be asked for.
//
// Words of reasons may change without a number: they are told, not compared. A change of what is
// *written* is one of the codec (record-decoder.ts) or of the snapshot document.

import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';

/** What is so from which number on. A number is never given twice, and none is left out. */
export const behaviours = {
  /** Stages, scores, ties by the shared cursor, refusals and gates as the log met them first. */
  first: 1,
  /** A beginning of a prompt that its backend is too full for has one other home before load decides. */
  twoHomes: 2,
} as const;

/** What new blocks are written under. */
export const currentBehaviour: number = Math.max(...Object.values(behaviours));

/**
 * The number itself if this program can behave as of it. `writtenBy` is the version of the program
 * that wrote the block, as the head of its segment says.
 */
export function knownBehaviour(
  behaviour: number,
  writtenBy?: string,
): Result<number, Fault<'unknown_version'>> {
  if (Number.isInteger(behaviour) && behaviour >= 1 && behaviour <= currentBehaviour) {
    return ok(behaviour);
  }
  const reader =
    writtenBy === undefined ? 'a newer TensorForge' : `TensorForge ${writtenBy} or newer`;
  const words = `the block was decided under behaviour ${behaviour}, which ${reader} knows; this program knows 1 to ${currentBehaviour}`;
  return err(fault('unknown_version', words));
}
