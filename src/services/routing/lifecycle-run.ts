// Seeing one operation through at its engine: wait until the closure is in force and nothing of the
// model runs, call, and look until the engine shows what was asked for, or time is up. What it comes to
// is told to the machine of the core; the last step is what this resolves with.
//
// Calls say the same thing when they are made twice, so an operation that a restart interrupted is
// looked at first, and asked for again where the engine does not show it yet.

import type { Instant } from '../../base/time.ts';
import type { Backend } from '../../core/backends/backend.ts';
import {
  etaOf,
  isEnded,
  type OperationEvent,
  type OperationStep,
  type TrackedOperation,
  timeLeftMs,
} from '../../core/backends/lifecycle.ts';
import type { LifecyclePorts } from './lifecycle-ports.ts';
import type { EngineOutcome, EngineState } from './model-control/engine-control.ts';
import { waitFor } from './model-control/model-control.ts';

export type RunOptions = {
  readonly ports: Pick<LifecyclePorts, 'control' | 'clock' | 'rules' | 'inFlight' | 'applied'>;
  readonly signal: AbortSignal;
  /** It ran before this process did. */
  readonly isResumed: boolean;
  /** The operation as it is now. */
  readonly tracked: () => TrackedOperation;
  /** Its target; undefined when that was removed. */
  readonly target: () => Backend | undefined;
  /** Steps the machine with what happened. */
  readonly tell: (event: OperationEvent) => OperationStep;
};

/** The first pause between two looks, and the longest, ms. */
const firstPauseMs = 1000;
const longestPauseMs = 10_000;
const pauseGrowth = 1.5;
/** How often the requests that must end first are counted, ms. */
const drainEveryMs = 250;

const wasRemoved = 'the backend was removed';

class OperationRun {
  readonly #options: RunOptions;
  readonly #startedAt: Instant;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#startedAt = options.ports.clock.now();
  }

  get #isStopped(): boolean {
    return this.#options.signal.aborted;
  }

  get #operation() {
    return this.#options.tracked().operation;
  }

  /** The step with which it ended; undefined when it was stopped before. */
  async follow(): Promise<OperationStep | undefined> {
    const { ports, isResumed } = this.#options;
    const { operationType } = this.#operation;
    if (operationType !== 'download') await ports.applied();
    const late = operationType === 'unload' ? await this.#drain() : undefined;
    if (late !== undefined || this.#isStopped) return late;
    if (isResumed && operationType !== 'download') {
      const early = this.#judge(await this.#look());
      if (early !== undefined) return early;
    }
    return this.#isStopped ? undefined : this.#watch(this.#call());
  }

  /** Waits until no request of the model runs there; the step of a time-out. */
  async #drain(): Promise<OperationStep | undefined> {
    const { ports, signal } = this.#options;
    const { targetBackendId, modelId } = this.#operation;
    for (;;) {
      const inFlight = await ports.inFlight(targetBackendId, modelId);
      if (inFlight === 0 || this.#isStopped) return undefined;
      await waitFor(ports.clock.after, drainEveryMs, signal);
      const late = this.#endOf({ type: 'TimePassed' });
      if (late !== undefined) return late;
    }
  }

  #call(): Promise<EngineOutcome> {
    const { ports, target, signal } = this.#options;
    const { operationType, modelId } = this.#operation;
    const backend = target();
    if (backend === undefined) return Promise.resolve({ ok: false, words: wasRemoved });
    const { timeoutMs } = ports.rules;
    const call = { target: backend, modelId, timeoutMs, signal };
    switch (operationType) {
      case 'load':
      case 'migrate':
        return ports.control.load(call);
      case 'unload':
        return ports.control.unload(call);
      case 'download':
        return ports.control.download(call, (percent) => this.#progress(percent));
    }
  }

  #progress(percent: number): void {
    if (this.#isStopped) return;
    const now = this.#options.ports.clock.now();
    const etaMs = etaOf(percent, now - this.#startedAt);
    this.#options.tell({ type: 'Progressed', percent, etaMs });
  }

  async #watch(call: Promise<EngineOutcome>): Promise<OperationStep | undefined> {
    const answer: { outcome?: EngineOutcome } = {};
    const answered = call.then((outcome) => {
      answer.outcome = outcome;
    });
    let pauseMs = firstPauseMs;
    for (;;) {
      await this.#pause(pauseMs, answer.outcome === undefined ? answered : undefined);
      if (this.#isStopped) return undefined;
      const ended = await this.#examine(answer.outcome);
      if (ended !== undefined || this.#isStopped) return ended;
      pauseMs = Math.min(longestPauseMs, pauseMs * pauseGrowth);
    }
  }

  /** Until `ms` are over, time is up or the call is answered, whatever is first. */
  async #pause(ms: number, answered: Promise<void> | undefined): Promise<void> {
    const { ports, signal, tracked } = this.#options;
    const left = timeLeftMs(tracked(), ports.clock.now(), ports.rules.timeoutMs) ?? ms;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const pause = waitFor(ports.clock.after, Math.min(ms, left + 1), either);
    await (answered === undefined ? pause : Promise.race([pause, answered]));
    over.abort();
  }

  async #examine(outcome: EngineOutcome | undefined): Promise<OperationStep | undefined> {
    if (outcome?.ok === false) return this.#endOf({ type: 'Failed', words: outcome.words });
    if (this.#operation.operationType !== 'download') {
      const ended = this.#judge(await this.#look());
      if (ended !== undefined) return ended;
    } else if (outcome?.ok === true) return this.#endOf({ type: 'Shown' });
    return this.#isStopped ? undefined : this.#endOf({ type: 'TimePassed' });
  }

  async #look(): Promise<EngineState> {
    const backend = this.#options.target();
    if (backend === undefined) return { kind: 'unsupported', words: wasRemoved };
    return this.#options.ports.control.look(backend, this.#options.signal);
  }

  /** What it shows ends the operation; one that is away now may be back at the next look. */
  #judge(state: EngineState): OperationStep | undefined {
    if (this.#isStopped || state.kind === 'away') return undefined;
    if (state.kind === 'unsupported') return this.#endOf({ type: 'Failed', words: state.words });
    const { operationType, modelId } = this.#operation;
    const isThere = state.loaded.has(modelId);
    const isShown = operationType === 'unload' ? !isThere : isThere;
    return isShown ? this.#endOf({ type: 'Shown' }) : undefined;
  }

  #endOf(event: OperationEvent): OperationStep | undefined {
    const step = this.#options.tell(event);
    return isEnded(step.tracked.operation) ? step : undefined;
  }
}

/** Sees the operation through; never rejects for what an engine does. */
export function followOperation(options: RunOptions): Promise<OperationStep | undefined> {
  return new OperationRun(options).follow();
}
