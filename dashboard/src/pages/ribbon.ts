// The last 24 hours of one backend as stretches of one state, drawn to scale. What nobody saw stays
// empty: a ribbon that begins at noon says nothing about the morning.
//
// I1  Parts follow each other in time, inside the window, none of them empty.
// I2  The shares in the summary are of the time that is known, not of the window.

import type { StatusSpanWire } from '../api/wire.ts';
import { formatShare } from '../format/numbers.ts';
import { formatClock, formatInstant, formatSpan } from '../format/time.ts';
import { backendMark, type Mark } from '../status/status.ts';

export const ribbonMs = 24 * 3_600_000;

export type RibbonPart = {
  readonly fromMs: number;
  readonly toMs: number;
  /** It lasts: `toMs` is now. */
  readonly lasts: boolean;
  readonly mark: Mark;
  /** The cause, as the server says it. */
  readonly words: string;
};

function partOf(span: StatusSpanWire, nowMs: number, afterMs: number): RibbonPart {
  const mark = backendMark({ status: span.status, status_reason: span.reason });
  const fromMs = Math.max(Date.parse(span.from), nowMs - ribbonMs, afterMs);
  const toMs = span.to === null ? nowMs : Math.min(Date.parse(span.to), nowMs);
  return { fromMs, toMs, lasts: span.to === null, mark, words: span.words };
}

/** The stretches inside the window up to `nowMs`, oldest first (I1). */
export function ribbonParts(
  history: readonly StatusSpanWire[],
  nowMs: number,
): readonly RibbonPart[] {
  const parts: RibbonPart[] = [];
  for (const span of history) {
    const part = partOf(span, nowMs, parts.at(-1)?.toMs ?? Number.NEGATIVE_INFINITY);
    if (part.toMs > part.fromMs) parts.push(part);
  }
  return parts;
}

/** `12:01:07 to 12:05:10, 4 m 3 s: Unhealthy, connection refused`. */
export function partWords({ fromMs, toMs, lasts, mark, words }: RibbonPart): string {
  const until = lasts ? 'now' : formatClock(toMs);
  const cause = words === '' ? '' : `, ${words}`;
  return `${formatClock(fromMs)} to ${until}, ${formatSpan(toMs - fromMs)}: ${mark.words}${cause}`;
}

/** What the ribbon shows, for those who do not see it. */
export function ribbonSummary(parts: readonly RibbonPart[]): string {
  const first = parts[0];
  const last = parts.at(-1);
  if (first === undefined || last === undefined) return 'No state is known of the last 24 h.';
  const known = parts.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  const byWords = new Map<string, number>();
  for (const { mark, fromMs, toMs } of parts) {
    byWords.set(mark.words, (byWords.get(mark.words) ?? 0) + toMs - fromMs);
  }
  const shares = [...byWords]
    .sort(([, a], [, b]) => b - a)
    .map(([words, ms]) => `${words} ${formatShare(ms, known)}`);
  const changes = parts.length === 1 ? 'no change' : `${parts.length - 1} changes`;
  return `Known since ${formatInstant(first.fromMs)} (${formatSpan(last.toMs - first.fromMs)}): ${shares.join(', ')}; ${changes}.`;
}
