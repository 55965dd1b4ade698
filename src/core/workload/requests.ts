// A workload: when requests arrive and how long they are. Fitted to the Azure conversation trace
// (azure-conversation.ts), drawn from a seed: the same seed and options give the same requests on
// any machine.
//
// Arrivals are a renewal process with the gaps of the trace (coefficient of variation 1.083, so
// nearly Poisson). A burst shape bends time: gaps are drawn in a clock in which the rate is even,
// and that clock runs fast during bursts and slow between them, so the mean rate stays as asked.

import { assert } from '../../base/assert.ts';
import { seededRandom } from '../../base/random.ts';
import { azureArrivalGaps, azureOutputTokens, azurePromptTokens } from './azure-conversation.ts';
import { meanOf, quantileAt } from './quantile-table.ts';

export type WorkloadRequest = {
  /** Whole milliseconds from the start. */
  readonly atMs: number;
  readonly promptTokens: number;
  /** At least 1. */
  readonly outputTokens: number;
  readonly stream: boolean;
};

export type BurstShape = {
  /** The rate in a burst over the mean rate, from 1 to 1 / share. */
  readonly factor: number;
  /** The part of the time that is burst, above 0 and below 1. */
  readonly share: number;
  /** From the middle of one burst to the middle of the next, seconds. */
  readonly periodS: number;
};

export type WorkloadOptions = {
  /** Mean arrivals a second, above 0. */
  readonly ratePerSecond: number;
  /** No request arrives at or after this, seconds. */
  readonly durationS: number;
  /** Undefined: an even rate. */
  readonly burst?: BurstShape | undefined;
  /** The part of the requests that stream; the trace does not tell it. Default 0.8. */
  readonly streamShare?: number | undefined;
};

/** Three times the mean rate for two seconds in every ten. */
export const usualBurst: BurstShape = { factor: 3, share: 0.2, periodS: 10 };

/** Part of the requests that stream, where nothing tells. An assumption: chats mostly do. */
export const streamShareDefault = 0.8;

const requestsMax = 10_000_000;

/** Requests in order of arrival. */
export function requests(seed: number, options: WorkloadOptions): WorkloadRequest[] {
  const { ratePerSecond, durationS, burst } = options;
  assert(ratePerSecond > 0, `rate ${ratePerSecond}`);
  assert(ratePerSecond * durationS < requestsMax, `${ratePerSecond}/s for ${durationS} s`);
  const random = seededRandom(seed);
  const meanGap = meanOf(azureArrivalGaps);
  const streamShare = options.streamShare ?? streamShareDefault;
  const drawn: WorkloadRequest[] = [];
  let evenS = 0;
  for (;;) {
    evenS += quantileAt(azureArrivalGaps, random.nextUnit()) / meanGap / ratePerSecond;
    const atS = burst === undefined ? evenS : bentTime(evenS, burst);
    if (atS >= durationS) return drawn;
    drawn.push({
      atMs: Math.floor(atS * 1000),
      promptTokens: Math.round(quantileAt(azurePromptTokens, random.nextUnit())),
      outputTokens: Math.max(1, Math.round(quantileAt(azureOutputTokens, random.nextUnit()))),
      stream: random.nextUnit() < streamShare,
    });
  }
}

/** Real seconds at which the even clock shows `evenS`. Each period is quiet, burst, quiet. */
function bentTime(evenS: number, burst: BurstShape): number {
  const { factor, share, periodS } = burst;
  assert(share > 0 && share < 1, `burst share ${share}`);
  assert(factor >= 1 && factor * share <= 1, `burst factor ${factor} with share ${share}`);
  const period = Math.floor(evenS / periodS);
  const within = evenS - period * periodS;
  const quietRate = (1 - factor * share) / (1 - share);
  const quietS = (periodS * (1 - share)) / 2;
  const burstS = periodS * share;
  const beforeBurst = quietS * quietRate;
  const inBurst = within - beforeBurst;
  const afterBurst = inBurst - burstS * factor;
  let bent: number;
  if (inBurst < 0) bent = within / quietRate;
  else if (afterBurst < 0) bent = quietS + inBurst / factor;
  else bent = quietS + burstS + (quietRate === 0 ? 0 : afterBurst / quietRate);
  return period * periodS + bent;
}
