// A pipeline of stages, for instance embed, retrieve, rerank, generate: how long it takes and what it
// costs (platform specification A.11). Work is counted in tokens or GFLOP, a rate in such units per
// hour, money in the currency of the fees. NaN stays NaN.

import { ceilDivide, unbounded } from '../../base/numbers.ts';
import { sumOf } from '../statistics/sum.ts';

export type PipelineStage = {
  readonly name: string;
  /** Work units. */
  readonly work: number;
};

export type PipelinePlan = {
  /** In the order given. */
  readonly stages: readonly PipelineStage[];
  readonly totalWork: number;
  readonly estimatedHours: number;
};

/** Hours for `work` at `rate` units per hour; unbounded for a rate of 0 or less. Always finite. */
export function stageHours(work: number, rate: number): number {
  return rate <= 0 ? unbounded : Math.min(work / rate, unbounded);
}

/** All stages one after the other at one rate. Without a stage: no work, and 0 hours at any rate above 0. */
export function planPipeline(stages: readonly PipelineStage[], rate: number): PipelinePlan {
  const totalWork = sumOf(stages.map(({ work }) => work));
  const kept = stages.map((stage) => Object.freeze({ ...stage }));
  return { stages: kept, totalWork, estimatedHours: stageHours(totalWork, rate) };
}

/** work x cost per unit + a fixed fee; never below 0. */
export function pipelineCost(work: number, costPerUnit: number, fixedFee: number): number {
  return Math.max(0, work * costPerUnit + fixedFee);
}

/** The sum (not the mean) of the fixed fees along the way; 0 for none. */
export function totalHopFees(fees: readonly number[]): number {
  return sumOf(fees);
}

/** Work per unit of energy, for instance tokens per kWh; 0 when either is 0 or less. */
export function energyEfficiency(work: number, energy: number): number {
  return work <= 0 || energy <= 0 ? 0 : work / energy;
}

/** How many chunks of at most `maxPerChunk` hold the work; 0 when either is 0 or less. */
export function chunkCount(totalWork: number, maxPerChunk: number): number {
  return totalWork <= 0 || maxPerChunk <= 0 ? 0 : ceilDivide(totalWork, maxPerChunk);
}
