// What one finished request adds to the figures. Label values come from our own tables only: a
// model that no backend lists counts as `other`. The cells of what happens all the time are kept by
// backend and model, so that the usual request builds no metric key.

import type { SplitAssignment } from '../../core/routing/split.ts';
import { outcomeOf } from '../../core/usage/usage-sums.ts';
import type { NewestDecisions, SettledRequest } from './newest-decisions.ts';
import {
  type CounterCell,
  firstByteSeconds,
  type HistogramCell,
  labelValue,
  overheadSeconds,
  record,
  requestSeconds,
  type ThreadMetrics,
} from './thread-metrics.ts';

type BackendCells = {
  readonly duration: HistogramCell;
  readonly firstByte: HistogramCell;
  /** Model -> status -> requests. */
  readonly requests: Map<string, Map<number, CounterCell>>;
};

type TokenCells = { readonly input: CounterCell; readonly output: CounterCell };

export class Settlements {
  readonly #metrics: ThreadMetrics;
  readonly #newest: NewestDecisions;
  readonly #overhead: HistogramCell;
  /** By model. */
  readonly #tokens = new Map<string, TokenCells>();
  readonly #backends = new Map<string, BackendCells>();
  readonly #served = new Map<string, number>();

  constructor(metrics: ThreadMetrics, newest: NewestDecisions) {
    this.#metrics = metrics;
    this.#newest = newest;
    this.#overhead = metrics.histogram('tensorforge_overhead_seconds', overheadSeconds);
  }

  add(request: SettledRequest, promptTokens: number, completionTokens: number): void {
    const model = request.servedModel ?? 'other';
    if (request.servedModel !== undefined) {
      this.#served.set(model, 1 + (this.#served.get(model) ?? 0));
    }
    const cells = this.#cellsOf(request.backendId ?? 'none');
    this.#requestsOf(cells, request.backendId ?? 'none', model, request.status).value++;
    record(cells.duration, request.totalMs / 1000);
    record(this.#overhead, request.overheadMs / 1000);
    if (request.firstByteMs !== undefined) record(cells.firstByte, request.firstByteMs / 1000);
    if (request.code !== undefined) {
      const labels = `error_type="${request.code}",model="${labelValue(model)}"`;
      this.#metrics.count(`tensorforge_errors_total{${labels}}`);
    }
    if (request.attempt > 1)
      this.#metrics.count('tensorforge_failovers_total', request.attempt - 1);
    const tokens = this.#tokensOf(model);
    tokens.input.value += promptTokens;
    tokens.output.value += completionTokens;
    if (request.split !== undefined) this.#addToArm(request.split, request);
    this.#newest.add(request);
  }

  /** What the arms of experiments come to; their names are configured, so there are few. */
  #addToArm({ experiment, arm }: SplitAssignment, { status, totalMs }: SettledRequest): void {
    const labels = `experiment="${experiment}",arm="${arm}"`;
    const outcome = outcomeOf(status);
    this.#metrics.count(`tensorforge_split_requests_total{${labels},outcome="${outcome}"}`);
    const name = `tensorforge_split_duration_seconds{${labels}}`;
    this.#metrics.observe(name, requestSeconds, totalMs / 1000);
  }

  /** Requests that went to a backend since the last call, by model. */
  served(): readonly (readonly [model: string, requests: number])[] {
    const served = [...this.#served];
    this.#served.clear();
    return served;
  }

  /** A backend that is gone: its cells have reported and are not kept. */
  forget(backendId: string): void {
    this.#backends.delete(backendId);
  }

  #tokensOf(model: string): TokenCells {
    let cells = this.#tokens.get(model);
    if (cells === undefined) {
      const of = (type: string): CounterCell =>
        this.#metrics.counter(
          `tensorforge_tokens_total{model="${labelValue(model)}",type="${type}"}`,
        );
      cells = { input: of('input'), output: of('output') };
      this.#tokens.set(model, cells);
    }
    return cells;
  }

  #cellsOf(backend: string): BackendCells {
    let cells = this.#backends.get(backend);
    if (cells === undefined) {
      const labels = `{backend="${backend}"}`;
      const name = 'tensorforge_time_to_first_byte_seconds';
      cells = {
        duration: this.#metrics.histogram(
          `tensorforge_request_duration_seconds${labels}`,
          requestSeconds,
        ),
        firstByte: this.#metrics.histogram(name + labels, firstByteSeconds),
        requests: new Map(),
      };
      this.#backends.set(backend, cells);
    }
    return cells;
  }

  #requestsOf(cells: BackendCells, backend: string, model: string, status: number): CounterCell {
    let byStatus = cells.requests.get(model);
    if (byStatus === undefined) {
      byStatus = new Map();
      cells.requests.set(model, byStatus);
    }
    let cell = byStatus.get(status);
    if (cell === undefined) {
      const labels = `model="${labelValue(model)}",backend="${backend}",status="${status}"`;
      cell = this.#metrics.counter(`tensorforge_requests_total{${labels}}`);
      byStatus.set(status, cell);
    }
    return cell;
  }
}
