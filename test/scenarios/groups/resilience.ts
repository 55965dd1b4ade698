// Group 8, resilience and replay: documented samples, and replay against the definition of its keep
// rule: whatever the order, the grouping and the repetition of what was delivered (RD1 to RD4).

import type { ReplayEvent } from '../../support/documents.ts';
import { ascending, equal, exactly, permutation, that } from '../expectations.ts';
import { newestOfEach } from '../oracles.ts';
import { series, shuffled } from '../series.ts';
import { cycled, type Group, turn } from './group.ts';

const rank = (event: ReplayEvent): number => event.sequence;

function history(index: number): ReplayEvent[] {
  const next = series(index);
  return Array.from({ length: 2 + next(8) }, () => ({ id: `k-${next(4)}`, sequence: next(12) }));
}

export const resilienceGroup: Group = {
  name: 'resilience',
  check({ resilience }, i) {
    const [k, z, s] = [`k-${i % 17}`, `z-${i % 13}`, 1 + (i % 10)];
    const events = [
      { id: k, sequence: s },
      { id: z, sequence: s + 5 },
      { id: k, sequence: s + 5 },
    ];
    const replayed = resilience.replay(events);
    that('replay keeps at least two', replayed.length >= 2);
    equal('of one id the newest', replayed, [
      { id: k, sequence: s + 5 },
      { id: z, sequence: s + 5 },
    ]);
    const twice = [events[0], events[2]].flatMap((event) => (event === undefined ? [] : [event]));
    equal('delivery keeps the first', resilience.deduplicate(twice), events.slice(0, 1));
    that('two orders converge', resilience.replay_converges(events, events.toReversed()));
    equal('other histories do not', resilience.replay_converges(events, twice), false);
    equal('a window of one', resilience.replay_window(twice, s, s), events.slice(0, 1));
    const turned = [z, k].map((id) => ({ id, sequence: i % 9 }));
    equal('in order, ties by id', resilience.event_ordering(turned), turned.toReversed());

    const base = 100 + (i % 50);
    equal('four times the delay', resilience.retry_delay(base, 2), base * 4);
    equal('with jitter', resilience.retry_delay_with_jitter(base, 2, 0.25), base * 5);
    equal('held at the ceiling', resilience.adaptive_backoff(base, 2 + (i % 90), 300), 300);
    that('trips at eight of ten', resilience.should_trip(8, 10, 0.8));
    equal('not at seven', resilience.should_trip(7, 10, 0.8), false);
    const [successes, failures] = [8 + (i % 5), 2 + (i % 3)];
    const rate = resilience.recovery_rate(successes, failures);
    exactly('share of successes', rate * (successes + failures), successes);
    const level = cycled(
      [
        [0, 'healthy'],
        [0.25, 'minor'],
        [0.5, 'warning'],
        [0.75, 'degraded'],
        [0.76, 'critical'],
      ] as const,
      i,
    );
    equal('a level at its edge', resilience.degradation_level(level[0]), level[1]);
    equal('a little is minor', resilience.degradation_level(0.1), 'minor');
    equal('a full bulkhead', resilience.bulkhead_permits_available(10, 10), false);
    that('one ill dependency is enough', resilience.cascade_failure_check([true, false, true]));
    that('a quorum is inclusive', resilience.health_quorum([true, true, true, false], 0.75));
    const first = 1 + (i % 5);
    const batch = [first + 2, first, first + 1].map((sequence) => ({
      id: `b-${sequence}`,
      sequence,
    }));
    equal('a batch ascends', resilience.process_replay_batch(batch).map(rank), [
      first,
      first + 1,
      first + 2,
    ]);
    that('due at the interval', resilience.checkpoint_interval_ok(i + 10, i, 10));
    equal('not before', resilience.checkpoint_interval_ok(i + 9, i, 10), false);

    checkAnyHistory(resilience, i);
    checkBreaker(resilience, i);
  },
};

type Resilience = Parameters<Group['check']>[0]['resilience'];

function checkAnyHistory(resilience: Resilience, i: number): void {
  const any = history(i);
  const state = resilience.replay(any);
  equal('exactly the newest of each id', state, newestOfEach(any));
  const delivered = shuffled([...any, ...any.slice(i % any.length)], series(i + 1));
  equal('RD1 and RD2: any order, any repetition', resilience.replay(delivered), state);
  equal('RD2: replay of a replay', resilience.replay(state), state);
  that('RD3: the nodes converge', resilience.replay_converges(any, delivered));
  equal(
    'RD6: what is compacted replays alike',
    resilience.replay(resilience.compact_events(any)),
    state,
  );
  const [from, to] = [turn(i) % 7, (turn(i) % 7) + 4];
  const inside = any.filter(({ sequence }) => sequence > from - 1 && sequence < to + 1);
  equal('RD5: a window is closed', resilience.replay_window(any, from, to), inside);
  const ordered = resilience.ordered_replay_window(any, from, to);
  ascending('RD4: in sequence', ordered, rank);
  permutation('and complete', ordered, inside);
  const applied = any.slice(0, i % any.length).map(rank);
  const pending = any.filter(({ sequence }) => !applied.includes(sequence));
  equal('what is pending', resilience.idempotent_apply(any, applied), pending);
}

function checkBreaker(resilience: Resilience, i: number): void {
  const [failuresToOpen, successesToClose] = [1 + (i % 5), 1 + (i % 3)];
  const breaker = resilience.CircuitBreaker(failuresToOpen, successesToClose);
  for (let at = 1; at < failuresToOpen; at += 1) breaker.record_failure();
  equal('one failure short', breaker.state(), 'closed');
  breaker.record_failure();
  equal('open at the threshold', breaker.state(), 'open');
  equal('an open breaker permits nothing', breaker.is_call_permitted(), false);
  breaker.attempt_reset();
  breaker.record_failure();
  equal('one failure reopens', breaker.state(), 'open');
  breaker.attempt_reset();
  for (let at = 1; at < successesToClose; at += 1) breaker.record_success();
  equal('one success short', breaker.state(), 'half_open');
  breaker.record_success();
  equal('closed again', breaker.state(), 'closed');
}
