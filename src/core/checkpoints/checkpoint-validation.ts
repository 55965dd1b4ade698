// What a single training checkpoint must keep, given the others (platform specification C.3).

import { type Fault, invalid, type Violation } from '../../base/fault.ts';
import { isCount } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type CheckpointLookup, walkToRoot } from './checkpoint-chain.ts';
import { isLive, type TrainingCheckpoint } from './training-checkpoint.ts';

/** Fields of the record that are numbers and, alone, wrong. */
export function countViolations(fields: Readonly<Record<string, number>>): readonly Violation[] {
  return Object.entries(fields)
    .filter(([, value]) => !isCount(value))
    .map(([field, value]) => ({ field, value, bound: 'a whole number from 0 to 2^53 - 1' }));
}

export function blankViolations(fields: Readonly<Record<string, string>>): readonly Violation[] {
  return Object.entries(fields)
    .filter(([, value]) => value.trim() === '')
    .map(([field, value]) => ({ field, value, bound: 'not empty' }));
}

function fieldViolations(checkpoint: TrainingCheckpoint): readonly Violation[] {
  const { checkpointId, trainingRunId, storagePath, state } = checkpoint;
  const { epoch, step, sizeBytes, createdAt, ranks } = checkpoint;
  return [
    ...blankViolations({ checkpointId, trainingRunId }),
    ...(state === 'creating' ? [] : blankViolations({ storagePath })),
    ...countViolations({ epoch, step, sizeBytes, createdAt, ranks }),
  ];
}

function backwardViolations(
  { step, epoch }: TrainingCheckpoint,
  parent: TrainingCheckpoint,
): readonly Violation[] {
  const violations: Violation[] = [];
  const owner = `of its parent "${parent.checkpointId}"`;
  if (step <= parent.step) {
    violations.push({
      field: 'step',
      value: step,
      bound: `greater than ${parent.step}, that ${owner}`,
    });
  }
  if (epoch < parent.epoch) {
    violations.push({
      field: 'epoch',
      value: epoch,
      bound: `at least ${parent.epoch}, that ${owner}`,
    });
  }
  return violations;
}

function parentViolations(
  checkpoint: TrainingCheckpoint,
  parent: TrainingCheckpoint | undefined,
): readonly Violation[] {
  const { type, parentId, trainingRunId } = checkpoint;
  const wrong = (bound: string): readonly Violation[] => [
    { field: 'parentId', value: parentId, bound },
  ];
  if (type !== 'incremental') {
    return parentId === undefined ? [] : wrong(`absent from a checkpoint that is ${type}`);
  }
  if (parent === undefined) return wrong('the id of a checkpoint, since this one is incremental');
  if (!isLive(parent)) return wrong('the id of a checkpoint that is not deleted');
  if (parent.trainingRunId === trainingRunId) return [];
  return wrong(`the id of a checkpoint of run "${trainingRunId}"`);
}

function cycleViolations(
  { parentId, checkpointId }: TrainingCheckpoint,
  all: CheckpointLookup,
): readonly Violation[] {
  const circle = walkToRoot(all, checkpointId).ending === 'cycle';
  return circle ? [{ field: 'parentId', value: parentId, bound: 'outside of a circle' }] : [];
}

/**
 * The checkpoint itself, or every rule that it breaks: an empty path (but while creating), a step not
 * greater or an epoch smaller than the parent's, an incremental one without an existing, live parent
 * of its run, another one with a parent, a chain in a circle.
 */
export function validateCheckpoint(
  checkpoint: TrainingCheckpoint,
  all: CheckpointLookup,
): Result<TrainingCheckpoint, Fault<'invalid_checkpoint'>> {
  const { checkpointId, parentId } = checkpoint;
  // The given record counts, whether or not `all` holds it, or an older one under its id.
  const get = (id: string) => (id === checkpointId ? checkpoint : all.get(id));
  const parent = parentId === undefined ? undefined : get(parentId);
  const violations = [
    ...fieldViolations(checkpoint),
    ...parentViolations(checkpoint, parent),
    ...(parent === undefined ? [] : backwardViolations(checkpoint, parent)),
    ...cycleViolations(checkpoint, { get }),
  ];
  if (violations.length === 0) return ok(checkpoint);
  return err(invalid('invalid_checkpoint', `checkpoint "${checkpointId}"`, violations));
}
