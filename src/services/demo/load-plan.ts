// Which requests the demo sends, and when. The shape is the workload's own; lengths are scaled so
// that three simulated engines on a small machine are busy without being drowned, and so that the
// last answer is there a few seconds after the last arrival. What was changed is counted and told.

import {
  type BurstShape,
  requests,
  usualBurst,
  type WorkloadRequest,
} from '../../core/workload/requests.ts';
import { readTrace } from './trace-files.ts';

export type PlannedRequest = WorkloadRequest & {
  /** Position in the plan, from 0; requests that the kill adds go on counting. */
  readonly index: number;
};

export type Scaling = {
  /** Output lengths are multiplied by this. */
  readonly outputFactor: number;
  /** Tokens; longer outputs end here. */
  readonly outputTokensMax: number;
  /** Tokens; longer prompts end here. */
  readonly promptTokensMax: number;
};

export type LoadPlan = {
  /** A few words: where the load comes from. */
  readonly source: string;
  readonly requests: readonly PlannedRequest[];
  /** From the first arrival to the last, seconds. */
  readonly spanS: number;
  readonly scaling: Scaling;
  readonly promptsShortened: number;
  readonly outputsShortened: number;
  /** Of the generated load; undefined for a trace. */
  readonly burst: BurstShape | undefined;
};

export const usualScaling: Scaling = {
  outputFactor: 0.5,
  outputTokensMax: 256,
  promptTokensMax: 8192,
};

/** Mean arrivals a second of the generated load: about twice the trace it is fitted to. */
export const generatedRatePerSecond = 12;

/** A load that is shorter than two periods of the usual burst gets its own bursts, two of them. */
export function burstFor(seconds: number): BurstShape {
  return { ...usualBurst, periodS: Math.min(usualBurst.periodS, seconds / 2) };
}

export function planOf(
  source: string,
  workload: readonly WorkloadRequest[],
  scaling: Scaling,
  burst?: BurstShape,
): LoadPlan {
  let promptsShortened = 0;
  let outputsShortened = 0;
  const planned = workload.map((request, index): PlannedRequest => {
    const outputTokens = Math.max(1, Math.round(request.outputTokens * scaling.outputFactor));
    if (request.promptTokens > scaling.promptTokensMax) promptsShortened++;
    if (outputTokens > scaling.outputTokensMax) outputsShortened++;
    return {
      ...request,
      index,
      promptTokens: Math.min(request.promptTokens, scaling.promptTokensMax),
      outputTokens: Math.min(outputTokens, scaling.outputTokensMax),
    };
  });
  const spanS = (planned.at(-1)?.atMs ?? 0) / 1000;
  return {
    source,
    requests: planned,
    spanS,
    scaling,
    promptsShortened,
    outputsShortened,
    burst,
  };
}

export function generatedPlan(seed: number, seconds: number): LoadPlan {
  const burst = burstFor(seconds);
  const options = { ratePerSecond: generatedRatePerSecond, durationS: seconds, burst };
  const source = 'generated load after Azure conversations';
  return planOf(source, requests(seed, options), usualScaling, burst);
}

/** The arrivals of a trace at speed 1: the first `seconds`, or all when that is undefined. */
export async function tracePlan(
  file: string,
  seed: number,
  seconds: number | undefined,
): Promise<LoadPlan> {
  const workload: WorkloadRequest[] = [];
  for await (const request of readTrace(file, { seed })) {
    if (seconds !== undefined && request.atMs >= seconds * 1000) break;
    workload.push(request);
  }
  return planOf(file, workload, usualScaling);
}
