// Traces of real use as workloads for the demo, streamed: one tick of rows is in memory at a time.
// What a line means is in core/workload/traces/trace-row.ts.
//
// All formats give the type of the generated workload, in order, with time from the first row. Rows
// without output are requests that failed at their origin and are left out. Only BurstGPT hints at
// streaming (its conversations come from a chat page); elsewhere it is drawn from the seed.

import { type Random, seededRandom } from '../../base/random.ts';
import type { Result } from '../../base/result.ts';
import { streamShareDefault, type WorkloadRequest } from '../../core/workload/requests.ts';
import { spreadTick, tickMsOf } from '../../core/workload/traces/shared-ticks.ts';
import {
  bareLine,
  readTraceHead,
  readTraceRow,
  type TraceHead,
  type TraceRow,
} from '../../core/workload/traces/trace-row.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { textLines } from '../../io/files/text-lines.ts';

export type TraceOptions = {
  /** Decides which requests stream where the trace does not tell. */
  readonly seed: number;
};

/**
 * Streams the requests of `file`. Throws `config_invalid` with file and line for a file that cannot
 * be read, an unknown format, a bad row, and time that goes back.
 */
export async function* readTrace(
  file: string,
  options: TraceOptions,
): AsyncGenerator<WorkloadRequest> {
  const rows = rowsOf(file);
  const timed = withoutTicks(rows);
  const random = seededRandom(options.seed);
  let firstMs: number | undefined;
  for await (const row of timed) {
    firstMs ??= row.clockMs;
    const stream = row.stream ?? drawStream(random);
    if (row.outputTokens === 0) continue;
    yield {
      atMs: Math.floor(row.clockMs - firstMs),
      promptTokens: Math.max(1, row.promptTokens),
      outputTokens: row.outputTokens,
      stream,
    };
  }
}

function drawStream(random: Random): boolean {
  return random.nextUnit() < streamShareDefault;
}

type TickedRow = TraceRow & { readonly tickMs: number };

async function* rowsOf(file: string): AsyncGenerator<TickedRow> {
  let head: TraceHead | undefined;
  let lineNumber = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  for await (const text of textLines(file)) {
    lineNumber++;
    const fail = (what: string): never => {
      throw new TensorForgeError('config_invalid', `${file} line ${lineNumber}: ${what}`);
    };
    const line = bareLine(text);
    const known: TraceHead = head ?? orFail(readTraceHead(line), fail);
    const isHead = head === undefined && !known.isRow;
    head = known;
    if (isHead || line.trim() === '') continue;
    const row = orFail(readTraceRow(known, line), fail);
    if (row.clockMs < lastMs) fail('its time is before that of the row above; sort the file');
    lastMs = row.clockMs;
    yield { ...row, tickMs: tickMsOf(known.format) };
  }
  if (head === undefined) throw new TensorForgeError('config_invalid', `${file} is empty`);
}

function orFail<Value>(result: Result<Value, string>, fail: (what: string) => never): Value {
  return result.ok ? result.value : fail(result.error);
}

/** Spreads rows that share a tick evenly over it, up to the next row where that is sooner. */
async function* withoutTicks(rows: AsyncGenerator<TickedRow>): AsyncGenerator<TraceRow> {
  let tick: TickedRow[] = [];
  for await (const row of rows) {
    if (row.tickMs === 0) {
      yield row;
      continue;
    }
    if (tick[0] !== undefined && tick[0].clockMs !== row.clockMs) {
      yield* spreadTick(tick, row.tickMs, row.clockMs);
      tick = [];
    }
    tick.push(row);
  }
  yield* spreadTick(tick, tick[0]?.tickMs ?? 0);
}
