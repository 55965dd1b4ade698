// How many lines of OpenAI batches run at once. They are there to use what interactive requests leave
// over, so the number grows while those feel nothing and falls as soon as they do: slow start, additive
// growth, multiplicative decrease, as in the congestion control of networks.
//
//   what is read                              what becomes of the limit
//   the serving mode admits no batch work     0, and 1 when it does again
//   an interactive request waits              half, and nothing starts before a rest is over
//   interactive first tokens come later       half, then a rest; 0 when it was 1
//   lines were turned away for want of room   what the backends did take, then a rest
//   first tokens where they were              twice as many up to half of where they moved last, then one
//                                             more, if all of it was used
//   no interactive request for some time      twice as many, if all of it was used
//
// Whether first tokens come later is judged against what they are with at most one line under way. So
// without interactive traffic nothing is known; the first of it is met by going down to one line, where
// it is learned. A slow change that has nothing to do with batches (longer prompts) costs one trip down
// to the bottom, where it is learned as well.
//
//   L1  0 <= limit <= limitMax, whatever is read.
//   L2  the limit grows only when all of it is used, no rest is on and nothing interactive was touched.
//   L3  a reading with pressure never leaves a larger limit than it met.
//   L4  without pressure, with all of the limit used, limitMax is reached.

import { assert } from '../../base/assert.ts';

/** First tokens of interactive streams within some time. */
export type FirstTokens = {
  /** At least 1. */
  readonly count: number;
  /** Three of four came within so many ms. */
  readonly p75Ms: number;
};

export type LaneReading = {
  readonly nowMs: number;
  /** Lines under way. */
  readonly inFlight: number;
  /** Lines that came back since the last reading because nobody had room for them. */
  readonly turnedAway: number;
  /** Interactive requests that wait for a backend now. */
  readonly waiting: number;
  /** Undefined while there are too few of them for a judgement. */
  readonly firstTokens: FirstTokens | undefined;
  /** Was there any interactive stream lately? */
  readonly isShared: boolean;
  /** Does the serving mode admit batch work? */
  readonly isOpen: boolean;
};

/** Why the limit is what it is, for whoever asks. */
export type LaneReason =
  | 'starting'
  | 'filling'
  | 'full'
  | 'serving_mode'
  | 'interactive_waits'
  | 'first_tokens'
  | 'no_room';

export type LaneState = {
  /** Lines that may be under way. */
  readonly limit: number;
  readonly reason: LaneReason;
  /** What first tokens take without batches, ms; undefined until it was seen. */
  readonly ownMs: number | undefined;
  /** Nothing grows before. */
  readonly restUntilMs: number;
  /** Up to here it doubles beside interactive streams. */
  readonly doubleUpTo: number;
};

/** What was done shows in first tokens only after those of requests that were under way then. */
const restMs = 2000;
/** First tokens are later when they take this much of their own time, and so many ms, longer. */
const toleratedShare = 0.25;
const toleratedMs = 10;
/** Weight of a new reading in what first tokens take on their own. */
const learning = 0.3;

export function firstLane(): LaneState {
  const doubleUpTo = Number.MAX_SAFE_INTEGER;
  return { limit: 1, reason: 'starting', ownMs: undefined, restUntilMs: 0, doubleUpTo };
}

/** May another line start while `inFlight` are under way? */
export function mayStartLine(lane: LaneState, inFlight: number): boolean {
  return inFlight < lane.limit;
}

/** `limitMax`: lines that may ever be under way at once, at least 1. */
export function stepLane(lane: LaneState, reading: LaneReading, limitMax: number): LaneState {
  assert(limitMax >= 1, 'a lane takes at least one line');
  if (!reading.isOpen) return { ...lane, limit: 0, reason: 'serving_mode' };
  const learned = { ...lane, ownMs: learnedMs(lane, reading) };
  // Who waits is seen at once, so it counts each time; first tokens show a step only after a rest.
  if (reading.waiting > 0) return halved(learned, reading.nowMs, 'interactive_waits');
  if (mustLearn(lane, reading)) {
    return { ...learned, limit: 1, reason: 'first_tokens', restUntilMs: reading.nowMs + restMs };
  }
  if (areLater(lane, reading)) return halved(learned, reading.nowMs, 'first_tokens');
  if (reading.turnedAway > 0) {
    const limit = Math.min(lane.limit, Math.max(1, reading.inFlight));
    return { ...learned, limit, reason: 'no_room', restUntilMs: reading.nowMs + restMs };
  }
  return grown(learned, reading, limitMax);
}

/** What first tokens take with hardly a batch beside them; the least that was seen beside more. */
function learnedMs({ ownMs }: LaneState, reading: LaneReading): number | undefined {
  const seen = reading.firstTokens?.p75Ms;
  if (seen === undefined) return ownMs;
  if (reading.inFlight > 1) return ownMs === undefined ? undefined : Math.min(ownMs, seen);
  return ownMs === undefined ? seen : ownMs + learning * (seen - ownMs);
}

/** Streams came while many lines run, and nobody knows what their first tokens took before. */
function mustLearn({ ownMs, limit }: LaneState, { isShared, inFlight }: LaneReading): boolean {
  return ownMs === undefined && isShared && inFlight > 1 && limit > 1;
}

function areLater(lane: LaneState, { firstTokens, inFlight, nowMs }: LaneReading): boolean {
  const { ownMs, restUntilMs } = lane;
  // What comes late with no line under way does not come late because of one.
  if (firstTokens === undefined || inFlight === 0 || ownMs === undefined) return false;
  if (nowMs < restUntilMs) return false;
  return firstTokens.p75Ms > ownMs * (1 + toleratedShare) + toleratedMs;
}

function halved(lane: LaneState, nowMs: number, reason: LaneReason): LaneState {
  const limit = Math.floor(lane.limit / 2);
  return { ...lane, limit, reason, restUntilMs: nowMs + restMs, doubleUpTo: limit };
}

function grown(lane: LaneState, reading: LaneReading, limitMax: number): LaneState {
  const capped = Math.min(lane.limit, limitMax);
  // More than that are those that are still to end since it fell.
  const isUsed = reading.inFlight === capped;
  if (reading.nowMs < lane.restUntilMs || !isUsed) return { ...lane, limit: capped };
  // Some requests came, and too few to say how they fare: no step without having seen.
  if (reading.isShared && reading.firstTokens === undefined && capped > 0) {
    return { ...lane, limit: capped };
  }
  const mayDouble = !reading.isShared || capped * 2 <= lane.doubleUpTo;
  const wanted = capped === 0 || !mayDouble ? capped + 1 : capped * 2;
  const limit = Math.min(wanted, limitMax);
  return { ...lane, limit, reason: limit === limitMax ? 'full' : 'filling' };
}
