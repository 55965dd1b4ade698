// Operations that have not ended: begun, seen through, ended, and taken up again after a restart. What
// an operation may do next is the machine's of the core; here it is kept, written and made known.
//
//   begin ─> row and event ─> closed, shown ─> run ─> row and event ─> opened, probed
//                                               │
//                                               └─ stop: the row stays as it is
//
//   S1  The engine is called only after row and event are committed, and what has ended is opened only
//       after that is.
//   S2  What is being examined counts as running for whoever asks meanwhile: of two at once one is
//       refused.
//   S3  A write that fails is tried again until it works: an ending is never lost, and a model is not
//       opened before its ending is known.
//   S4  After `stop` nothing is written; what runs is found in its row by the next start.

import { compareNumbers } from '../../base/compare.ts';
import { modelFrom } from '../../core/backends/heuristics.ts';
import {
  type AskedOperation,
  closuresOf,
  currentOperation,
  endsOf,
  isEnded,
  newOperation,
  type OperationEvent,
  type OperationStep,
  operationInTheWay,
  stepOperation,
} from '../../core/backends/lifecycle.ts';
import type { LifecycleOperation } from '../../core/backends/operation.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { EventToAppend } from '../../io/postgres/control-events.ts';
import { requireLook, requireMemory } from './lifecycle-checks.ts';
import type { LifecyclePorts } from './lifecycle-ports.ts';
import {
  type OpenOperation,
  openOf,
  operationEvent,
  operationOf,
  rowOf,
} from './lifecycle-record.ts';
import { followOperation } from './lifecycle-run.ts';
import { waitFor } from './model-control/model-control.ts';

/** Ended operations that are kept. */
const endedKept = 10_000;
const writeAgainMs = 1000;

export type NamedOperation = AskedOperation & { readonly operationId: string };

export class LifecycleRunner {
  readonly #ports: LifecyclePorts;
  readonly #open = new Map<string, OpenOperation>();
  /** What is being examined, by its id (S2). */
  readonly #examined = new Map<string, LifecycleOperation>();
  readonly #runs = new Map<
    string,
    { readonly ended: Promise<void>; readonly stop: AbortController }
  >();
  readonly #stopping = new AbortController();

  constructor(ports: LifecyclePorts) {
    this.#ports = ports;
  }

  /** Aborted when it stops. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Takes up what had not ended. The backends are in the fleet, and no request is served yet. */
  async start(): Promise<void> {
    const { store, clock } = this.#ports;
    await store.prune(endedKept);
    const rows = await store.loadOpen();
    for (const row of rows) this.#open.set(row.operationId, openOf(row, clock.now()));
    for (const open of this.#open.values()) this.#show(open.tracked.operation);
    for (const row of rows) if (row.status === 'in_progress') this.#run(row.operationId, true);
    await this.#promote();
  }

  /** Lets go of all engines. What runs stays in progress for the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const { stop } of this.#runs.values()) stop.abort();
    await Promise.all([...this.#runs.values()].map(({ ended }) => ended));
  }

  // ---- reading -----------------------------------------------------------------------------

  /** The operation as it is now; undefined when it has ended, or never was. */
  openOperation(operationId: string): LifecycleOperation | undefined {
    return this.#open.get(operationId)?.tracked.operation;
  }

  async get(operationId: string): Promise<LifecycleOperation | undefined> {
    const open = this.openOperation(operationId);
    if (open !== undefined) return open;
    const row = await this.#ports.store.get(operationId);
    return row === undefined ? undefined : operationOf(row);
  }

  /** All that is in the way of others: what has not ended, and what is being examined. */
  busy(): LifecycleOperation[] {
    return [...this.#operations(), ...this.#examined.values()];
  }

  /** Resolves when it has ended, or `patienceMs` later. */
  async settled(operationId: string, patienceMs: number): Promise<void> {
    const over = new AbortController();
    const patience = waitFor(
      this.#ports.clock.after,
      patienceMs,
      AbortSignal.any([this.signal, over.signal]),
    );
    await Promise.race([this.#runs.get(operationId)?.ended, patience]);
    over.abort();
  }

  #operations(): LifecycleOperation[] {
    return [...this.#open.values()].map(({ tracked }) => tracked.operation);
  }

  // ---- beginning ---------------------------------------------------------------------------

  /** Counts it as running until `decide` is done with it. */
  async examine<T>(asked: NamedOperation, decide: () => Promise<T>): Promise<T> {
    const { operation } = newOperation({ ...asked, after: undefined }, this.#ports.clock.now());
    this.#examined.set(asked.operationId, operation);
    try {
      return await decide();
    } finally {
      this.#examined.delete(asked.operationId);
      // What waited may have waited for this one only, and it may have been refused.
      void this.#promote();
    }
  }

  /** Writes and begins `before`, and `asked` when that is done; without it `asked` at once. */
  async begin(
    asked: NamedOperation,
    before: NamedOperation | undefined,
    actor: string,
  ): Promise<LifecycleOperation> {
    const now = this.#ports.clock.now();
    const openAs = (one: NamedOperation, after: string | undefined): OpenOperation => ({
      tracked: newOperation({ ...one, after }, now),
      actor,
    });
    const last = openAs(asked, before?.operationId);
    const first = before === undefined ? last : openAs(before, undefined);
    const open = before === undefined ? [last] : [first, last];
    const next = before === undefined ? undefined : asked.operationId;
    await this.#ports.store.save(open.map(rowOf), [operationEvent(first, 'started', now, next)]);
    for (const { tracked } of open)
      this.#open.set(tracked.operation.operationId, { tracked, actor });
    for (const { tracked } of open) this.#show(tracked.operation);
    this.#run(first.tracked.operation.operationId, false);
    return last.tracked.operation;
  }

  #run(operationId: string, isResumed: boolean): void {
    if (this.signal.aborted) return;
    const stop = new AbortController();
    const ended = this.#seeThrough(operationId, isResumed, stop.signal).finally(() => {
      this.#runs.delete(operationId);
      // Whatever the engine still does for us is of no use any more.
      stop.abort();
    });
    this.#runs.set(operationId, { ended, stop });
  }

  async #seeThrough(id: string, isResumed: boolean, signal: AbortSignal): Promise<void> {
    const open = this.#open.get(id);
    if (open === undefined) return;
    const { targetBackendId } = open.tracked.operation;
    const step = await followOperation({
      ports: this.#ports,
      signal,
      isResumed,
      tracked: () => this.#open.get(id)?.tracked ?? open.tracked,
      target: () => this.#ports.fleet.getBackend(targetBackendId),
      tell: (event) => this.#tell(id, open, event),
    });
    if (step !== undefined) await this.#end(id, { tracked: step.tracked, actor: open.actor });
  }

  /** Steps the machine; what has not ended is kept as it is now. */
  #tell(id: string, begun: OpenOperation, event: OperationEvent): OperationStep {
    const open = this.#open.get(id) ?? begun;
    const { clock, rules, onWarning } = this.#ports;
    const step = stepOperation(open.tracked, event, clock.now(), rules.timeoutMs);
    if (step.warning !== undefined) onWarning(step.warning);
    if (isEnded(step.tracked.operation)) return step;
    const before = open.tracked.operation;
    this.#open.set(id, { ...open, tracked: step.tracked });
    const { operation } = step.tracked;
    if (operation.progressPercent !== before.progressPercent) this.#show(operation);
    return step;
  }

  // ---- ending ------------------------------------------------------------------------------

  async #end(id: string, open: OpenOperation): Promise<void> {
    const { operation } = open.tracked;
    const news = operation.status === 'completed' ? 'completed' : 'failed';
    const at = operation.completedAt ?? this.#ports.clock.now();
    if (!(await this.#write(open, operationEvent(open, news, at)))) return;
    this.#open.delete(id);
    if (news === 'completed') this.#offer(operation);
    this.#show(operation);
    for (const end of endsOf(operation)) this.#ports.refresh(end);
    await this.#promote();
  }

  /** Writes until it works (S3); false when stopped before. */
  async #write(open: OpenOperation, news: EventToAppend): Promise<boolean> {
    const { store, clock, onWriteFailed } = this.#ports;
    while (!this.signal.aborted) {
      try {
        await store.save([rowOf(open)], [news]);
        return true;
      } catch (error) {
        onWriteFailed(error);
        await waitFor(clock.after, writeAgainMs, this.signal);
      }
    }
    return false;
  }

  /** What is loaded or fetched can be called, also before the next probe tells of it. */
  #offer({ operationType, modelId, targetBackendId }: LifecycleOperation): void {
    const backend = this.#ports.fleet.getBackend(targetBackendId);
    if (operationType === 'unload' || backend === undefined) return;
    if (backend.models.some(({ id }) => id === modelId)) return;
    this.#ports.fleet.addModel(targetBackendId, modelFrom(modelId, {}));
  }

  /** Closures and operation of the backends that it concerns, as they follow from what runs (L3). */
  #show(operation: LifecycleOperation): void {
    const { fleet, onChange } = this.#ports;
    for (const id of endsOf(operation)) {
      const backend = fleet.getBackend(id);
      if (backend === undefined) continue;
      const closures = closuresOf(this.#operations(), id);
      if (JSON.stringify(closures) !== JSON.stringify(backend.closures)) {
        fleet.setClosures(id, closures);
      }
      fleet.setOperation(id, currentOperation(this.#operations(), id));
    }
    onChange(operation);
  }

  // ---- what waits for a download ------------------------------------------------------------

  /** Begins, oldest first, what waited for something that is done and has nothing in its way. */
  async #promote(): Promise<void> {
    const { clock, onWriteFailed } = this.#ports;
    const waiting = [...this.#open.values()]
      .filter(({ tracked }) => tracked.operation.status === 'pending')
      .sort((a, b) =>
        compareNumbers(a.tracked.operation.initiatedAt, b.tracked.operation.initiatedAt),
      );
    for (const { tracked } of waiting) {
      try {
        if (!this.signal.aborted) await this.#takeUp(tracked.operation.operationId);
      } catch (error) {
        onWriteFailed(error);
        await waitFor(clock.after, writeAgainMs, this.signal);
        return this.#promote();
      }
    }
  }

  /** Nothing happens to what still waits, or was taken up meanwhile. */
  async #takeUp(id: string): Promise<void> {
    const open = this.#open.get(id);
    const after = open?.tracked.after;
    if (open === undefined || after === undefined || this.#open.has(after)) return;
    const before = await this.get(after);
    if (before?.status !== 'completed') {
      const words = `the download before it failed: ${before?.errorDetails ?? 'it is gone'}`;
      return this.#fail(id, open, words);
    }
    if (this.#isInTheWay(id)) return;
    const problem = await this.#problemOf(open.tracked.operation);
    if (problem !== undefined) return this.#fail(id, open, problem);
    if (this.#isInTheWay(id)) return;
    const step = this.#tell(id, open, { type: 'Begun' });
    if (step.news !== 'started') return;
    const begun = { tracked: step.tracked, actor: open.actor };
    const at = this.#ports.clock.now();
    if (!(await this.#write(begun, operationEvent(begun, 'started', at)))) return;
    this.#show(step.tracked.operation);
    this.#run(id, false);
  }

  #isInTheWay(id: string): boolean {
    const operation = this.openOperation(id);
    const running = this.busy().filter(
      ({ operationId, status }) => operationId !== id && status === 'in_progress',
    );
    return operation !== undefined && operationInTheWay(running, operation) !== undefined;
  }

  /** Memory was asked after before the download; since then it may have gone. */
  async #problemOf(operation: LifecycleOperation): Promise<string | undefined> {
    const backend = this.#ports.fleet.getBackend(operation.targetBackendId);
    if (backend === undefined) return 'the backend was removed';
    try {
      const state = await requireLook(this.#ports, backend, this.signal);
      requireMemory(this.#ports, backend, operation.modelId, state);
      return undefined;
    } catch (error) {
      if (error instanceof TensorForgeError) return error.message.replace(/\.$/, '');
      throw error;
    }
  }

  async #fail(id: string, open: OpenOperation, words: string): Promise<void> {
    const step = this.#tell(id, open, { type: 'Failed', words });
    if (step.news !== 'failed') return;
    await this.#end(id, { tracked: step.tracked, actor: open.actor });
  }
}
