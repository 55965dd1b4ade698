// A whole trace as arrivals to simulate: lines go in one after another, arrivals in order of time
// come out, or every fault of the file at once with its line.
//
// Rows that stand out of order are sorted and counted, because some public traces are not sorted;
// rows without output are requests that failed at their origin and are left out and counted.
//
//   A1  Arrivals ascend in time from 0; the first row is at 0 also where it is left out.
//   A2  rows = arrivals + rows without output.

import { type Fault, fault } from '../../../base/fault.ts';
import { err, ok, type Result } from '../../../base/result.ts';
import { spreadTicks, tickMsOf } from './shared-ticks.ts';
import {
  bareLine,
  readTraceHead,
  readTraceRow,
  type TraceFormat,
  type TraceHead,
  type TraceRow,
} from './trace-row.ts';

export type Arrival = {
  /** Whole microseconds from the start of the trace. */
  readonly atUs: number;
  /** At least 1. */
  readonly promptTokens: number;
  /** At least 1. */
  readonly outputTokens: number;
  /** Undefined where the trace names none. */
  readonly model: string | undefined;
  /** Prefix blocks of 512 tokens; empty: the prompt shares nothing with another. */
  readonly prefixIds: readonly number[];
  readonly stream: boolean;
};

export type Trace = {
  readonly format: TraceFormat | 'decisions';
  readonly arrivals: readonly Arrival[];
  /** Rows that stood after a row of a later time. */
  readonly unsorted: number;
  readonly withoutOutput: number;
  /** Shares of the first byte as recorded, ms ascending; empty where the trace has no latencies. */
  readonly recordedFirstByteMs: readonly number[];
};

/** Rows that are kept in memory at once. */
export const traceRowsMax = 5_000_000;

/** Faults that are told one by one. */
const faultsShown = 10;

export class TraceLines {
  readonly #rows: TraceRow[] = [];
  readonly #faults: string[] = [];
  #faultCount = 0;
  #head: TraceHead | undefined;
  #line = 0;
  #unsorted = 0;
  #latestMs = Number.NEGATIVE_INFINITY;

  /** Rows read so far. */
  get rows(): number {
    return this.#rows.length;
  }

  /** Takes the next line, with or without its end. False: nothing after it can be read. */
  push(text: string): boolean {
    this.#line++;
    const line = bareLine(text);
    if (this.#head === undefined) {
      const head = readTraceHead(line);
      if (!head.ok) {
        this.#fault(head.error);
        return false;
      }
      this.#head = head.value;
      if (!head.value.isRow) return true;
    }
    if (line.trim() !== '') this.#pushRow(this.#head, line);
    return this.#rows.length < traceRowsMax;
  }

  /** The trace, or all that is wrong with it. */
  finish(): Result<Trace, Fault<'malformed_trace'>> {
    if (this.#head === undefined && this.#faultCount === 0) this.#fault('the file is empty');
    if (this.#rows.length >= traceRowsMax) this.#fault(`more than ${traceRowsMax} rows`);
    if (this.#faultCount === 0 && this.#rows.length === 0) this.#fault('no row after the head');
    if (this.#faultCount > 0) return err(this.#refusal());
    const format = this.#head?.format ?? 'azure';
    const sorted = [...this.#rows].sort((a, b) => a.clockMs - b.clockMs);
    const tickMs = tickMsOf(format);
    const rows = tickMs === 0 ? sorted : spreadTicks(sorted, tickMs);
    const arrivals = arrivalsOf(rows);
    const withoutOutput = rows.length - arrivals.length;
    return ok({
      format,
      arrivals,
      unsorted: this.#unsorted,
      withoutOutput,
      recordedFirstByteMs: [],
    });
  }

  #pushRow(head: TraceHead, line: string): void {
    const row = readTraceRow(head, line);
    if (!row.ok) {
      this.#fault(row.error);
      return;
    }
    if (row.value.clockMs < this.#latestMs) this.#unsorted++;
    else this.#latestMs = row.value.clockMs;
    this.#rows.push(row.value);
  }

  #fault(words: string): void {
    this.#faultCount++;
    const place = this.#line === 0 ? '' : `line ${this.#line}: `;
    if (this.#faults.length < faultsShown) this.#faults.push(place + words);
  }

  #refusal(): Fault<'malformed_trace'> {
    const more = this.#faultCount - this.#faults.length;
    const rest = more === 0 ? '' : `; and ${more} more`;
    return fault('malformed_trace', this.#faults.join('; ') + rest);
  }
}

function arrivalsOf(rows: readonly TraceRow[]): Arrival[] {
  const originMs = rows[0]?.clockMs ?? 0;
  const arrivals: Arrival[] = [];
  for (const row of rows) {
    if (row.outputTokens === 0) continue;
    arrivals.push({
      atUs: Math.floor((row.clockMs - originMs) * 1000),
      promptTokens: Math.max(1, row.promptTokens),
      outputTokens: row.outputTokens,
      model: row.model,
      prefixIds: row.prefixIds,
      // The trace of an API tells no stream; who plans for a first token streams.
      stream: true,
    });
  }
  return arrivals;
}
