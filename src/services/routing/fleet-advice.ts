// Advice on what to load ahead: the demand of the last 30 days is analysed now and then, and what that
// means for the fleet as it is now is worked out whenever somebody asks. Off unless it is switched on;
// demand is recorded all the same, so that switching it on has something to go by.

import type { z } from 'zod';
import { type Instant, instant, toRfc3339 } from '../../base/time.ts';
import type { Backend } from '../../core/backends/backend.ts';
import {
  type DemandHour,
  demandHoursKept,
  demandPattern,
  hourOf,
} from '../../core/backends/demand.ts';
import {
  type AdviceRules,
  type ModelDemand,
  type Recommendation,
  recommend,
} from '../../core/backends/recommendations.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import type { DemandCount, DemandStore } from '../../io/postgres/demand-store.ts';
import type { recommendationListSchema } from '../../protocol/control/fleet-schemas.ts';
import { DemandRecorder } from './fleet-advice-demand.ts';
import type { Clock } from './ports.ts';

export type FleetAdviceOptions = {
  readonly isEnabled: boolean;
  readonly rules: AdviceRules;
  readonly analysisIntervalMs: number;
  readonly store: DemandStore;
  readonly backends: () => readonly Backend[];
  readonly clock: Clock;
  readonly onFailed: (error: unknown) => void;
  readonly onWarning: (words: string) => void;
};

export type RecommendationsWire = z.infer<typeof recommendationListSchema>;

type Analysis = { readonly at: Instant; readonly demands: readonly ModelDemand[] };

const flushEveryMs = 60_000;

function demandsOf(rows: readonly DemandCount[], nowHour: number): readonly ModelDemand[] {
  const byModel = new Map<string, DemandHour[]>();
  for (const { modelId, hour, requests } of rows) {
    const hours = byModel.get(modelId) ?? [];
    hours.push({ hour, requests });
    byModel.set(modelId, hours);
  }
  return [...byModel].flatMap(([modelId, hours]) => {
    const pattern = demandPattern(hours, nowHour);
    return pattern === undefined ? [] : [{ modelId, pattern }];
  });
}

export class FleetAdvice {
  readonly #options: FleetAdviceOptions;
  readonly #recorder: DemandRecorder;
  #analysis: Analysis | undefined;
  #cancelFlush: (() => void) | undefined;
  #cancelAnalysis: (() => void) | undefined;
  #isStopped = false;

  constructor(options: FleetAdviceOptions) {
    this.#options = options;
    this.#recorder = new DemandRecorder({
      store: options.store,
      now: () => options.clock.now(),
      onWriteFailed: options.onFailed,
      onFull: options.onWarning,
    });
  }

  /** Requests of a model ended at `atMs`, Unix ms. */
  served(modelId: string, atMs: number, requests = 1): void {
    this.#recorder.served(modelId, atMs, requests);
  }

  async start(): Promise<void> {
    this.#flushLater();
    if (this.#options.isEnabled) await this.#analyse();
  }

  /** Writes what was counted. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelFlush?.();
    this.#cancelAnalysis?.();
    // One that runs may have begun before the last news.
    await this.#recorder.flush();
    await this.#recorder.flush();
  }

  recommendations(): RecommendationsWire {
    const { isEnabled, clock, backends, rules } = this.#options;
    const analysis = this.#analysis;
    const at = analysis?.at ?? clock.now();
    const found =
      analysis === undefined || !isEnabled ? [] : recommend(analysis.demands, backends(), rules);
    return {
      recommendations: found.map((one) => this.#view(one, at)),
      fleet_enabled: isEnabled,
      generated_at: toRfc3339(at),
    };
  }

  #view(one: Recommendation, at: Instant): RecommendationsWire['recommendations'][number] {
    const expires = instant(at + this.#options.analysisIntervalMs);
    // The same advice of the same analysis has the same id, whenever it is asked for.
    const digest = nodeCrypto.sha256Hex(`${at} ${one.modelId}`).slice(0, 16);
    return {
      recommendation_id: `rec-${digest}`,
      model_id: one.modelId,
      target_backend_ids: [...one.targets],
      confidence_score: Number(one.confidence.toFixed(4)),
      reasoning: one.reasoning,
      vram_required_bytes: one.vramRequiredBytes ?? null,
      generated_at: toRfc3339(at),
      expires_at: toRfc3339(expires),
    };
  }

  #flushLater(): void {
    this.#cancelFlush = this.#options.clock.after(flushEveryMs, () => {
      void this.#recorder.flush().then(() => {
        if (!this.#isStopped) this.#flushLater();
      });
    });
  }

  /** Analyses, and again after the interval; one that fails leaves the last one as it is. */
  async #analyse(): Promise<void> {
    const { clock, store, rules, onFailed, analysisIntervalMs } = this.#options;
    const at = clock.now();
    const nowHour = hourOf(at);
    try {
      await this.#recorder.flush();
      const rows = await store.load(nowHour - demandHoursKept, rules.minRequestCount);
      this.#analysis = { at, demands: demandsOf(rows, nowHour) };
    } catch (error) {
      onFailed(error);
    }
    if (this.#isStopped) return;
    this.#cancelAnalysis = clock.after(analysisIntervalMs, () => void this.#analyse());
  }
}
