// Group 2, timed events: documented samples, and order, keep rule and closed windows on histories
// derived from the index.

import type { TimedEvent } from '../../support/documents.ts';
import { ascending, equal, permutation, that } from '../expectations.ts';
import { series, shuffled } from '../series.ts';
import type { Group } from './group.ts';

function at(timestamp: number, id: string, kind = 'admitted'): TimedEvent {
  return { id, timestamp, kind, payload: `${id}@${timestamp}` };
}

function history(index: number): TimedEvent[] {
  const next = series(index);
  const events = Array.from({ length: 2 + next(7) }, () => at(next(12), `e${next(5)}`));
  return shuffled(events, next);
}

const time = (event: TimedEvent): number => event.timestamp;

export const eventsGroup: Group = {
  name: 'events',
  check({ events }, i) {
    const t = i % 100;
    const sorted = events.sort_events_by_time([at(t + 50, 'late'), at(t, 'early')]);
    equal('two events ascending', sorted.map(time), [t, t + 50]);

    const kept = events.dedup_by_id([at(t + 10, 'x'), at(t, 'x'), at(t + 5, 'y')]);
    equal('of one id the earliest stays', kept, [at(t, 'x'), at(t + 5, 'y')]);

    const three = [at(t, 'a'), at(t + 10, 'b'), at(t + 20, 'c')];
    equal('a window of two', events.filter_time_window(three, t, t + 10), three.slice(0, 2));

    const kinds = events.count_by_kind([at(t, 'a', 'routed'), at(t, 'b', 'settled')]);
    equal('one of each kind', kinds, { routed: 1, settled: 1 });

    const silent = [at(500, 'c'), at(100, 'a'), at(200, 'b')];
    equal('the one gap above the threshold', events.detect_gaps(silent, 200), [[200, 500]]);
    equal('a gap as long as the threshold is none', events.detect_gaps(silent, 300), []);

    const buckets = three.map((event) => [Math.floor(event.timestamp / 10), [event]]);
    equal('buckets by time', events.batch_events(three, 10), Object.fromEntries(buckets));
    that('a rate', events.event_rate(three) > 0);
    equal('its numerator is the count', events.event_rate(three), 3 / 20);
    const streams = events.merge_event_streams([at(t + 1, 'a')], [at(t, 'b')]);
    equal('two streams in one', streams, [at(t, 'b'), at(t + 1, 'a')]);
    const before = events.correlate_workflow_events(
      [100],
      [at(90, 'a'), at(79, 'b'), at(100, 'c')],
      20,
    );
    equal('what preceded the transition', before, [[at(90, 'a')]]);

    const any = history(i);
    const ordered = events.sort_events_by_time(any);
    ascending('any history ascending', ordered, time);
    permutation('and complete', ordered, any);
    const earliest = events.dedup_by_id(any);
    equal('ids of the kept', earliest.length, new Set(any.map(({ id }) => id)).size);
    for (const event of earliest) {
      const own = any.filter(({ id }) => id === event.id).map(time);
      equal('kept is the earliest', event.timestamp, Math.min(...own));
    }
    const [start, end] = [i % 9, (i % 9) + 3];
    equal(
      'a window is closed on both sides',
      events.filter_time_window(any, start, end),
      any.filter(({ timestamp }) => timestamp > start - 1 && timestamp < end + 1),
    );
  },
};
