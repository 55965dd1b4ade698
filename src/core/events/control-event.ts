// Control events: the facts about an installation, in the order they happened. Each stream is a chain:
// an event carries the hash of the one before, so that no past event can be changed, dropped or
// slipped in without every later hash telling.
//
//   genesis ──> hash 1 = H(genesis, event 1) ──> hash 2 = H(hash 1, event 2) ──> ...
//
// E1  Sequences of a stream are 1, 2, 3, ... without a gap.
// E2  prevHash of the first event is genesisHash, of any other the hash before.
// E3  hash = digest(hashInput(prevHash, event)), over every member of the event but the hashes.

import { assert } from '../../base/assert.ts';
import { canonicalJson, type Json } from '../../base/canonical.ts';
import { type Instant, toRfc3339 } from '../../base/time.ts';

export type EventData = { readonly [member: string]: Json | undefined };

/** What the writer of an event says; the rest follows from its place in the stream. */
export type NewControlEvent = {
  readonly stream: string;
  /** snake_case, past tense: `api_key_created`. */
  readonly kind: string;
  /** Version of the kind; what an old version means never changes. */
  readonly version: number;
  readonly occurredAt: Instant;
  /** `user:alice`, `key:key_...`, `manager:UUID`, `service:routing`, `system`. */
  readonly actor: string;
  /** What it happened to, in the same form: `backend:spark`. */
  readonly subject: string;
  readonly data: EventData;
};

/** A new event with its own id (a UUID, which a shell draws). */
export type IdentifiedEvent = NewControlEvent & { readonly id: string };

export type ControlEvent = IdentifiedEvent & {
  readonly sequence: number;
  readonly prevHash: string;
  readonly hash: string;
};

/** The newest event of a stream; sequence 0 is a stream without events, whatever its hash. */
export type StreamHead = { readonly sequence: number; readonly hash: string };

/** A collision-free digest of a text as lower-case hexadecimal; SHA-256 in the product. */
export type DigestText = (text: string) => string;

export const genesisHash = '0'.repeat(64);

/** An event on the wire, but for its hash: what it says, its place, and the hash `prevHash` before it. */
export function eventRecord(
  prevHash: string,
  event: IdentifiedEvent & { readonly sequence: number },
) {
  return {
    stream: event.stream,
    sequence: event.sequence,
    id: event.id,
    kind: event.kind,
    version: event.version,
    occurred_at: toRfc3339(event.occurredAt),
    actor: event.actor,
    subject: event.subject,
    data: event.data,
    prev_hash: prevHash,
  };
}

/** The text whose digest is the hash of the event after one with the hash `prevHash` (E3). */
export function hashInput(
  prevHash: string,
  event: IdentifiedEvent & { readonly sequence: number },
): string {
  return canonicalJson(eventRecord(prevHash, event));
}

/** The events with their places after `head`; all must be of that one stream. */
export function chainEvents(
  head: StreamHead,
  events: readonly IdentifiedEvent[],
  digest: DigestText,
): readonly ControlEvent[] {
  let { sequence } = head;
  let hash = sequence === 0 ? genesisHash : head.hash;
  return events.map((event) => {
    assert(event.stream === events[0]?.stream, 'a chain is made of one stream');
    const prevHash = hash;
    sequence += 1;
    hash = digest(hashInput(prevHash, { ...event, sequence }));
    return { ...event, sequence, prevHash, hash };
  });
}

export type ChainFault = {
  /** The sequence at which the chain does not hold. */
  readonly sequence: number;
  readonly reason: 'gap' | 'wrong_prev_hash' | 'wrong_hash';
};

/** The first place where events read back break E1, E2 or E3, continuing from `head`. */
export function findChainFault(
  head: StreamHead,
  events: readonly ControlEvent[],
  digest: DigestText,
): ChainFault | undefined {
  let { sequence } = head;
  let hash = sequence === 0 ? genesisHash : head.hash;
  for (const event of events) {
    sequence += 1;
    if (event.sequence !== sequence) return { sequence, reason: 'gap' };
    if (event.prevHash !== hash) return { sequence, reason: 'wrong_prev_hash' };
    hash = digest(hashInput(event.prevHash, event));
    if (event.hash !== hash) return { sequence, reason: 'wrong_hash' };
  }
  return undefined;
}
