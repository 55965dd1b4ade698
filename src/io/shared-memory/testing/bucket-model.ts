// The token bucket as a model for the checker of histories: exact fractions of a token as integers.

import type { SharedTokenBucket } from '../shared-token-bucket.ts';
import type { Model } from './linearizability.ts';

export type BucketCall =
  | { readonly kind: 'acquire'; readonly count: number; readonly now: number }
  | { readonly kind: 'refill'; readonly now: number }
  | { readonly kind: 'available' };

export type BucketAnswer = boolean | number | undefined;

type Bucket = { readonly tokens: number; readonly mark: number };

/** `rate` and `capacity` have few fraction bits, so that doubles are exact. */
export function bucketModel(
  capacity: number,
  rate: number,
): Model<Bucket, BucketCall, BucketAnswer> {
  const refilled = ({ tokens, mark }: Bucket, now: number): Bucket => {
    if (now <= mark) return { tokens, mark };
    return { tokens: Math.min(capacity, tokens + (now - mark) * rate), mark: now };
  };
  return {
    initial: { tokens: capacity, mark: 0 },
    step(bucket, call) {
      if (call.kind === 'available') return { state: bucket, answer: bucket.tokens };
      const full = refilled(bucket, call.now);
      if (call.kind === 'refill') return { state: full, answer: undefined };
      if (full.tokens < call.count) return { state: full, answer: false };
      return { state: { ...full, tokens: full.tokens - call.count }, answer: true };
    },
    isSameAnswer: (one, other) => one === other,
    keyOf: ({ tokens, mark }) => `${tokens} ${mark}`,
  };
}

/** Calls the real bucket. */
export function callBucket(bucket: SharedTokenBucket, call: BucketCall): BucketAnswer {
  if (call.kind === 'available') return bucket.available();
  if (call.kind === 'acquire') return bucket.tryAcquireBatch(call.count, call.now);
  bucket.refill(call.now);
  return undefined;
}
