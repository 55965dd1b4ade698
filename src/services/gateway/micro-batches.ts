// Requests of one gateway thread that go out together. When and with whom is the scheduler's business
// (core/batching); here it is told the time, what it says is done, and figures are counted.
//
// Off unless a rule names the model. Requests of one group, model and meaning go together; a fleet with
// an engine that takes no arrays is left alone, and so is everything while the serving mode says so.

import { takesArrays } from '../../core/backends/array-input.ts';
import type { MicroBatch } from '../../core/batching/batch-request.ts';
import type { BatchEffect, BatchOutcome } from '../../core/batching/batch-scheduler.ts';
import { BatchScheduler } from '../../core/batching/batch-scheduler.ts';
import { queueHardLimit } from '../../core/queue/shedding.ts';
import { matchesGlob } from '../../core/security/glob.ts';
import type { GatewayContext } from './context.ts';
import { JointRequest } from './joint-request.ts';
import { type JointRoom, JointSeat, type SeatFacts, type SeatOwner } from './joint-seat.ts';
import type { BatchRule } from './messages.ts';
import { batchFill, batchSeconds, labelValue } from './thread-metrics.ts';

type Scheduled = { readonly rule: BatchRule; readonly scheduler: BatchScheduler<JointSeat> };

/** As for one backend (ruling 20 of the overview). */
const breaker = { failures: 5, successes: 2, openMs: 30_000, halfOpenProbes: 1 };
const retryMs = 10;
const retryCeilingMs = 1000;
/** A timer that fires too early, or a batch that lacks memory, is looked at again after so long. */
const againMs = 1;

export class MicroBatches implements JointRoom {
  readonly #context: GatewayContext;
  readonly #schedules: readonly Scheduled[];
  readonly #places = new Map<JointSeat, BatchScheduler<JointSeat>>();
  /** Has anything changed since the figures were told? */
  #hasNews = false;
  #timer: NodeJS.Timeout | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;

  /** Undefined where nothing is batched. */
  static of(context: GatewayContext): MicroBatches | undefined {
    const { batching } = context.settings;
    return batching.length === 0 ? undefined : new MicroBatches(context, batching);
  }

  private constructor(context: GatewayContext, rules: readonly BatchRule[]) {
    this.#context = context;
    this.#schedules = rules.map((rule) => ({ rule, scheduler: this.#schedulerOf(rule) }));
  }

  #schedulerOf({ maxBatchSize, maxWaitMs }: BatchRule): BatchScheduler<JointSeat> {
    const context = this.#context;
    const policy = {
      get current() {
        return context.servingMode();
      },
      escalate: () => {
        context.batchFailed();
        return context.servingMode();
      },
      // The mode has one keeper, who hears of good requests anyway.
      deescalate: () => context.servingMode(),
    };
    return new BatchScheduler(
      { maxBatchSize, maxWaitMs, waitingMax: queueHardLimit, breaker, retryMs, retryCeilingMs },
      {
        // No engine tells how many bytes it has free for inputs.
        memoryBudget: () => Number.POSITIVE_INFINITY,
        policy,
        retriesMax: () => context.snapshot().settings.maxRetries - 1,
        mayRetry: () => context.mayRetry(),
      },
    );
  }

  seatFor(owner: SeatOwner, facts: SeatFacts): JointSeat | undefined {
    const { resolvedModel, operation } = facts.admitted.route;
    if (this.#scheduleOf(resolvedModel) === undefined) return undefined;
    const offers = this.#context.snapshot().byModel.get(resolvedModel) ?? [];
    const areAllAble = offers.every(({ target }) => takesArrays(target.backendType, operation));
    return areAllAble ? JointSeat.of(owner, facts) : undefined;
  }

  #scheduleOf(model: string): Scheduled | undefined {
    return this.#schedules.find(({ rule }) => matchesGlob(rule.model, model));
  }

  join(seat: JointSeat): void {
    const scheduler = this.#scheduleOf(seat.modelId)?.scheduler;
    const nowMs = this.#context.monotonicMs();
    const refused = scheduler?.submit(seat, nowMs);
    if (scheduler === undefined || refused !== undefined) {
      this.#refused(seat, refused ?? 'mode', nowMs);
      return;
    }
    this.#places.set(seat, scheduler);
    this.#tick(nowMs);
  }

  leave(seat: JointSeat): void {
    this.#places.get(seat)?.withdraw(seat.id);
    this.#places.delete(seat);
    seat.leave(this.#context.monotonicMs());
    this.#arm();
  }

  // ---- what the scheduler says -------------------------------------------------------------

  #tick(nowMs: number): void {
    for (const { scheduler } of this.#schedules) {
      this.#do(scheduler, scheduler.tick(nowMs), nowMs);
    }
    this.#arm();
  }

  #do(
    scheduler: BatchScheduler<JointSeat>,
    effects: readonly BatchEffect<JointSeat>[],
    nowMs: number,
  ): void {
    for (const effect of effects) {
      if (effect.kind === 'send') this.#send(scheduler, effect.batch, nowMs);
      else if (effect.kind === 'refuse') this.#refused(effect.request, effect.reason, nowMs);
      else this.#alone(effect.request, nowMs);
    }
  }

  #refused(seat: JointSeat, reason: string, nowMs: number): void {
    const labels = `model="${labelValue(seat.modelId)}",reason="${reason}"`;
    this.#context.metrics.count(`tensorforge_micro_batch_refused_total{${labels}}`);
    this.#alone(seat, nowMs);
  }

  #alone(seat: JointSeat, nowMs: number): void {
    this.#places.delete(seat);
    seat.alone(nowMs);
  }

  #send(scheduler: BatchScheduler<JointSeat>, batch: MicroBatch<JointSeat>, sentMs: number): void {
    this.#countSent(batch);
    const onOver = (outcome: BatchOutcome): void => this.#over(scheduler, batch, outcome, sentMs);
    new JointRequest({ context: this.#context, onOver }, batch).send();
  }

  #over(
    scheduler: BatchScheduler<JointSeat>,
    batch: MicroBatch<JointSeat>,
    outcome: BatchOutcome,
    sentMs: number,
  ): void {
    const nowMs = this.#context.monotonicMs();
    this.#countOver(batch, outcome, nowMs - sentMs);
    const effects = scheduler.settle(batch.number, outcome, nowMs);
    for (const seat of batch.members) {
      if (outcome === 'failure' && !seat.isOver) continue;
      // Who has left while the batch was out does not come again.
      this.#places.delete(seat);
      scheduler.withdraw(seat.id);
    }
    this.#do(scheduler, effects, nowMs);
    this.#arm();
  }

  // ---- time --------------------------------------------------------------------------------

  /** Wakes when the next batch is due. */
  #arm(): void {
    this.#hasNews = true;
    const dueMs = Math.min(...this.#schedules.map(({ scheduler }) => scheduler.nextDeadlineMs()));
    if (dueMs === this.#timerDueMs) return;
    clearTimeout(this.#timer);
    this.#timerDueMs = dueMs;
    if (!Number.isFinite(dueMs)) return;
    const inMs = Math.max(againMs, Math.ceil(dueMs - this.#context.monotonicMs()));
    this.#timer = setTimeout(() => this.#wake(), inMs);
    this.#timer.unref();
  }

  #wake(): void {
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    this.#tick(this.#context.monotonicMs());
  }

  // ---- figures -----------------------------------------------------------------------------

  tellFigures(): void {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    const { metrics, thread } = this.#context;
    for (const { rule, scheduler } of this.#schedules) {
      const { fillRate, latencyMs, itemsPerSecond } = scheduler.figures();
      const { depth, utilization } = scheduler.health;
      const labels = `rule="${labelValue(rule.model)}",thread="${thread}"`;
      metrics.gauge(`tensorforge_micro_batch_waiting{${labels}}`, depth);
      metrics.gauge(`tensorforge_micro_batch_utilization{${labels}}`, utilization);
      metrics.gauge(`tensorforge_micro_batch_fill_rate{${labels}}`, fillRate);
      metrics.gauge(`tensorforge_micro_batch_items_per_second{${labels}}`, itemsPerSecond);
      const quantiles = { '0.5': latencyMs.p50, '0.95': latencyMs.p95, '0.99': latencyMs.p99 };
      for (const [quantile, ms] of Object.entries(quantiles)) {
        const key = `tensorforge_micro_batch_latency_seconds{${labels},quantile="${quantile}"}`;
        metrics.gauge(key, ms / 1000);
      }
    }
  }

  #countSent({ members, size, limit, cause }: MicroBatch<JointSeat>): void {
    const { metrics } = this.#context;
    const model = labelValue(members[0]?.modelId ?? '');
    metrics.count(`tensorforge_micro_batches_total{model="${model}",cause="${cause}"}`);
    metrics.observe(
      `tensorforge_micro_batch_fill_ratio{model="${model}"}`,
      batchFill,
      size / limit,
    );
  }

  #countOver(
    { members, size }: MicroBatch<JointSeat>,
    outcome: BatchOutcome,
    tookMs: number,
  ): void {
    const { metrics } = this.#context;
    const model = labelValue(members[0]?.modelId ?? '');
    if (outcome === 'failure') {
      metrics.count(`tensorforge_micro_batches_failed_total{model="${model}"}`);
    }
    if (outcome !== 'success') return;
    metrics.count(`tensorforge_micro_batch_items_total{model="${model}"}`, size);
    metrics.observe(
      `tensorforge_micro_batch_seconds{model="${model}"}`,
      batchSeconds,
      tookMs / 1000,
    );
  }
}
