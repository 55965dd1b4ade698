// Verification of the audit trail piece by piece: a state that takes the events of one stream, and
// another that takes the seals, page after page in their order. Neither keeps what it has seen, so a
// trail of any length is verified in constant memory.
//
// A fault is a place: which stream or table, which sequence, what should be there and what is. Of each
// stream, and of the seals, the first bad place is told; what follows it is bad for the same reason.
//
// Time is judged apart. The order of the trail is its sequence, and a clock that was set back leaves
// it whole; but who reads the trail by time must know (SO4: a reversal stops exports).

import { toRfc3339 } from '../../base/time.ts';
import {
  type ChainFault,
  type ControlEvent,
  type DigestText,
  findChainFault,
  genesisHash,
  hashInput,
  type StreamHead,
} from './control-event.ts';
import { type SealedDigest, sealInput } from './sealed-digest.ts';

export type TrailFault = {
  readonly where: 'events' | 'digests';
  /** The stream; the table or file of the seals. */
  readonly name: string;
  readonly sequence: number;
  readonly reason: string;
  readonly expected: string;
  readonly found: string;
};

export const sealTable = 'event_digests';
export const timeReversed = 'time_reversed';

/**
 * Longest that an event may be dated before one that stands before it. Observations act first and are
 * written once the database answers, so a little disorder is no clock that was set back.
 */
const lateMsMax = 60_000;

export type StreamCheck = {
  readonly stream: string;
  /** The last event that was taken. */
  readonly head: StreamHead;
  readonly events: number;
  /** The latest date so far, Unix ms. */
  readonly newestAt: number;
  readonly fault: TrailFault | undefined;
  readonly reversal: TrailFault | undefined;
};

/** The check of a stream after `start`, which is trusted; sequence 0 begins at genesis. */
export function startOfStream(stream: string, start: StreamHead): StreamCheck {
  const head = start.sequence === 0 ? { sequence: 0, hash: genesisHash } : start;
  const newestAt = Number.NEGATIVE_INFINITY;
  return { stream, head, events: 0, newestAt, fault: undefined, reversal: undefined };
}

function describeChainFault(
  { stream, head }: StreamCheck,
  events: readonly ControlEvent[],
  { sequence, reason }: ChainFault,
  digest: DigestText,
): TrailFault {
  const index = sequence - head.sequence - 1;
  const event = events[index];
  const place = { where: 'events', name: stream, sequence, reason } as const;
  if (event === undefined || reason === 'gap') {
    const found = `sequence ${event?.sequence}`;
    return { ...place, expected: `sequence ${sequence}`, found };
  }
  if (reason === 'wrong_hash') {
    return { ...place, expected: digest(hashInput(event.prevHash, event)), found: event.hash };
  }
  return { ...place, expected: events[index - 1]?.hash ?? head.hash, found: event.prevHash };
}

function findReversal(check: StreamCheck, event: ControlEvent): TrailFault | undefined {
  if (event.occurredAt >= check.newestAt - lateMsMax) return undefined;
  return {
    where: 'events',
    name: check.stream,
    sequence: event.sequence,
    reason: timeReversed,
    expected: `${new Date(check.newestAt).toISOString()} or later`,
    found: toRfc3339(event.occurredAt),
  };
}

/** The check with the next events of its stream taken; after a fault it takes none. */
export function takeEvents(
  check: StreamCheck,
  events: readonly ControlEvent[],
  digest: DigestText,
): StreamCheck {
  if (check.fault !== undefined) return check;
  const broken = findChainFault(check.head, events, digest);
  const fault =
    broken === undefined ? undefined : describeChainFault(check, events, broken, digest);
  let { newestAt, reversal } = check;
  for (const event of events) {
    reversal ??= findReversal({ ...check, newestAt }, event);
    newestAt = Math.max(newestAt, event.occurredAt);
  }
  const { sequence, hash } = events.at(-1) ?? check.head;
  const head = { sequence, hash };
  return { ...check, head, events: check.events + events.length, newestAt, fault, reversal };
}

export type HeadRow = StreamHead & {
  /** The highest sequence of the stream's events, 0 without any. */
  readonly lastSequence: number;
};

/** Why a stream whose events were all taken does not end where its head says; undefined if it does. */
export function endFault(check: StreamCheck, row: HeadRow): TrailFault | undefined {
  if (check.fault !== undefined) return check.fault;
  const { stream: name, head } = check;
  const place = { where: 'events', name } as const;
  if (head.sequence < row.sequence) {
    return {
      ...place,
      sequence: head.sequence + 1,
      reason: 'tail_cut',
      expected: `sequence ${row.sequence} with the hash ${row.hash}`,
      found: `nothing after ${head.sequence}`,
    };
  }
  if (row.lastSequence > row.sequence) {
    return {
      ...place,
      sequence: row.sequence + 1,
      reason: 'beyond_head',
      expected: `nothing after ${row.sequence}`,
      found: `events to ${row.lastSequence}`,
    };
  }
  if (row.sequence === 0 || head.hash === row.hash) return undefined;
  return {
    ...place,
    sequence: row.sequence,
    reason: 'head_differs',
    expected: head.hash,
    found: row.hash,
  };
}

/** Why a seal does not follow the one before (S1 to S3); undefined if it does. */
export function sealFault(
  last: { readonly sequence: number; readonly digest: string },
  seal: SealedDigest,
  digest: DigestText,
): TrailFault | undefined {
  const sequence = last.sequence + 1;
  const place = { where: 'digests', name: sealTable, sequence } as const;
  if (seal.sequence !== sequence) {
    const words = { expected: `sequence ${sequence}`, found: `sequence ${seal.sequence}` };
    return { ...place, reason: 'gap', ...words };
  }
  if (seal.prevDigest !== last.digest) {
    const words = { expected: last.digest, found: seal.prevDigest };
    return { ...place, reason: 'wrong_prev_digest', ...words };
  }
  const expected = digest(sealInput(seal));
  if (seal.digest === expected) return undefined;
  return { ...place, reason: 'wrong_digest', expected, found: seal.digest };
}

/** Why a seal is dated too long before the one before; undefined if it is not. */
export function sealReversal(
  last: SealedDigest | undefined,
  seal: SealedDigest,
): TrailFault | undefined {
  if (last === undefined || seal.sealedAt >= last.sealedAt - lateMsMax) return undefined;
  return {
    where: 'digests',
    name: sealTable,
    sequence: seal.sequence,
    reason: timeReversed,
    expected: `${toRfc3339(last.sealedAt)} or later`,
    found: toRfc3339(seal.sealedAt),
  };
}

/**
 * Why a sealed head is not what the stream holds at that place: `hash` of the event there, undefined
 * where there is none, `lastSequence` of the stream. Undefined if it is.
 */
export function sealedHeadFault(
  head: { readonly stream: string; readonly sequence: number; readonly hash: string },
  hash: string | undefined,
  lastSequence: number,
): TrailFault | undefined {
  if (hash === head.hash) return undefined;
  const isCut = hash === undefined && lastSequence < head.sequence;
  return {
    where: 'events',
    name: head.stream,
    sequence: isCut ? lastSequence + 1 : head.sequence,
    reason: isCut ? 'tail_cut' : 'sealed_differently',
    expected: isCut ? `sequence ${head.sequence} with the hash ${head.hash}` : head.hash,
    found: hash ?? (isCut ? `nothing after ${lastSequence}` : 'no event'),
  };
}
