// The audit trail as a page reads it: the newest events of a window, newest first. The server gives
// at most 1000 at once; afterwards only what came since is asked for.
//
// I1  Every event stands once, named by stream and sequence, newest first, at most `eventsMax`, and
//     there is no gap between two of them.
// I2  `cut` is true exactly when the window holds earlier events than those.

import type { AuditEventsWire, AuditEventWire } from './wire.ts';

export const auditRanges = ['1h', '24h', '7d', '30d'] as const;
export type AuditRange = (typeof auditRanges)[number];

export type AuditFilter = {
  /** Up to now. */
  readonly range: AuditRange;
  readonly stream?: string | undefined;
  readonly kind?: string | undefined;
};

const hourMs = 3_600_000;
const rangeMs: Readonly<Record<AuditRange, number>> = {
  '1h': hourMs,
  '24h': 24 * hourMs,
  '7d': 168 * hourMs,
  '30d': 720 * hourMs,
};

export const auditPageSize = 1000;
const eventsMax = 5000;
/** Writers of different streams may commit a little out of the order of their times. */
const overlapMs = 10_000;

export type Trail = {
  /** Newest first. */
  readonly events: readonly AuditEventWire[];
  readonly cut: boolean;
};

/** Where the window of `range` begins, RFC 3339. */
export function windowStart(range: AuditRange, nowMs: number): string {
  return new Date(nowMs - rangeMs[range]).toISOString();
}

/** `policy/12`: names an event within the installation. */
export function eventKey({ stream, sequence }: AuditEventWire): string {
  return `${stream}/${sequence}`;
}

function byNewest(a: AuditEventWire, b: AuditEventWire): number {
  if (a.occurred_at !== b.occurred_at) return a.occurred_at < b.occurred_at ? 1 : -1;
  if (a.stream !== b.stream) return a.stream < b.stream ? 1 : -1;
  return b.sequence - a.sequence;
}

/** Both lists as one (I1). */
export function mergeEvents(
  held: readonly AuditEventWire[],
  fresh: readonly AuditEventWire[],
): readonly AuditEventWire[] {
  const byKey = new Map(held.map((event) => [eventKey(event), event]));
  const known = byKey.size;
  for (const event of fresh) byKey.set(eventKey(event), event);
  if (byKey.size === known) return held;
  return [...byKey.values()].sort(byNewest);
}

/** From where to read on: a little before the newest event that is held, never before the window. */
function readFrom(held: Trail | undefined, start: string): string {
  const newest = Date.parse(held?.events[0]?.occurred_at ?? '');
  if (Number.isNaN(newest)) return start;
  const from = new Date(newest - overlapMs).toISOString();
  return from > start ? from : start;
}

export type TrailReading = {
  /** RFC 3339, of the window. */
  readonly start: string;
  /** What was read of the same window before. */
  readonly held: Trail | undefined;
  /** One answer of the server: the newest events from `from` on. */
  readonly page: (from: string) => Promise<AuditEventsWire>;
};

/** The trail up to now: what is held and what came since. */
export async function readTrail({ start, held, page }: TrailReading): Promise<Trail> {
  const answer = await page(readFrom(held, start));
  // More came than one answer holds, so what is held lies before a gap.
  const kept = answer.more ? undefined : held;
  const inWindow = (kept?.events ?? []).filter((event) => event.occurred_at >= start);
  const all = mergeEvents(inWindow, answer.events);
  const cut = answer.more || kept?.cut === true || all.length > eventsMax;
  return { events: all.slice(0, eventsMax), cut };
}
