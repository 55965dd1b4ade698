// Reading the audit trail: control events within a window, oldest first, whichever way they came in.
// The timeline keeps the original record of an event; nothing here drops or replaces one.

import { instant, toRfc3339 } from '../../base/time.ts';
import type { TimedEvent } from '../../core/events/timed-event.ts';
import { countByKind } from '../../core/events/timeline.ts';
import { replayTimeline } from '../../core/events/timeline-replay.ts';
import { type ControlRoute, json, needs } from '../../io/http/control-route.ts';
import type { EventQuery, StoredEvent } from '../../io/postgres/control-events.ts';
import { auditEventsSchema, auditQuerySchema } from '../../protocol/control/platform-schemas.ts';

const eventsMax = 1000;

type Recorded = TimedEvent & { readonly payload: StoredEvent };

function timed(event: StoredEvent): Recorded {
  return { id: event.id, timestamp: event.occurredAt, kind: event.kind, payload: event };
}

function eventWire(event: StoredEvent) {
  return {
    stream: event.stream,
    sequence: event.sequence,
    id: event.id,
    kind: event.kind,
    version: event.version,
    occurred_at: toRfc3339(event.occurredAt),
    actor: event.actor,
    subject: event.subject,
    data: event.data,
    prev_hash: event.prevHash,
    hash: event.hash,
  };
}

/** The answer over events as the store gave them; `gapMs` undefined looks for no gaps. */
export function auditTrail(stored: readonly StoredEvent[], gapMs: number | undefined) {
  const replayed = replayTimeline(stored.map(timed), gapMs ?? Number.POSITIVE_INFINITY);
  const { events, kind } = replayed;
  const gaps = replayed.kind === 'incomplete' ? replayed.gaps : [];
  return {
    count: events.length,
    events: events.map(({ payload }) => eventWire(payload)),
    by_kind: Object.fromEntries(countByKind(events)),
    complete: kind === 'complete',
    gaps: gaps.map(({ from, to }) => ({
      from: toRfc3339(instant(from)),
      to: toRfc3339(instant(to)),
    })),
  };
}

function momentOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}

export function auditRoutes(options: {
  readonly read: (query: EventQuery) => Promise<readonly StoredEvent[]>;
}): ControlRoute[] {
  return [
    {
      service: 'audit',
      method: 'GET',
      path: '/api/v1/audit/events',
      needs: needs('audit:read'),
      summary: 'Control events within a window, oldest first',
      query: auditQuerySchema,
      answer: auditEventsSchema,
      handle: async (call) => {
        const { from, to, limit, gap_seconds, ...rest } = auditQuerySchema.parse(call.query);
        const stored = await options.read({
          ...rest,
          fromMs: momentOf(from),
          toMs: momentOf(to),
          limit: Math.min(limit, eventsMax),
        });
        return json(auditTrail(stored, gap_seconds === undefined ? undefined : gap_seconds * 1000));
      },
    },
  ];
}
