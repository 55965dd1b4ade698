// What all gateway threads report, summed on the control thread: the series of the last five
// minutes, the metrics in the Prometheus text format, and the newest decisions.

import { compareText } from '../../base/compare.ts';
import { Ring } from '../../base/ring.ts';
import { LogSketch } from '../../core/statistics/log-sketch.ts';
import type { DecisionWire, OverviewWire } from '../../protocol/control/schemas.ts';
import type { ThreadReport } from './messages.ts';
import {
  batchFill,
  batchSeconds,
  firstByteSeconds,
  overheadSeconds,
  queueSeconds,
  requestSeconds,
} from './thread-metrics.ts';
import { firstByteSketch, TrafficSecond } from './traffic-second.ts';

type Sum = { counts: number[]; sum: number };
type MetricKind = { readonly type: 'counter' | 'gauge' | 'histogram'; readonly help: string };

const seriesSeconds = 300;
const decisionsKept = 100;

const boundsOf: Readonly<Record<string, readonly number[]>> = {
  tensorforge_request_duration_seconds: requestSeconds,
  tensorforge_time_to_first_byte_seconds: firstByteSeconds,
  tensorforge_overhead_seconds: overheadSeconds,
  tensorforge_queue_wait_seconds: queueSeconds,
  tensorforge_micro_batch_fill_ratio: batchFill,
  tensorforge_micro_batch_seconds: batchSeconds,
  tensorforge_split_duration_seconds: requestSeconds,
};

const catalogue: Readonly<Record<string, MetricKind>> = {
  tensorforge_requests_total: { type: 'counter', help: 'Inference requests answered.' },
  tensorforge_errors_total: {
    type: 'counter',
    help: 'Inference requests that ended in an error, by code.',
  },
  tensorforge_attempt_failures_total: {
    type: 'counter',
    help: 'Attempts on a backend that failed.',
  },
  tensorforge_failovers_total: {
    type: 'counter',
    help: 'Attempts after the first one of a request.',
  },
  tensorforge_fallbacks_total: {
    type: 'counter',
    help: 'Requests that went on to a model that stands in for the one that was asked for.',
  },
  tensorforge_retries_refused_total: {
    type: 'counter',
    help: 'Attempts after a failed one that the retry budget did not allow.',
  },
  tensorforge_streams_cut_total: { type: 'counter', help: 'Streams that ended in an error event.' },
  tensorforge_hedges_total: {
    type: 'counter',
    help: 'Second backends asked beside a slow first one.',
  },
  tensorforge_hedges_won_total: {
    type: 'counter',
    help: 'Second backends that began to answer before the first one.',
  },
  tensorforge_tokens_total: {
    type: 'counter',
    help: 'Tokens, as backends reported them or else as counted by us.',
  },
  tensorforge_usage_rejected_total: {
    type: 'counter',
    help: 'Usage reports that were not plausible.',
  },
  tensorforge_pending_clamped_total: {
    type: 'counter',
    help: 'Decrements of a pending count at zero.',
  },
  tensorforge_http_refused_total: {
    type: 'counter',
    help: 'Connections and requests refused at the HTTP edge.',
  },
  tensorforge_auth_rejected_total: { type: 'counter', help: 'Credentials that were not accepted.' },
  tensorforge_auth_unaudited_total: {
    type: 'counter',
    help: 'Rejected credentials beyond the budget of the audit; only counted.',
  },
  tensorforge_request_duration_seconds: {
    type: 'histogram',
    help: 'From the head of a request to the end of its answer.',
  },
  tensorforge_time_to_first_byte_seconds: {
    type: 'histogram',
    help: 'From the head of a request to the first byte of the answer.',
  },
  tensorforge_overhead_seconds: {
    type: 'histogram',
    help: 'Time spent in the gateway rather than waiting for a backend.',
  },
  tensorforge_split_requests_total: {
    type: 'counter',
    help: 'Requests of an experiment, by arm and outcome.',
  },
  tensorforge_split_duration_seconds: {
    type: 'histogram',
    help: 'From the head of a request to the end of its answer, by arm of an experiment.',
  },
  tensorforge_shadow_requests_total: {
    type: 'counter',
    help: 'Copies of requests, by rule and outcome.',
  },
  tensorforge_degraded_answers_total: {
    type: 'counter',
    help: 'Older answers given where no backend was left, by the refusal they replaced.',
  },
  tensorforge_micro_batches_total: {
    type: 'counter',
    help: 'Requests that went out together, by why: full, timeout or priority.',
  },
  tensorforge_micro_batches_failed_total: {
    type: 'counter',
    help: 'Of those, the ones that failed.',
  },
  tensorforge_micro_batch_items_total: {
    type: 'counter',
    help: 'Items of good ones.',
  },
  tensorforge_micro_batch_refused_total: {
    type: 'counter',
    help: 'Requests that went alone although their model is batched, by reason.',
  },
  tensorforge_micro_batch_waiting: {
    type: 'gauge',
    help: 'Requests that wait for others, by rule and thread.',
  },
  tensorforge_micro_batch_utilization: {
    type: 'gauge',
    help: 'Requests that wait for others over those that may, by rule and thread.',
  },
  tensorforge_micro_batch_fill_rate: {
    type: 'gauge',
    help: 'Mean of items over limit since the start, 0 to 1, by rule and thread.',
  },
  tensorforge_micro_batch_latency_seconds: {
    type: 'gauge',
    help: 'Quantiles of the newest 1024 good ones, by rule and thread.',
  },
  tensorforge_micro_batch_items_per_second: {
    type: 'gauge',
    help: 'Items of good ones from the first sending to the last answer, by rule and thread.',
  },
  tensorforge_micro_batch_fill_ratio: {
    type: 'histogram',
    help: 'Items that went out together over how many could have.',
  },
  tensorforge_micro_batch_seconds: {
    type: 'histogram',
    help: 'From the sending of a good one to its answer.',
  },
  tensorforge_queue_refused_total: {
    type: 'counter',
    help: 'Requests that found no place in the queue.',
  },
  tensorforge_queue_wait_seconds: {
    type: 'histogram',
    help: 'Time in the queue, by how it ended: placed, left, time_out, deadline or stopping.',
  },
};

export type TrafficTotals = { total: number; succeeded: number; failed: number };

export class Traffic {
  readonly #seconds = new Ring<TrafficSecond>(seriesSeconds);
  readonly #scratch = new LogSketch();
  /** Oldest first; threads tell theirs in turns, so they are put in order here. */
  #decisions: readonly DecisionWire[] = [];
  readonly #counters = new Map<string, number>();
  readonly #gauges = new Map<string, number>();
  readonly #histograms = new Map<string, Sum>();
  readonly #totals: TrafficTotals = { total: 0, succeeded: 0, failed: 0 };

  get totals(): Readonly<TrafficTotals> {
    return this.#totals;
  }

  /** Failed share and number of requests of the last `seconds`. */
  recent(
    seconds: number,
    nowSeconds: number,
  ): { readonly requests: number; readonly errors: number } {
    let requests = 0;
    let errors = 0;
    for (const second of this.#last(seconds, nowSeconds)) {
      requests += second.requests;
      errors += second.failed;
    }
    return { requests, errors };
  }

  /** First-byte latencies of the last `seconds`, ms. */
  firstByte(seconds: number, nowSeconds: number): LogSketch {
    return firstByteSketch(this.#last(seconds, nowSeconds));
  }

  #last(seconds: number, nowSeconds: number): readonly TrafficSecond[] {
    return this.#seconds.toArray().filter((second) => second.t > nowSeconds - seconds);
  }

  add(report: ThreadReport, nowSeconds: number): void {
    this.#second(nowSeconds).add(report, this.#scratch);
    this.#totals.total += report.finished;
    this.#totals.failed += report.failed;
    this.#totals.succeeded += report.finished - report.failed;
    for (const delta of report.metrics) {
      if (delta.kind === 'counter') {
        this.#counters.set(delta.key, (this.#counters.get(delta.key) ?? 0) + delta.value);
      } else if (delta.kind === 'gauge') this.#gauges.set(delta.key, delta.value);
      else {
        const known = this.#histograms.get(delta.key);
        if (known === undefined) {
          this.#histograms.set(delta.key, { counts: [...delta.counts], sum: delta.sum });
        } else {
          delta.counts.forEach((count, i) => {
            known.counts[i] = (known.counts[i] ?? 0) + count;
          });
          known.sum += delta.sum;
        }
      }
    }
    if (report.decisions.length > 0) this.#keep(report.decisions);
  }

  #keep(news: readonly DecisionWire[]): void {
    this.#decisions = [...this.#decisions, ...news]
      .sort((a, b) => compareText(a.at, b.at))
      .slice(-decisionsKept);
  }

  #second(t: number): TrafficSecond {
    const latest = this.#seconds.latest();
    if (latest !== undefined && latest.t >= t) return latest;
    // Seconds without a report are seconds without a request, not gaps.
    const from = latest === undefined ? t : Math.max(latest.t + 1, t - seriesSeconds + 1);
    let second = new TrafficSecond(from);
    this.#seconds.push(second);
    for (let at = from + 1; at <= t; at++) {
      second = new TrafficSecond(at);
      this.#seconds.push(second);
    }
    return second;
  }

  /** Oldest first, the present second left out since it is not complete. */
  series(nowSeconds: number): OverviewWire['series'] {
    this.#second(nowSeconds);
    return this.#seconds
      .toArray()
      .filter((second) => second.t < nowSeconds)
      .map((second) => ({
        t: second.t,
        requests: second.requests,
        failed: second.failed,
        first_byte_p50_ms: second.firstByteP50Ms,
        first_byte_p95_ms: second.firstByteP95Ms,
      }));
  }

  /** Newest first. */
  decisions(limit: number): readonly DecisionWire[] {
    return this.#decisions.toReversed().slice(0, limit);
  }

  decision(id: string): DecisionWire | undefined {
    return this.#decisions
      .toReversed()
      .find((decision) => decision.decision_id === id || decision.request_id === id);
  }

  /** The Prometheus text of everything the threads counted. */
  metricsText(): string {
    const lines: string[] = [];
    const byName = new Map<string, string[]>();
    const add = (name: string, line: string): void => {
      const known = byName.get(name);
      if (known === undefined) byName.set(name, [line]);
      else known.push(line);
    };
    for (const [key, value] of this.#counters) add(nameOf(key), `${key} ${value}`);
    for (const [key, value] of this.#gauges) add(nameOf(key), `${key} ${value}`);
    for (const [key, sum] of this.#histograms) {
      const name = nameOf(key);
      for (const line of histogramLines(key, name, sum)) add(name, line);
    }
    for (const [name, metric] of Object.entries(catalogue)) {
      lines.push(`# HELP ${name} ${metric.help}`, `# TYPE ${name} ${metric.type}`);
      lines.push(...(byName.get(name) ?? []));
    }
    return `${lines.join('\n')}\n`;
  }
}

function nameOf(key: string): string {
  const brace = key.indexOf('{');
  return brace < 0 ? key : key.slice(0, brace);
}

function histogramLines(key: string, name: string, sum: Sum): string[] {
  const labels = key.slice(name.length).replace(/^\{|\}$/g, '');
  const withLe = (le: string): string => `{${labels === '' ? '' : `${labels},`}le="${le}"}`;
  const own = labels === '' ? '' : `{${labels}}`;
  const bounds = boundsOf[name] ?? [];
  const lines: string[] = [];
  let cumulative = 0;
  bounds.forEach((bound, i) => {
    cumulative += sum.counts[i] ?? 0;
    lines.push(`${name}_bucket${withLe(String(bound))} ${cumulative}`);
  });
  cumulative += sum.counts[bounds.length] ?? 0;
  lines.push(`${name}_bucket${withLe('+Inf')} ${cumulative}`);
  lines.push(`${name}_sum${own} ${sum.sum}`, `${name}_count${own} ${cumulative}`);
  return lines;
}
