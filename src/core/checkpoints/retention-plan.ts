// A retention plan: which checkpoints of a run go, and in which order. It is made on a snapshot and
// names every deletion with the rule that asks for it, so that it can be shown before anything is lost.
//
// Never in a plan (platform specification C.3; K4 is ours, and so is the second half of K2)
//   K1  the latest, the highest step that is live
//   K2  the best N by the metric of the policy, among those that can be restored
//   K3  those that are still being written
//   K4  the newest one that can be restored: a run whose latest save is in progress or corrupted would
//       otherwise lose its last way back
//   K5  every ancestor of what stays: children go before parents
//
// Order of a plan: broken ones first (corrupted, or built on something corrupted), then the oldest,
// ties by id; a parent that had to wait for its children goes right after the last of them. First all
// that are too old, then as many as the run has too many. Applying a plan and planning again with the
// same time gives nothing. O(n log n) in the checkpoints of the run.

import { compareNumbers, compareText } from '../../base/compare.ts';
import type { Instant } from '../../base/time.ts';
import { rankByMetric } from './metric-ranking.ts';
import { isGcEligible, type RetentionPolicy } from './retention.ts';
import type { TrainingCheckpoint } from './training-checkpoint.ts';

export type DeletionRule = 'max_age' | 'max_per_run' | 'requested';

export type PlannedDeletion = {
  readonly checkpointId: string;
  readonly rule: DeletionRule;
};

/** The live checkpoints of one run, ascending by step; what `CheckpointRun` shows. */
export type RunSnapshot = {
  readonly checkpoints: readonly TrainingCheckpoint[];
  /** Ids of those whose chain, they themselves included, holds a corrupted one. */
  readonly broken: ReadonlySet<string>;
};

/** K1 to K4; K5 follows, because no parent goes before the last of its children. */
function keptIds(
  { checkpoints }: RunSnapshot,
  restorable: readonly TrainingCheckpoint[],
  { metricKey, metricAscending: ascending, keepBestN }: RetentionPolicy,
): ReadonlySet<string> {
  const latest = checkpoints.slice(-1);
  const best = rankByMetric(restorable, { metricKey, ascending }).slice(0, keepBestN);
  const writing = checkpoints.filter(({ state }) => state === 'creating');
  const wayBack = restorable.slice(-1);
  const kept = [...latest, ...best, ...writing, ...wayBack];
  return new Set(kept.map(({ checkpointId }) => checkpointId));
}

function deletionOrder(run: RunSnapshot, kept: ReadonlySet<string>): readonly TrainingCheckpoint[] {
  const soundness = ({ checkpointId }: TrainingCheckpoint) =>
    run.broken.has(checkpointId) ? 0 : 1;
  return run.checkpoints
    .filter(({ checkpointId }) => !kept.has(checkpointId))
    .sort(
      (a, b) =>
        compareNumbers(soundness(a), soundness(b)) ||
        compareNumbers(a.createdAt, b.createdAt) ||
        compareText(a.checkpointId, b.checkpointId),
    );
}

function dependentCounts(checkpoints: readonly TrainingCheckpoint[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { parentId } of checkpoints) {
    if (parentId !== undefined) counts.set(parentId, (counts.get(parentId) ?? 0) + 1);
  }
  return counts;
}

type RuleOf = (checkpoint: TrainingCheckpoint, liveCount: number) => DeletionRule | undefined;

/** Goes over the candidates in order and plans what a rule asks for and nothing depends on. */
class Plan {
  readonly deletions: PlannedDeletion[] = [];
  readonly #candidates: ReadonlyMap<string, TrainingCheckpoint>;
  readonly #dependents: Map<string, number>;
  /** Wanted by a rule when their turn came, and held back by a child. */
  readonly #waiting = new Set<string>();
  readonly #planned = new Set<string>();
  #liveCount: number;

  constructor(run: RunSnapshot, candidates: readonly TrainingCheckpoint[]) {
    this.#candidates = new Map(candidates.map((candidate) => [candidate.checkpointId, candidate]));
    this.#dependents = dependentCounts(run.checkpoints);
    this.#liveCount = run.checkpoints.length;
  }

  sweep(ruleOf: RuleOf): void {
    for (const candidate of this.#candidates.values()) {
      let next: TrainingCheckpoint | undefined = candidate;
      while (next !== undefined) next = this.#consider(next, ruleOf);
    }
  }

  /** The parent that waited for just this deletion, if there is one. */
  #consider(candidate: TrainingCheckpoint, ruleOf: RuleOf): TrainingCheckpoint | undefined {
    const { checkpointId, parentId } = candidate;
    const rule = this.#planned.has(checkpointId) ? undefined : ruleOf(candidate, this.#liveCount);
    if (rule === undefined) return undefined;
    if ((this.#dependents.get(checkpointId) ?? 0) > 0) {
      this.#waiting.add(checkpointId);
      return undefined;
    }
    this.#planned.add(checkpointId);
    this.deletions.push({ checkpointId, rule });
    this.#liveCount -= 1;
    if (parentId === undefined) return undefined;
    this.#dependents.set(parentId, (this.#dependents.get(parentId) ?? 0) - 1);
    return this.#waiting.has(parentId) ? this.#candidates.get(parentId) : undefined;
  }
}

/** What the policy deletes from this run at `now`, in the order of deletion. */
export function planRetention(
  run: RunSnapshot,
  policy: RetentionPolicy,
  now: Instant,
): readonly PlannedDeletion[] {
  const restorable = run.checkpoints.filter(
    ({ state, checkpointId }) => state === 'complete' && !run.broken.has(checkpointId),
  );
  const plan = new Plan(run, deletionOrder(run, keptIds(run, restorable, policy)));
  const latestStep = run.checkpoints.at(-1)?.step ?? 0;
  // The best are not among the candidates.
  const question = { policy, latestStep, now, isBest: false };
  const byAge: RuleOf = (checkpoint) =>
    isGcEligible(checkpoint, question) ? 'max_age' : undefined;
  plan.sweep(byAge);
  // A child that goes by number may free a parent that was too old all along, so age is asked again.
  plan.sweep((checkpoint, liveCount) => {
    const excess = liveCount > policy.maxCheckpointsPerRun;
    return byAge(checkpoint, liveCount) ?? (excess ? 'max_per_run' : undefined);
  });
  return plan.deletions;
}
