// The simulated engine: continuous batching as vLLM, SGLang, TGI and llama-server do it. It is a
// pure machine: it is told what happened and when (microseconds of model time), answers with
// effects, and says when it wants to be called next. It reads no clock and draws no chance, so
// the same events give the same effects on any machine.
//
//     submit -> waiting --admitted--> prefill --prompt done--> decode --last token--> finished
//                  |                     |                       |
//                  +---------------------+------ abort ----------+
//
// Time goes in steps. At the start of a step waiting requests are admitted in order of arrival
// while there is a free slot and room in the KV cache; the first that does not fit holds up those
// behind it. A step then carries one token for each decoding sequence and fills the rest of its
// token budget with chunks of prompts, oldest first. The step that ends a prompt also gives the
// first output token. How long a step takes is in step-time.ts.
//
// Invariants: I1 a request is waiting, running or gone, and ends exactly once, by Finished or by
// abort. I2 tokens told for a request add up to its output length unless it is aborted. I3 there is
// a next deadline exactly while something is waiting or running. I4 time never goes back.

import { assert } from '../../../base/assert.ts';
import { err, ok, type Result } from '../../../base/result.ts';
import { type EngineProfile, kvBlockTokens, stepTokensMax } from './constants.ts';
import { KvCache, type Reservation } from './kv-cache.ts';
import { prefillPairs, stepTimeUs } from './step-time.ts';

export type EngineSettings = {
  readonly profile: EngineProfile;
  /** Sequences in the batch at once, at least 1. */
  readonly maxRunning: number;
  /** Requests that may wait; one more is refused. */
  readonly maxWaiting: number;
  /** Tokens of KV cache, at least one block. */
  readonly kvTokens: number;
  /** Longest prompt and output together, tokens. */
  readonly contextTokens: number;
};

export type EngineRequest = {
  /** Chosen by the caller, never reused. */
  readonly id: number;
  readonly promptTokens: number;
  /** Hashes of the full blocks of the prompt. */
  readonly promptBlocks: readonly number[];
  /** 0 ends the request with its prompt, as embeddings do. */
  readonly outputTokens: number;
  /** 1 is normal; a batch with this request takes that many times as long. */
  readonly slowness: number;
};

export type EngineEffect =
  | {
      readonly kind: 'Admitted';
      readonly id: number;
      readonly cachedTokens: number;
      readonly atUs: number;
    }
  | { readonly kind: 'TokenProduced'; readonly id: number; readonly atUs: number }
  | { readonly kind: 'Finished'; readonly id: number; readonly atUs: number };

export type EngineRefusal = 'too_long' | 'queue_full';

export type EngineStats = {
  readonly running: number;
  readonly waiting: number;
  readonly submittedTotal: number;
  readonly finishedTotal: number;
  readonly abortedTotal: number;
  readonly refusedTotal: number;
  readonly kvUsedTokens: number;
  readonly kvTotalTokens: number;
  readonly prefixQueriedTokens: number;
  readonly prefixHitTokens: number;
  readonly promptTokensTotal: number;
  readonly generatedTokensTotal: number;
  readonly stepsTotal: number;
  /** Sum over all steps of the sequences in the batch. */
  readonly busySequencesTotal: number;
  /** Microseconds spent in steps that held prompt chunks, and in steps that did not. */
  readonly prefillUsTotal: number;
  readonly decodeUsTotal: number;
};

type Sequence = {
  readonly request: EngineRequest;
  readonly reservation: Reservation;
  /** Prompt tokens in the cache, found or computed. */
  prefilled: number;
  produced: number;
};

type Step = {
  readonly endsUs: number;
  /** Sequence and how much of its prompt this step computes; 0 for one that decodes. */
  readonly batch: readonly { readonly sequence: Sequence; readonly chunk: number }[];
};

export class EngineModel {
  readonly #settings: EngineSettings;
  readonly #cache: KvCache;
  /** Both in order of arrival. */
  readonly #waiting = new Map<number, EngineRequest>();
  readonly #running = new Map<number, Sequence>();
  #step: Step | undefined;
  #nowUs = 0;
  readonly #totals = {
    submitted: 0,
    finished: 0,
    aborted: 0,
    refused: 0,
    prefixQueried: 0,
    prefixHit: 0,
    prompt: 0,
    generated: 0,
    steps: 0,
    busy: 0,
    prefillUs: 0,
    decodeUs: 0,
  };

  constructor(settings: EngineSettings) {
    assert(settings.maxRunning >= 1, `maxRunning ${settings.maxRunning}`);
    this.#settings = settings;
    this.#cache = new KvCache(Math.floor(settings.kvTokens / kvBlockTokens));
  }

  /** Tokens that a request may have at most, prompt and output together. */
  get lengthMax(): number {
    const kvTokens = this.#cache.capacityBlocks * kvBlockTokens;
    return Math.min(this.#settings.contextTokens, kvTokens);
  }

  /** The next moment at which something happens by itself; undefined while idle. */
  nextDeadlineUs(): number | undefined {
    return this.#step?.endsUs;
  }

  /** A request arrived. Call {@link advance} up to `nowUs` first. */
  submit(request: EngineRequest, nowUs: number): Result<readonly EngineEffect[], EngineRefusal> {
    this.#moveTo(nowUs);
    assert(!this.#waiting.has(request.id), `request ${request.id} came twice`);
    assert(!this.#running.has(request.id), `request ${request.id} came twice`);
    assert(request.slowness >= 1, `slowness ${request.slowness}`);
    const refusal = this.#refusalOf(request);
    if (refusal !== undefined) {
      this.#totals.refused++;
      return err(refusal);
    }
    this.#totals.submitted++;
    this.#waiting.set(request.id, request);
    const effects: EngineEffect[] = [];
    if (this.#step === undefined) this.#beginStep(effects);
    return ok(effects);
  }

  /** The client went away: slot and cache are free at once. Returns whether it was still here. */
  abort(id: number, nowUs: number): boolean {
    this.#moveTo(nowUs);
    const sequence = this.#running.get(id);
    if (sequence === undefined && !this.#waiting.has(id)) return false;
    if (sequence !== undefined) this.#cache.release(sequence.reservation);
    this.#running.delete(id);
    this.#waiting.delete(id);
    this.#totals.aborted++;
    if (this.#running.size === 0 && this.#waiting.size === 0) this.#step = undefined;
    return true;
  }

  /** Time has come to `nowUs`: everything due up to then happens, each at its own moment. */
  advance(nowUs: number): readonly EngineEffect[] {
    const effects: EngineEffect[] = [];
    while (this.#step !== undefined && this.#step.endsUs <= nowUs) {
      this.#moveTo(this.#step.endsUs);
      this.#endStep(this.#step, effects);
      this.#beginStep(effects);
    }
    this.#moveTo(nowUs);
    return effects;
  }

  stats(): EngineStats {
    const totals = this.#totals;
    return {
      running: this.#running.size,
      waiting: this.#waiting.size,
      submittedTotal: totals.submitted,
      finishedTotal: totals.finished,
      abortedTotal: totals.aborted,
      refusedTotal: totals.refused,
      kvUsedTokens: this.#cache.usedBlocks * kvBlockTokens,
      kvTotalTokens: this.#cache.capacityBlocks * kvBlockTokens,
      prefixQueriedTokens: totals.prefixQueried,
      prefixHitTokens: totals.prefixHit,
      promptTokensTotal: totals.prompt,
      generatedTokensTotal: totals.generated,
      stepsTotal: totals.steps,
      busySequencesTotal: totals.busy,
      prefillUsTotal: totals.prefillUs,
      decodeUsTotal: totals.decodeUs,
    };
  }

  #moveTo(nowUs: number): void {
    assert(nowUs >= this.#nowUs, `I4: time went back from ${this.#nowUs} to ${nowUs}`);
    this.#nowUs = nowUs;
  }

  #refusalOf(request: EngineRequest): EngineRefusal | undefined {
    if (request.promptTokens + request.outputTokens > this.lengthMax) return 'too_long';
    if (this.#waiting.size >= this.#settings.maxWaiting) return 'queue_full';
    return undefined;
  }

  #admit(effects: EngineEffect[]): void {
    for (const request of this.#waiting.values()) {
      if (this.#running.size >= this.#settings.maxRunning) return;
      const length = request.promptTokens + request.outputTokens;
      // The last prompt token is always computed: its result is the first output token.
      const findable = Math.floor((request.promptTokens - 1) / kvBlockTokens);
      const hashes = request.promptBlocks.slice(0, findable);
      const reservation = this.#cache.reserve(hashes, Math.ceil(length / kvBlockTokens));
      if (reservation === undefined) return;
      const cachedTokens = reservation.hitBlocks * kvBlockTokens;
      this.#waiting.delete(request.id);
      this.#running.set(request.id, { request, reservation, prefilled: cachedTokens, produced: 0 });
      this.#totals.prefixQueried += request.promptTokens;
      this.#totals.prefixHit += cachedTokens;
      effects.push({ kind: 'Admitted', id: request.id, cachedTokens, atUs: this.#nowUs });
    }
  }

  #beginStep(effects: EngineEffect[]): void {
    this.#admit(effects);
    this.#step = undefined;
    if (this.#running.size === 0) {
      assert(this.#waiting.size === 0, 'I3: a request that fits an empty engine is admitted');
      return;
    }
    const batch: { sequence: Sequence; chunk: number }[] = [];
    let decodeContextTokens = 0;
    let slowness = 1;
    for (const sequence of this.#running.values()) {
      slowness = Math.max(slowness, sequence.request.slowness);
      if (sequence.prefilled < sequence.request.promptTokens) continue;
      batch.push({ sequence, chunk: 0 });
      decodeContextTokens += sequence.prefilled + sequence.produced;
    }
    let tokens = batch.length;
    let pairs = 0;
    for (const sequence of this.#running.values()) {
      // At least one prompt token goes in, so that a full batch cannot starve a prefill.
      const room = Math.max(stepTokensMax - tokens, batch.length === tokens ? 1 : 0);
      const chunk = Math.min(sequence.request.promptTokens - sequence.prefilled, room);
      if (chunk <= 0) continue;
      batch.push({ sequence, chunk });
      tokens += chunk;
      pairs += prefillPairs(sequence.prefilled, chunk);
    }
    const work = { tokens, decodeContextTokens, prefillPairs: pairs };
    const lengthUs = Math.round(stepTimeUs(this.#settings.profile, work) * slowness);
    this.#totals.steps++;
    this.#totals.busy += batch.length;
    if (pairs > 0) this.#totals.prefillUs += lengthUs;
    else this.#totals.decodeUs += lengthUs;
    this.#step = { endsUs: this.#nowUs + lengthUs, batch };
  }

  #endStep(step: Step, effects: EngineEffect[]): void {
    for (const { sequence, chunk } of step.batch) {
      const { id, promptTokens, promptBlocks, outputTokens } = sequence.request;
      if (this.#running.get(id) !== sequence) continue; // Aborted while the step ran.
      if (chunk > 0) {
        sequence.prefilled += chunk;
        this.#totals.prompt += chunk;
        assert(sequence.prefilled <= promptTokens, 'no more prompt than there is');
        if (sequence.prefilled < promptTokens) continue;
        this.#cache.publish(sequence.reservation, promptBlocks);
      }
      if (sequence.produced < outputTokens) {
        sequence.produced++;
        this.#totals.generated++;
        effects.push({ kind: 'TokenProduced', id, atUs: this.#nowUs });
      }
      if (sequence.produced < outputTokens) continue;
      this.#running.delete(id);
      this.#cache.release(sequence.reservation);
      this.#totals.finished++;
      effects.push({ kind: 'Finished', id, atUs: this.#nowUs });
    }
  }
}
