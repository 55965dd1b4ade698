// Runs an engine model in real time. One timer for the whole engine, set to its next deadline;
// when the machine is late, everything due happens in one go and each request hears once how many
// tokens it got, so a slow machine makes longer chunks and not a storm of timers.

import { performance } from 'node:perf_hooks';
import { ok, type Result } from '../../base/result.ts';
import type {
  EngineEffect,
  EngineModel,
  EngineRefusal,
  EngineRequest,
  EngineStats,
} from '../../core/workload/engine/engine-model.ts';

/** How one request went, in microseconds of model time. */
export type GenerationTiming = {
  readonly queueUs: number;
  /** From admission to the first token. */
  readonly prefillUs: number;
  /** From the first token to the last. */
  readonly decodeUs: number;
  readonly cachedTokens: number;
};

export type GenerationListener = {
  /** `produced` tokens so far; called at most once for each wake-up of the engine. */
  onTokens(produced: number): void;
  onFinished(timing: GenerationTiming): void;
};

/** Hears about timing as it happens, for histograms; microseconds of model time. */
export type TimingObserver = {
  onFirstToken(sinceSubmitUs: number, queueUs: number): void;
  onNextToken(gapUs: number): void;
  onEnd(totalUs: number): void;
};

type Open = {
  readonly listener: GenerationListener;
  readonly submittedUs: number;
  admittedUs: number;
  firstTokenUs: number;
  lastTokenUs: number;
  cachedTokens: number;
  produced: number;
  told: number;
  finished: boolean;
};

export class EngineDriver {
  readonly #engine: EngineModel;
  readonly #speed: number;
  readonly #observer: TimingObserver;
  readonly #open = new Map<number, Open>();
  readonly #startedMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #nextId = 1;

  constructor(engine: EngineModel, speed: number, observer: TimingObserver) {
    this.#engine = engine;
    this.#speed = speed;
    this.#observer = observer;
  }

  get lengthMax(): number {
    return this.#engine.lengthMax;
  }

  stats(): EngineStats {
    this.#catchUp();
    return this.#engine.stats();
  }

  /** Hands the request to the engine; its id is for {@link abort}. */
  submit(
    request: Omit<EngineRequest, 'id'>,
    listener: GenerationListener,
  ): Result<number, EngineRefusal> {
    const nowUs = this.#catchUp();
    const id = this.#nextId++;
    this.#open.set(id, {
      listener,
      submittedUs: nowUs,
      admittedUs: nowUs,
      firstTokenUs: nowUs,
      lastTokenUs: nowUs,
      cachedTokens: 0,
      produced: 0,
      told: 0,
      finished: false,
    });
    const effects = this.#engine.submit({ ...request, id }, nowUs);
    if (!effects.ok) {
      this.#open.delete(id);
      return effects;
    }
    this.#apply(effects.value);
    this.#arm();
    return ok(id);
  }

  /** The request is over for its client; nothing more is told about it. */
  abort(id: number): void {
    if (!this.#open.delete(id)) return;
    const nowUs = this.#catchUp();
    this.#engine.abort(id, nowUs);
    this.#arm();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#open.clear();
  }

  #nowUs(): number {
    return Math.floor((performance.now() - this.#startedMs) * 1000 * this.#speed);
  }

  #catchUp(): number {
    const nowUs = this.#nowUs();
    this.#apply(this.#engine.advance(nowUs));
    return nowUs;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const deadlineUs = this.#engine.nextDeadlineUs();
    if (deadlineUs === undefined) return;
    const waitMs = Math.ceil((deadlineUs - this.#nowUs()) / 1000 / this.#speed);
    this.#timer = setTimeout(
      () => {
        this.#catchUp();
        this.#arm();
      },
      Math.max(1, waitMs),
    );
  }

  /** Listeners are called after all effects are in the books, so they may submit and abort. */
  #apply(effects: readonly EngineEffect[]): void {
    if (effects.length === 0) return;
    const touched = new Set<number>();
    for (const effect of effects) {
      const open = this.#open.get(effect.id);
      if (open === undefined) continue;
      this.#note(open, effect);
      if (effect.kind !== 'Admitted') touched.add(effect.id);
    }
    for (const id of touched) {
      const open = this.#open.get(id);
      if (open === undefined) continue; // A listener before this one aborted it.
      if (open.finished) this.#open.delete(id);
      if (open.produced > open.told) {
        open.told = open.produced;
        open.listener.onTokens(open.produced);
      }
      if (open.finished) open.listener.onFinished(timingOf(open));
    }
  }

  #note(open: Open, effect: EngineEffect): void {
    switch (effect.kind) {
      case 'Admitted':
        open.admittedUs = effect.atUs;
        open.cachedTokens = effect.cachedTokens;
        return;
      case 'TokenProduced':
        if (open.produced === 0) {
          open.firstTokenUs = effect.atUs;
          const { submittedUs, admittedUs } = open;
          this.#observer.onFirstToken(effect.atUs - submittedUs, admittedUs - submittedUs);
        } else {
          this.#observer.onNextToken(effect.atUs - open.lastTokenUs);
        }
        open.lastTokenUs = effect.atUs;
        open.produced++;
        return;
      case 'Finished':
        if (open.produced === 0) open.firstTokenUs = open.lastTokenUs = effect.atUs;
        open.finished = true;
        this.#observer.onEnd(effect.atUs - open.submittedUs);
    }
  }
}

function timingOf(open: Open): GenerationTiming {
  return {
    queueUs: open.admittedUs - open.submittedUs,
    prefillUs: open.firstTokenUs - open.admittedUs,
    decodeUs: open.lastTokenUs - open.firstTokenUs,
    cachedTokens: open.cachedTokens,
  };
}
