// All engines of a simulated fleet on one clock. Engines do not hear of each other, so each runs
// ahead by itself to the next moment at which something is sent to one of them; what it tells on
// the way carries its own time. That is exact, and costs one call per engine and moment instead of
// one per step.
//
//   E1  An engine is never sent anything before a moment that it has reached.
//   E2  First tokens and endings are told once each, with the moment at which they happened.

import { assert, present } from '../../base/assert.ts';
import { LogSketch } from '../statistics/log-sketch.ts';
import {
  type EngineEffect,
  EngineModel,
  type EngineRefusal,
  type EngineRequest,
} from '../workload/engine/engine-model.ts';
import type { FleetEngine } from './fleet.ts';

type BankListener = {
  onFirstToken(slot: number, id: number, atUs: number): void;
  onFinished(slot: number, id: number, atUs: number): void;
};

export type EngineUse = {
  /** Microseconds in steps. */
  readonly busyUs: number;
  readonly steps: number;
  /** Sequences in a step, on average over the steps; 0 without any. */
  readonly meanBatch: number;
  /** Share of the KV cache in use as arrivals met it: mean and largest. */
  readonly kvMean: number;
  readonly kvPeak: number;
  /** Requests that wait inside the engine as arrivals met it: mean and most. */
  readonly waitingMean: number;
  readonly waitingPeak: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly generatedTokens: number;
  readonly finished: number;
};

type Samples = {
  count: number;
  kvSum: number;
  kvPeak: number;
  waitingSum: number;
  waitingPeak: number;
};

type BankOptions = {
  /** Ids of requests are below this. */
  readonly requests: number;
  /** Ids below this are warm-up: their token gaps are not counted. */
  readonly countedFrom: number;
};

export class EngineBank {
  readonly #engines: readonly EngineModel[];
  readonly #slowness: readonly number[];
  readonly #deadlines: Float64Array;
  readonly #samples: readonly Samples[];
  readonly #listener: BankListener;
  readonly #countedFrom: number;
  /** When the request got its newest token; NaN before the first. */
  readonly #lastTokenUs: Float64Array;
  /** Microseconds between two tokens of a request, over all requests. */
  readonly tokenGapsUs = new LogSketch();

  constructor(engines: readonly FleetEngine[], options: BankOptions, listener: BankListener) {
    this.#engines = engines.map((engine) => new EngineModel(engine.settings));
    this.#slowness = engines.map((engine) => engine.slowness);
    this.#deadlines = new Float64Array(engines.length).fill(Number.POSITIVE_INFINITY);
    this.#samples = engines.map(() => ({
      count: 0,
      kvSum: 0,
      kvPeak: 0,
      waitingSum: 0,
      waitingPeak: 0,
    }));
    this.#listener = listener;
    this.#countedFrom = options.countedFrom;
    this.#lastTokenUs = new Float64Array(options.requests).fill(Number.NaN);
  }

  /** The next moment at which a step ends somewhere; Infinity while all are idle. */
  nextDeadlineUs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const deadline of this.#deadlines) if (deadline < next) next = deadline;
    return next;
  }

  /** Runs every engine up to `atUs`. */
  advance(atUs: number): void {
    for (let slot = 0; slot < this.#deadlines.length; slot++) {
      if ((this.#deadlines[slot] ?? 0) > atUs) continue;
      this.#apply(slot, this.#engine(slot).advance(atUs));
      this.#arm(slot);
    }
  }

  /** Sends a request to an engine that has been advanced to `atUs`; why it refuses, if it does. */
  submit(
    slot: number,
    request: Omit<EngineRequest, 'slowness'>,
    atUs: number,
  ): EngineRefusal | undefined {
    assert((this.#deadlines[slot] ?? 0) > atUs, `E1: engine ${slot} has not reached ${atUs}`);
    const slowness = this.#slowness[slot] ?? 1;
    const told = this.#engine(slot).submit({ ...request, slowness }, atUs);
    if (!told.ok) return told.error;
    this.#apply(slot, told.value);
    this.#arm(slot);
    return undefined;
  }

  /** An arrival looks at the engines: what it meets is a fair sample of what is there over time. */
  sample(): void {
    for (let slot = 0; slot < this.#engines.length; slot++) {
      const { kvUsedTokens, kvTotalTokens, waiting } = this.#engine(slot).stats();
      const samples = present(this.#samples[slot], 'samples of every slot');
      const kv = kvUsedTokens / kvTotalTokens;
      samples.count++;
      samples.kvSum += kv;
      samples.kvPeak = Math.max(samples.kvPeak, kv);
      samples.waitingSum += waiting;
      samples.waitingPeak = Math.max(samples.waitingPeak, waiting);
    }
  }

  useOf(slot: number): EngineUse {
    const stats = this.#engine(slot).stats();
    const samples = present(this.#samples[slot], 'samples of every slot');
    const over = (sum: number, count: number): number => (count === 0 ? 0 : sum / count);
    return {
      busyUs: stats.prefillUsTotal + stats.decodeUsTotal,
      steps: stats.stepsTotal,
      meanBatch: over(stats.busySequencesTotal, stats.stepsTotal),
      kvMean: over(samples.kvSum, samples.count),
      kvPeak: samples.kvPeak,
      waitingMean: over(samples.waitingSum, samples.count),
      waitingPeak: samples.waitingPeak,
      promptTokens: stats.promptTokensTotal + stats.prefixHitTokens,
      cachedTokens: stats.prefixHitTokens,
      generatedTokens: stats.generatedTokensTotal,
      finished: stats.finishedTotal,
    };
  }

  #engine(slot: number): EngineModel {
    return present(this.#engines[slot], `engine ${slot}`);
  }

  #arm(slot: number): void {
    this.#deadlines[slot] = this.#engine(slot).nextDeadlineUs() ?? Number.POSITIVE_INFINITY;
  }

  #apply(slot: number, effects: readonly EngineEffect[]): void {
    for (const { kind, id, atUs } of effects) {
      if (kind === 'TokenProduced') this.#onToken(slot, id, atUs);
      else if (kind === 'Finished') this.#listener.onFinished(slot, id, atUs);
    }
  }

  #onToken(slot: number, id: number, atUs: number): void {
    const lastUs = this.#lastTokenUs[id] ?? Number.NaN;
    this.#lastTokenUs[id] = atUs;
    if (Number.isNaN(lastUs)) this.#listener.onFirstToken(slot, id, atUs);
    else if (id >= this.#countedFrom) this.tokenGapsUs.add(atUs - lastUs);
  }
}
