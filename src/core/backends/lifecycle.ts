// The life of an operation on a model of a backend, and what operations that run at once may be.
//
//   pending ──what it waits for is done──> in_progress ──the engine shows it──> completed
//      │                                        │
//      └────what it waits for failed────────────┴──refused, broken, too old───> failed
//
// Waiting, calling and polling are a shell's; it tells what came of them and what time it is.
//
//   L1  Of one (backend, model) at most one operation runs. A load that waits for its own download is
//       no exception: it does not run yet.
//   L2  Of one backend at most one operation that moves GPU memory runs: load, unload, and a migration
//       at both of its ends, since another load could push out what the source still serves.
//   L3  A model is closed at a backend exactly while an operation runs that loads or unloads it there:
//       all other models serve, and so does the source of a migration. Closures are derived from the
//       running operations, never kept, so they cannot be forgotten.
//   L4  What has ended stays as it ended: late news changes nothing.
//   L5  Progress never goes back, and is 100 exactly when completed.
//   L6  An operation that is older than its time has failed. A clock that went back makes nothing
//       older: it is told of, and nothing else.

import type { BackendType } from '../../base/backend-type.ts';
import type { BackendId } from '../../base/brand.ts';
import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Instant } from '../../base/time.ts';
import type { LifecycleOperation, ModelClosure, OperationType } from './operation.ts';

/** An operation with what its machine keeps beside it. */
export type TrackedOperation = {
  readonly operation: LifecycleOperation;
  /** The operation that must complete before it begins; undefined for what begins at once. */
  readonly after: string | undefined;
  /** Since when its time runs: its begin, and for a download the last sign of progress. */
  readonly timeFrom: Instant;
};

export type OperationEvent =
  /** What it waited for is done, and nothing is in its way. */
  | { readonly type: 'Begun' }
  | { readonly type: 'Progressed'; readonly percent: number; readonly etaMs: number | undefined }
  /** The engine shows what was asked for. */
  | { readonly type: 'Shown' }
  | { readonly type: 'Failed'; readonly words: string }
  | { readonly type: 'TimePassed' };

export type OperationStep = {
  readonly tracked: TrackedOperation;
  /** What is written down as an event; undefined when nothing has happened that is. */
  readonly news: 'started' | 'completed' | 'failed' | undefined;
  /** For the log. */
  readonly warning: string | undefined;
};

const movesMemory: ReadonlySet<OperationType> = new Set(['load', 'unload', 'migrate']);

const manageable = ['load', 'unload', 'migrate', 'download'] as const;
/**
 * What can be asked of which engine by its documented interface. vLLM and exo serve what they were
 * started with; the sleep mode of vLLM is a route for its development only, and a sleeping engine
 * still lists its models. Clouds manage themselves.
 */
const abilities: Partial<Record<BackendType, readonly OperationType[]>> = {
  ollama: manageable,
  lmstudio: manageable,
  // In router mode; a server with one model says so when it is asked.
  llamacpp: ['load', 'unload', 'migrate'],
};

/** Can engines of this type be told to? A migration asks its target. */
export function canOperate(backendType: BackendType, operationType: OperationType): boolean {
  return abilities[backendType]?.includes(operationType) === true;
}

export function isEnded({ status }: LifecycleOperation): boolean {
  return status === 'completed' || status === 'failed';
}

/** The backends that it concerns, the target first. */
export function endsOf(operation: Ends): readonly BackendId[] {
  const { sourceBackendId: source, targetBackendId: target } = operation;
  return source === undefined || source === target ? [target] : [target, source];
}

type Ends = Pick<LifecycleOperation, 'sourceBackendId' | 'targetBackendId'>;
/** What must be known of an operation to say whether another one is in its way. */
export type AskedOperation = Ends & Pick<LifecycleOperation, 'operationType' | 'modelId'>;

function collide(known: LifecycleOperation, asked: AskedOperation): boolean {
  const shared = endsOf(known).some((id) => endsOf(asked).includes(id));
  // What waits for its download leaves the memory to others meanwhile.
  const moves = movesMemory.has(known.operationType) && known.status !== 'pending';
  const bothMove = moves && movesMemory.has(asked.operationType);
  return shared && (bothMove || known.modelId === asked.modelId);
}

/**
 * The operation that is in the way of `asked` (L1, L2), the first of `running`; undefined when it may
 * begin. What has ended is in nobody's way.
 */
export function operationInTheWay(
  running: readonly LifecycleOperation[],
  asked: AskedOperation,
): LifecycleOperation | undefined {
  return running.find((operation) => !isEnded(operation) && collide(operation, asked));
}

/** `operation_in_progress`, which names the operation that is in the way. */
export function admitOperation(
  running: readonly LifecycleOperation[],
  asked: AskedOperation,
): Result<undefined, Fault<'operation_in_progress'>> {
  const other = operationInTheWay(running, asked);
  if (other === undefined) return ok(undefined);
  const where = endsOf(asked).find((id) => endsOf(other).includes(id)) ?? other.targetBackendId;
  const words = `operation ${other.operationId} (${other.operationType} of ${other.modelId}) runs on ${where}`;
  return err(fault('operation_in_progress', words));
}

/** A new operation, which waits where `after` names another one. */
export function newOperation(
  asked: AskedOperation & { readonly operationId: string; readonly after: string | undefined },
  now: Instant,
): TrackedOperation {
  const { operationId, after, operationType, modelId, sourceBackendId, targetBackendId } = asked;
  return {
    operation: {
      operationId,
      operationType,
      modelId,
      sourceBackendId,
      targetBackendId,
      status: after === undefined ? 'in_progress' : 'pending',
      progressPercent: 0,
      etaMs: undefined,
      initiatedAt: now,
      completedAt: undefined,
      errorDetails: undefined,
    },
    after,
    timeFrom: now,
  };
}

function stay(tracked: TrackedOperation, warning?: string): OperationStep {
  return { tracked, news: undefined, warning };
}

function ended(
  tracked: TrackedOperation,
  now: Instant,
  outcome: Pick<LifecycleOperation, 'status' | 'progressPercent' | 'errorDetails'>,
): OperationStep {
  const operation = { ...tracked.operation, ...outcome, etaMs: undefined, completedAt: now };
  const news = outcome.status === 'completed' ? 'completed' : 'failed';
  return { tracked: { ...tracked, operation }, news, warning: undefined };
}

function failed(tracked: TrackedOperation, words: string, now: Instant): OperationStep {
  const { progressPercent } = tracked.operation;
  return ended(tracked, now, { status: 'failed', progressPercent, errorDetails: words });
}

function begun(tracked: TrackedOperation, now: Instant): OperationStep {
  const operation = { ...tracked.operation, status: 'in_progress' } as const;
  return { tracked: { ...tracked, operation, timeFrom: now }, news: 'started', warning: undefined };
}

function progressed(
  tracked: TrackedOperation,
  { percent, etaMs }: Extract<OperationEvent, { type: 'Progressed' }>,
  now: Instant,
): OperationStep {
  const { operation } = tracked;
  // Rounded up to 100 it would be taken for done (L5).
  const told = Math.min(99, Math.max(0, Math.floor(percent)));
  const progressPercent = Math.max(operation.progressPercent, told);
  // A download that moves has not hung, however large it is.
  const timeFrom = operation.operationType === 'download' ? now : tracked.timeFrom;
  return stay({ ...tracked, operation: { ...operation, progressPercent, etaMs }, timeFrom });
}

function timePassed(tracked: TrackedOperation, now: Instant, timeoutMs: number): OperationStep {
  const ageMs = now - tracked.timeFrom;
  const { operationId, operationType, status } = tracked.operation;
  if (ageMs < 0) {
    return stay(
      tracked,
      `the clock went back: operation ${operationId} began ${-ageMs} ms from now`,
    );
  }
  // What waits for its download has the time that the download takes.
  if (status === 'pending' || ageMs <= timeoutMs) return stay(tracked);
  const what = operationType === 'download' ? 'made no progress' : 'did not end';
  return failed(tracked, `it ${what} within ${timeoutMs / 1000} s`, now);
}

/**
 * The operation after `event`; the same three arguments and limit give the same step. `timeoutMs` is
 * the longest that it may run, at least 1.
 */
export function stepOperation(
  tracked: TrackedOperation,
  event: OperationEvent,
  now: Instant,
  timeoutMs: number,
): OperationStep {
  if (isEnded(tracked.operation)) return stay(tracked); // L4
  const isPending = tracked.operation.status === 'pending';
  switch (event.type) {
    case 'Begun':
      return isPending ? begun(tracked, now) : stay(tracked);
    case 'Progressed':
      return isPending ? stay(tracked) : progressed(tracked, event, now);
    case 'Shown':
      if (isPending) return stay(tracked);
      return ended(tracked, now, {
        status: 'completed',
        progressPercent: 100,
        errorDetails: undefined,
      });
    case 'Failed':
      return failed(tracked, event.words, now);
    case 'TimePassed':
      return timePassed(tracked, now, timeoutMs);
  }
}

/** ms until its time is over, at least 0; undefined while nothing counts. */
export function timeLeftMs(
  { operation, timeFrom }: TrackedOperation,
  now: Instant,
  timeoutMs: number,
): number | undefined {
  if (operation.status !== 'in_progress') return undefined;
  return Math.max(0, timeFrom + timeoutMs - now);
}

/** ms until the end, from what was done since the begin; undefined before anything is to be seen. */
export function etaOf(percent: number, elapsed: number): number | undefined {
  if (percent <= 0 || percent > 100 || elapsed < 0) return undefined;
  return Math.round((elapsed * (100 - percent)) / percent);
}

function closureOf(operation: LifecycleOperation, id: BackendId): ModelClosure | undefined {
  const { operationType, modelId, targetBackendId, status } = operation;
  if (status !== 'in_progress' || targetBackendId !== id) return undefined;
  // What is being fetched again still serves as it is.
  if (operationType === 'download') return undefined;
  return { modelId, reason: operationType === 'unload' ? 'unloading' : 'loading' };
}

/** The models that are closed at a backend (L3). */
export function closuresOf(
  operations: Iterable<LifecycleOperation>,
  id: BackendId,
): readonly ModelClosure[] {
  return [...operations].flatMap((operation) => closureOf(operation, id) ?? []);
}

/** The operation that is shown at a backend: one that moves its memory before a download. */
export function currentOperation(
  operations: Iterable<LifecycleOperation>,
  id: BackendId,
): LifecycleOperation | undefined {
  const running = [...operations].filter(
    (operation) => operation.status === 'in_progress' && endsOf(operation).includes(id),
  );
  return running.find(({ operationType }) => movesMemory.has(operationType)) ?? running[0];
}
