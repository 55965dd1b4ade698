// Sealed digests tie the streams of control events together (ruling 27): now and then the heads of
// all of them are written down in one record, whose digest also covers the digest of the record
// before. Each stream can be rewritten with all of its hashes computed anew; what a seal said of it
// can not, since the seal is signed, and noted where who can write the table cannot.
//
//   stream a   1 ── 2 ── 3 ── 4 ── 5 ...
//                        │         │
//   seals           seal 1 ──── seal 2 ...        digest 2 = H(heads, digest 1, when, 2)
//                        │         │
//   stream b   1 ── 2 ── 3 ── 4 ── 5 ...
//
// S1  Sequences of seals are 1, 2, 3, ... without a gap.
// S2  prevDigest of the first is genesisHash, of any other the digest before.
// S3  digest = H(sealInput(seal)), over every member but the digest itself.
// S4  Heads are sorted by stream; each is an event that was there when it was sealed.

import { canonicalJson } from '../../base/canonical.ts';
import { compareText } from '../../base/compare.ts';
import { type Instant, toRfc3339 } from '../../base/time.ts';
import { type DigestText, genesisHash } from './control-event.ts';

/** An event by its place, with the hash that everything before it leads to. */
export type SealedHead = {
  readonly stream: string;
  readonly sequence: number;
  readonly hash: string;
};

export type UnsealedDigest = {
  readonly sequence: number;
  readonly sealedAt: Instant;
  readonly heads: readonly SealedHead[];
  readonly prevDigest: string;
};

export type SealedDigest = UnsealedDigest & { readonly digest: string };

/** Each seal is told by one event of this stream, which is the only thing a seal itself makes new. */
export const sealStream = 'audit';

/** A seal at least so often while something happens (specification of security, 2.9). */
const sealEveryMs = 60_000;
/** ... and after so many events. */
const sealEveryEvents = 1000;

/** The text whose digest is that of the seal (S3). */
export function sealInput(seal: UnsealedDigest): string {
  return canonicalJson({
    sequence: seal.sequence,
    sealed_at: toRfc3339(seal.sealedAt),
    heads: seal.heads.map(({ stream, sequence, hash }) => ({ stream, sequence, hash })),
    prev_digest: seal.prevDigest,
  });
}

/** Events that the last seal does not cover, but for the one that tells of that seal. */
export function unsealedEvents(
  last: SealedDigest | undefined,
  heads: readonly SealedHead[],
): number {
  const sealed = new Map(last?.heads.map(({ stream, sequence }) => [stream, sequence]));
  let count = 0;
  for (const { stream, sequence } of heads) {
    const own = last !== undefined && stream === sealStream ? 1 : 0;
    count += Math.max(0, sequence - (sealed.get(stream) ?? 0) - own);
  }
  return count;
}

/**
 * Is it time for a seal? When something is new and the last seal is a minute old, 1000 events ago, or
 * dated later than `now`: a clock that was set back must not hold seals up until it catches up.
 */
export function isSealDue(
  last: SealedDigest | undefined,
  heads: readonly SealedHead[],
  now: Instant,
): boolean {
  const unsealed = unsealedEvents(last, heads);
  if (unsealed === 0) return false;
  if (last === undefined || unsealed >= sealEveryEvents) return true;
  return now < last.sealedAt || now - last.sealedAt >= sealEveryMs;
}

/** The seal after `last` over these heads. */
export function nextSeal(
  last: SealedDigest | undefined,
  heads: readonly SealedHead[],
  now: Instant,
  digest: DigestText,
): SealedDigest {
  const unsealed: UnsealedDigest = {
    sequence: (last?.sequence ?? 0) + 1,
    sealedAt: now,
    heads: [...heads].sort((a, b) => compareText(a.stream, b.stream)),
    prevDigest: last?.digest ?? genesisHash,
  };
  return { ...unsealed, digest: digest(sealInput(unsealed)) };
}
