// The same trace at another load. Two ways, because they ask different questions:
//
//  speed  plays the clock faster: every gap is divided; bursts are sharper and the trace shorter.
//  rate   keeps the clock: requests are left out, or further ones of the same kind are put into the
//         gap after the one they copy. Bursts, silences and length stay; "110 % load" is 1.1.
//
// Both keep the lengths, so the mix of requests is that of the trace.

import { assert } from '../../../base/assert.ts';
import { seededRandom } from '../../../base/random.ts';
import type { Arrival } from './arrivals.ts';

type LoadScale = {
  /** Above 0; 2 halves every gap. */
  readonly speed: number;
  /** Requests over those of the trace, above 0. */
  readonly rate: number;
  /** Decides which requests are left out or copied. */
  readonly seed: number;
};

/** Arrivals in order of time. The scale 1, 1 gives them back as they are. */
export function scaledArrivals(arrivals: readonly Arrival[], scale: LoadScale): readonly Arrival[] {
  const { speed, rate, seed } = scale;
  assert(speed > 0 && rate > 0, `speed ${speed}, rate ${rate}`);
  const drawn = rate === 1 ? arrivals : redrawn(arrivals, rate, seed);
  if (speed === 1) return drawn;
  return drawn.map((arrival) => ({ ...arrival, atUs: Math.floor(arrival.atUs / speed) }));
}

function redrawn(arrivals: readonly Arrival[], rate: number, seed: number): Arrival[] {
  const random = seededRandom(seed);
  const drawn: Arrival[] = [];
  for (const [index, arrival] of arrivals.entries()) {
    const copies = Math.floor(rate) + (random.nextUnit() < rate % 1 ? 1 : 0);
    const gapUs = (arrivals[index + 1]?.atUs ?? arrival.atUs) - arrival.atUs;
    const offsets = Array.from({ length: copies }, (_, copy) =>
      copy === 0 ? 0 : Math.floor(random.nextUnit() * gapUs),
    );
    offsets.sort((a, b) => a - b);
    for (const offset of offsets) drawn.push({ ...arrival, atUs: arrival.atUs + offset });
  }
  return drawn;
}
