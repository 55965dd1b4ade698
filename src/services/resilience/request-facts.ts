// What became of a request besides its attempts, on the wire: what its client said of it, its stays in
// the queue, the batches and the arm of a split it was in, its copies, an older answer. Each has words,
// so that whoever shows it computes none.

import { instant, toRfc3339 } from '../../base/time.ts';
import type {
  BatchedRecord,
  DegradedRecord,
  QueuedRecord,
  ShadowedRecord,
} from '../../core/decisions/decision-record.ts';
import { placesFor } from '../../core/queue/waiting-places.ts';
import type { DecisionWire } from '../../protocol/control/schemas.ts';
import type { RequestStory } from './request-story.ts';

type Facts = Pick<
  DecisionWire,
  'annotations' | 'queue' | 'split' | 'batches' | 'degraded' | 'shadows'
>;
type Wire<Member extends 'queue' | 'batches' | 'shadows'> = NonNullable<
  DecisionWire[Member]
>[number];

function timeOf(ms: number): string {
  return toRfc3339(instant(ms));
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

const endingWords: Readonly<Record<QueuedRecord['ended'], string>> = {
  placed: 'then a backend took it',
  timeout: 'until its time was over',
  deadline: 'until no first token could come in the time it asked for',
  full: 'no place to wait was free for it',
  left: 'until its client left or another limit ended it',
  stopping: 'until the process stopped',
};

function stayView(record: QueuedRecord): Wire<'queue'> {
  const { reading, priorityClass, waitedMs, ended, groupName } = record;
  const places = placesFor(reading.sizeMax, priorityClass, reading.isEmergency);
  const waited = ended === 'full' ? '' : `waited ${rounded(waitedMs)} ms, `;
  const held = `${reading.held} by group ${groupName}`;
  const words = `${waited}${endingWords[ended]}: ${reading.depth} of ${reading.sizeMax} places were taken, ${held}; class ${priorityClass} may fill ${places}`;
  return {
    at: timeOf(record.at),
    ended,
    waited_ms: rounded(waitedMs),
    depth: reading.depth,
    size_max: reading.sizeMax,
    places,
    held_by_group: reading.held,
    words,
  };
}

const causeWords: Readonly<Record<BatchedRecord['cause'], string>> = {
  full: 'it was full',
  timeout: 'the wait for more was over',
  priority: 'one of them may not wait',
};

function batchView({ at, batchId, size, limit, cause, waitedMs }: BatchedRecord): Wire<'batches'> {
  const words = `one of ${size} in batch ${batchId} of at most ${limit}, sent after ${rounded(waitedMs)} ms because ${causeWords[cause]}`;
  return {
    at: timeOf(at),
    batch_id: batchId,
    size,
    limit,
    cause,
    waited_ms: rounded(waitedMs),
    words,
  };
}

function shadowView(record: ShadowedRecord): Wire<'shadows'> {
  const { shadow, backendId, model, outcome, status, primaryStatus, distance } = record;
  const to = `${model} at ${backendId ?? 'no backend'}`;
  const apart = distance === undefined ? '' : `, texts ${distance / 100} % apart`;
  const totals = `${rounded(record.totalMs)} ms against ${rounded(record.primaryTotalMs)}`;
  const words =
    outcome === 'compared'
      ? `${shadow}: ${to} answered ${status} against ${primaryStatus}, ${totals}${apart}`
      : `${shadow}: the copy for ${to} ${copyWords[outcome]}`;
  return {
    at: timeOf(record.at),
    shadow,
    backend_id: backendId ?? null,
    model,
    outcome,
    status,
    primary_status: primaryStatus,
    completion_tokens: record.completionTokens,
    primary_completion_tokens: record.primaryCompletionTokens,
    total_ms: rounded(record.totalMs),
    primary_total_ms: rounded(record.primaryTotalMs),
    distance_basis_points: distance ?? null,
    words,
  };
}

const copyWords = {
  failed: 'failed',
  timed_out: 'had no answer in time',
  dropped: 'was dropped for want of room',
  refused: 'found no backend',
} as const;

function degradedView({ code, ageMs }: DegradedRecord): NonNullable<DecisionWire['degraded']> {
  const words = `an answer ${Math.round(ageMs / 1000)} s old took the place of ${code}`;
  return { code, age_ms: ageMs, words };
}

/** Members are there for what there was. */
export function factsOf(story: RequestStory): Facts {
  const { annotated, queued, batched, shadowed, degraded } = story;
  const split = story.attempts[0]?.record.features.split;
  const notes = annotated?.annotations.map(({ name, value }) => [name, value] as const);
  return {
    ...(notes === undefined ? {} : { annotations: Object.fromEntries(notes) }),
    ...(queued.length === 0 ? {} : { queue: queued.map(({ record }) => stayView(record)) }),
    ...(split === undefined ? {} : { split: { experiment: split.experiment, arm: split.arm } }),
    ...(batched.length === 0 ? {} : { batches: batched.map(({ record }) => batchView(record)) }),
    ...(degraded === undefined ? {} : { degraded: degradedView(degraded) }),
    ...(shadowed.length === 0 ? {} : { shadows: shadowed.map(({ record }) => shadowView(record)) }),
  };
}
