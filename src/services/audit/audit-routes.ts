// Reading the audit trail: the control events of one stream in its sequence, or those of all streams
// as one timeline, oldest first. It keeps every original record; nothing here drops or replaces one.

import { instant, toRfc3339 } from '../../base/time.ts';
import { eventRecord } from '../../core/events/control-event.ts';
import type { TimedEvent } from '../../core/events/timed-event.ts';
import { countByKind } from '../../core/events/timeline.ts';
import { replayTimeline } from '../../core/events/timeline-replay.ts';
import { type ControlRoute, json, needs } from '../../io/http/control-route.ts';
import type { EventQuery, StoredEvent } from '../../io/postgres/control-events.ts';
import { auditEventsSchema, auditQuerySchema } from '../../protocol/control/platform-schemas.ts';

const eventsMax = 1000;

function timed({ id, occurredAt, kind }: StoredEvent): TimedEvent {
  return { id, timestamp: occurredAt, kind, payload: undefined };
}

/** The answer over `events`, in the order in which the store gave them. */
function auditTrail(events: readonly StoredEvent[], hasMore: boolean, silenceMs: number) {
  const replayed = replayTimeline(events.map(timed), silenceMs);
  const gaps = replayed.kind === 'incomplete' ? replayed.gaps : [];
  return {
    count: events.length,
    events: events.map((event) => ({
      ...eventRecord(event.prevHash, event),
      hash: event.hash,
    })),
    by_kind: Object.fromEntries(countByKind(replayed.events)),
    more: hasMore,
    complete: replayed.kind === 'complete',
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
        const { from, to, gap_seconds, newest, ...rest } = auditQuerySchema.parse(call.query);
        const limit = Math.min(rest.limit, eventsMax);
        const isNewest = newest === 'true';
        const stored = await options.read({
          ...rest,
          isNewest,
          fromMs: momentOf(from),
          toMs: momentOf(to),
          isTimeline: rest.stream === undefined,
          // One more tells whether the answer is all there is.
          limit: limit + 1,
        });
        const events = isNewest ? stored.slice(-limit) : stored.slice(0, limit);
        const silenceMs = (gap_seconds ?? Number.POSITIVE_INFINITY) * 1000;
        return json(auditTrail(events, stored.length > limit, silenceMs));
      },
    },
  ];
}
