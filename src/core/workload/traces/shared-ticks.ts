// Rows that share a tick of the clock that recorded them, spread evenly over it. Mooncake notes
// arrivals in ticks of 3 s with up to 23 requests in one; played as they stand they would be bursts
// that nobody sent (data notes of the trace).

import type { TraceFormat } from './trace-row.ts';

type Clocked = { readonly clockMs: number };

const mooncakeTickMs = 3000;

/** Milliseconds of one tick; 0 for clocks that are fine enough to play as they stand. */
export function tickMsOf(format: TraceFormat): number {
  return format === 'mooncake' ? mooncakeTickMs : 0;
}

/**
 * The rows of one tick, of one `clockMs`, in order: row i of n stands at (i + 1/2) / n of the tick.
 * `nextClockMs` is the time of the row after them: a tick that ends sooner is filled sooner.
 */
export function spreadTick<Row extends Clocked>(
  tick: readonly Row[],
  tickMs: number,
  nextClockMs: number = Number.POSITIVE_INFINITY,
): Row[] {
  return tick.map((row, index) => {
    const lengthMs = Math.min(tickMs, nextClockMs - row.clockMs);
    return { ...row, clockMs: row.clockMs + ((index + 0.5) * lengthMs) / tick.length };
  });
}

/** All rows, ascending by `clockMs`, with each tick spread. */
export function spreadTicks<Row extends Clocked>(rows: readonly Row[], tickMs: number): Row[] {
  const spread: Row[] = [];
  let from = 0;
  for (let to = 1; to <= rows.length; to++) {
    if (to < rows.length && rows[to]?.clockMs === rows[from]?.clockMs) continue;
    spread.push(...spreadTick(rows.slice(from, to), tickMs, rows[to]?.clockMs));
    from = to;
  }
  return spread;
}
