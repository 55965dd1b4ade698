// Defects of events, resilience and workflow.

import { type Defect, planted } from './defect.ts';

export const historyDefects: readonly Defect[] = [
  planted('events are sorted newest first', 'events', 'sort_events_by_time', (sound) => (list) => {
    return sound(list).toReversed();
  }),
  planted('of one id the latest event stays', 'events', 'dedup_by_id', (sound) => (list) => {
    const turned = list.map((event) => ({ ...event, timestamp: -event.timestamp }));
    return sound(turned)
      .map((event) => ({ ...event, timestamp: -event.timestamp }))
      .reverse();
  }),
  planted('a window is open at its end', 'events', 'filter_time_window', (sound) => {
    return (list, start, end) => sound(list, start, end - 1);
  }),
  planted('C2: a gap is inclusive', 'events', 'detect_gaps', (sound) => (list, threshold) => {
    return sound(list, threshold - 1);
  }),
  planted('the rate counts intervals', 'events', 'event_rate', (sound) => (list) => {
    return (sound(list) * (list.length - 1)) / list.length;
  }),
  planted(
    'an event at the transition preceded it',
    'events',
    'correlate_workflow_events',
    (sound) => {
      return (times, list, window) =>
        sound(
          times.map((time) => time + 1),
          list,
          window + 1,
        );
    },
  ),
  planted(
    'kinds are counted by distinct id',
    'events',
    'count_by_kind',
    (sound) => (list) => {
      return sound(list.filter(({ id }, at) => list.findIndex((other) => other.id === id) === at));
    },
    'examples',
  ),
  planted('replay answers newest first', 'resilience', 'replay', (sound) => (list) => {
    return sound(list).toReversed();
  }),
  planted('replay keeps the first arrival', 'resilience', 'replay', (sound) => (list) => {
    return sound(list.filter(({ id }, at) => list.findIndex((other) => other.id === id) === at));
  }),
  planted('delivery keeps the newest', 'resilience', 'deduplicate', () => (list) => {
    return list.filter(({ id }, at) => list.findLastIndex((other) => other.id === id) === at);
  }),
  planted('a batch is reversed', 'resilience', 'process_replay_batch', (sound) => (list) => {
    return sound(list).toReversed();
  }),
  planted('a sequence window is open at its end', 'resilience', 'replay_window', (sound) => {
    return (list, min, max) => sound(list, min, max - 1);
  }),
  planted('compaction loses superseded ids', 'resilience', 'compact_events', (sound) => (list) => {
    return sound(list).slice(1);
  }),
  planted('the delay grows by multiples', 'resilience', 'retry_delay', () => (base, attempt) => {
    return base * (attempt + 1);
  }),
  planted(
    'the breaker ratio is strict',
    'resilience',
    'should_trip',
    () => (bad, all, threshold) => {
      return bad / all > threshold;
    },
  ),
  planted('a quorum is strict', 'resilience', 'health_quorum', (sound) => (statuses, fraction) => {
    return sound(statuses, fraction + 1e-9);
  }),
  planted('the level at its edge is the worse', 'resilience', 'degradation_level', (sound) => {
    return (rate) => sound(rate + 1e-9);
  }),
  planted('one success closes a breaker', 'resilience', 'CircuitBreaker', (sound) => {
    return (failures) => sound(failures, 1);
  }),
  planted('a half-open breaker bears failures', 'resilience', 'CircuitBreaker', (sound) => {
    return (failures, successes) => {
      const breaker = sound(failures, successes);
      const record_failure = () => {
        if (breaker.state() !== 'half_open') breaker.record_failure();
      };
      return { ...breaker, record_failure };
    };
  }),
  planted('a target is judged after the move', 'workflow', 'validate_and_transition', () => {
    return (engine, id, to, timestamp, targets) => {
      const moved = engine.transition(id, to, timestamp);
      return { ...moved, success: moved.success && targets.includes(to) };
    };
  }),
  planted(
    'a batch moves what it can',
    'workflow',
    'batch_transition_atomic',
    () => (engine, list) => {
      const results = list.map(([id, to, timestamp]) => engine.transition(id, to, timestamp));
      return [results.every(({ success }) => success), results];
    },
  ),
  planted('C9: what runs cannot be cancelled', 'workflow', 'can_cancel', (sound) => (state) => {
    return state !== 'departed' && sound(state);
  }),
  planted(
    'C10: throughput per minute',
    'workflow',
    'entity_throughput',
    (sound) => (done, elapsed) => {
      return sound(done, elapsed) / 60;
    },
  ),
  planted('stale is inclusive', 'workflow', 'is_stale', () => (entered, now, most) => {
    return now - entered >= most;
  }),
  planted('compaction keeps the first record', 'workflow', 'compact_history', (sound) => (list) => {
    return sound(
      list.filter((one, at) => list.findIndex((other) => other.entity_id === one.entity_id) === at),
    );
  }),
  planted('the first pair of a path is not looked at', 'workflow', 'valid_path', (sound) => {
    return (states) => sound(states.slice(1));
  }),
  planted(
    'a known id is registered again',
    'workflow',
    'batch_register',
    (sound) => (engine, ids) => {
      return sound(engine, ids) || ids.length;
    },
  ),
];
