// What each serving mode refuses: the table of the platform specification F.2, and for suites and
// OpenAI batches ruling 25 of its overview.
//
//   I1  Gates are monotone (RP2): what one mode refuses, every stricter mode refuses as well. So
//       reading down a column below, nothing is ever given back.
//
// Retries and cooldowns of a mode are in serving-mode.ts. What a mode *does* besides refusing, the
// warning of `watch` and the evaluation of rollbacks in `halted`, belongs to whoever moves the
// mode.

import type { PriorityClass } from '../jobs/priority-class.ts';
import { maxRetries, type ServingMode } from './serving-mode.ts';

export type ModeGates = {
  /** The least urgent class that is admitted at all. */
  readonly leastClass: PriorityClass;
  /** Does the queue shed from its emergency ratio on? */
  readonly emergencyShedding: boolean;
  readonly experiments: boolean;
  /** Share of the configured shadow traffic that is still sent, 0 to 1. */
  readonly shadowShare: number;
  readonly canaryPromotion: boolean;
  readonly deployments: boolean;
  /** Which groups of requests are still batched. */
  readonly batching: 'all' | 'priority' | 'none';
  /** Share of the configured wait for a fuller batch, 0 to 1; priority groups never wait. */
  readonly batchWaitShare: number;
  readonly openAiBatches: boolean;
  /** May a new run of a suite start? Running ones continue in any mode. */
  readonly suiteRuns: boolean;
};

const gates: Readonly<Record<ServingMode, ModeGates>> = {
  normal: {
    leastClass: 1,
    emergencyShedding: false,
    experiments: true,
    shadowShare: 1,
    canaryPromotion: true,
    deployments: true,
    batching: 'all',
    batchWaitShare: 1,
    openAiBatches: true,
    suiteRuns: true,
  },
  watch: {
    leastClass: 1,
    emergencyShedding: false,
    experiments: true,
    shadowShare: 0.5,
    canaryPromotion: true,
    deployments: true,
    batching: 'all',
    batchWaitShare: 0.5,
    openAiBatches: true,
    suiteRuns: true,
  },
  restricted: {
    leastClass: 1,
    emergencyShedding: true,
    experiments: false,
    shadowShare: 0,
    canaryPromotion: false,
    deployments: true,
    batching: 'priority',
    batchWaitShare: 0,
    openAiBatches: false,
    suiteRuns: true,
  },
  halted: {
    leastClass: 5,
    emergencyShedding: true,
    experiments: false,
    shadowShare: 0,
    canaryPromotion: false,
    deployments: false,
    batching: 'none',
    batchWaitShare: 0,
    openAiBatches: false,
    suiteRuns: false,
  },
};

export function gatesOf(mode: ServingMode): ModeGates {
  return gates[mode];
}

/** Is a request of this class let in? What the queue then sheds is a gate of its own. */
export function admits(mode: ServingMode, priorityClass: PriorityClass): boolean {
  return priorityClass >= gates[mode].leastClass;
}

/** May an attempt follow after `retriesDone` retries? */
export function admitsRetry(mode: ServingMode, retriesDone: number): boolean {
  return retriesDone < maxRetries(mode);
}

/** Is this group of requests batched? A priority group holds a request that must not wait. */
export function admitsBatch(mode: ServingMode, isPriorityGroup: boolean): boolean {
  const { batching } = gates[mode];
  return batching === 'all' || (batching === 'priority' && isPriorityGroup);
}
