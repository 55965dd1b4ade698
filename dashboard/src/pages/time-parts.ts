// The time of one request in parts that add up to its total: what TensorForge added, the wait for the
// first byte, and the rest of the answer.

import type { DecisionWire } from '../api/wire.ts';

export type TimePart = {
  readonly name: string;
  readonly startMs: number;
  readonly ms: number;
  readonly token: string;
};

type Times = Pick<DecisionWire, 'total_ms' | 'first_byte_ms' | 'overhead_ms'>;

/** Clocks are read at different places, so each part is held inside the total. */
export function timeParts({ total_ms, first_byte_ms, overhead_ms }: Times): readonly TimePart[] {
  const total = Math.max(0, total_ms);
  const overhead = Math.min(Math.max(0, overhead_ms), total);
  const first = Math.min(Math.max(overhead, first_byte_ms ?? total), total);
  const parts: TimePart[] = [
    { name: 'TensorForge', startMs: 0, ms: overhead, token: '--s2' },
    {
      name: first_byte_ms === null ? 'until the end, no byte came' : 'wait for the first byte',
      startMs: overhead,
      ms: first - overhead,
      token: '--s1',
    },
  ];
  if (first_byte_ms !== null) {
    parts.push({ name: 'rest of the answer', startMs: first, ms: total - first, token: '--ok' });
  }
  return parts;
}
