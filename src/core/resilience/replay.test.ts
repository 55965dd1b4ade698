// Goal: the state of a history depends on the set of its events alone. Method: tables for the rules
// and their edges, then RD1 to RD4, RD6 and RD10 of the platform specification over random histories,
// compared as bytes of their canonical text.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { canonicalJson } from '../../base/canonical.ts';
import { anyOrder, delivery, history, shuffled, streamHistory } from './history.test-support.ts';
import { compact, dedupeFirst, pendingEvents, replay, replayConverges } from './replay.ts';
import type { ReplayEvent } from './replay-event.ts';

function event(id: string, sequence: number, payload?: ReplayEvent['payload']): ReplayEvent {
  return payload === undefined ? { id, sequence } : { id, sequence, payload };
}

function stateOf(events: readonly ReplayEvent[]): readonly ReplayEvent[] {
  const state = replay(events);
  assert.ok(state.ok, state.ok ? '' : state.error.message);
  return state.value;
}

function bytesOf(events: readonly ReplayEvent[]): string {
  return canonicalJson(
    stateOf(events).map(({ id, sequence, payload }) => ({ id, sequence, payload })),
  );
}

test('replay keeps the highest sequence of each id, ascending by sequence, then id', () => {
  const cases: readonly [string, readonly ReplayEvent[], readonly ReplayEvent[]][] = [
    ['nothing', [], []],
    ['one', [event('a', 1)], [event('a', 1)]],
    ['superseded', [event('a', 1), event('a', 3), event('a', 2)], [event('a', 3)]],
    ['two ids', [event('b', 9), event('a', 4), event('b', 2)], [event('a', 4), event('b', 9)]],
    ['ties by id', [event('b', 5), event('a', 5)], [event('a', 5), event('b', 5)]],
    ['code units', [event('a', 5), event('B', 5)], [event('B', 5), event('a', 5)]],
    ['numbers, not texts', [event('a', 10), event('b', 9)], [event('b', 9), event('a', 10)]],
    ['above 2^32', [event('a', 2 ** 33), event('a', 2 ** 33 + 1)], [event('a', 2 ** 33 + 1)]],
  ];
  for (const [name, events, state] of cases) assert.deepEqual(stateOf(events), state, name);
});

test('one id and sequence with two payloads is refused as tampering, the same everywhere', () => {
  const tampered = [event('b', 7, 1), event('a', 4, { x: 1 }), event('b', 7, 2), event('b', 9)];
  const words = 'event b at sequence 7 occurs with different payloads, but may have only one';
  for (let seed = 0; seed < 20; seed += 1) {
    const outcome = replay(anyOrder(tampered, seed));
    assert.deepEqual(outcome, { ok: false, error: { code: 'replay_tampered', message: words } });
  }
  for (const use of [compact(tampered), replay([event('a', 1, null), event('a', 1)])]) {
    assert.equal(use.ok ? 'accepted' : use.error.code, 'replay_tampered');
  }
});

test('payloads are compared as canonical text, so the order of their members does not matter', () => {
  const twice = [event('a', 1, { x: 1, y: [2] }), event('a', 1, { y: [2], x: 1 })];
  assert.equal(stateOf(twice).length, 1);
  assert.equal(stateOf([event('a', 1), { id: 'a', sequence: 1, payload: undefined }]).length, 1);
});

test('a sequence without a place in the order is refused by name', () => {
  for (const sequence of [Number.NaN, Number.POSITIVE_INFINITY, 1.5, 2 ** 53]) {
    const outcome = replay([event('a', 1), event('odd', sequence)]);
    assert.equal(outcome.ok ? 'accepted' : outcome.error.code, 'invalid_replay_event');
    assert.match(
      outcome.ok ? '' : outcome.error.message,
      /event "odd": sequence is .* safe integer/,
    );
  }
});

test('replay leaves its input alone', () => {
  const events = Object.freeze([event('b', 2), event('a', 1)]);
  replay(events);
  assert.deepEqual(events, [event('b', 2), event('a', 1)]);
});

test('two histories converge exactly when they amount to the same state', () => {
  const a = [event('a', 1), event('a', 2)];
  const cases: readonly [string, readonly ReplayEvent[], boolean][] = [
    ['itself', a, true],
    ['only what counts', [event('a', 2)], true],
    ['less', [event('a', 1)], false],
    ['another id', [event('b', 2)], false],
    ['another payload', [event('a', 2, 1)], false],
    ['nothing', [], false],
  ];
  for (const [name, b, expected] of cases) assert.equal(replayConverges(a, b), expected, name);
  const tampered = [event('a', 1, 1), event('a', 1, 2)];
  assert.equal(replayConverges(tampered, tampered), false, 'refused histories never converge');
  assert.equal(replayConverges([], []), true, 'two empty ones');
});

test('compaction drops what is superseded and keeps nothing of nothing', () => {
  assert.deepEqual(compact([]), { ok: true, value: [] });
  const compacted = compact([event('a', 2), event('b', 1), event('a', 1)]);
  assert.deepEqual(compacted, { ok: true, value: [event('b', 1), event('a', 2)] });
});

test('delivery keeps the first arrival of each id in input order, whatever the sequence', () => {
  const arrivals = [event('b', 1), event('a', 9), event('b', 7), event('a', 1)];
  assert.deepEqual(dedupeFirst(arrivals), [event('b', 1), event('a', 9)]);
  assert.deepEqual(dedupeFirst([]), []);
});

test('pending are those whose sequence is not applied, in input order', () => {
  const events = [event('c', 3), event('a', 1), event('b', 2)];
  assert.deepEqual(pendingEvents(events, new Set([1])), [event('c', 3), event('b', 2)]);
  assert.deepEqual(pendingEvents(events, new Set()), events);
  assert.deepEqual(pendingEvents(events, new Set([1, 2, 3])), []);
});

test('a long history with many applied sequences is replayed and cut without a scan per event', () => {
  const events = Array.from({ length: 100_000 }, (_, i) => event(`id-${i % 1000}`, i));
  const applied = new Set(events.slice(0, 99_000).map(({ sequence }) => sequence));
  assert.equal(pendingEvents(events, applied).length, 1000);
  assert.equal(stateOf(events).length, 1000);
});

test('a history delivered twice and shuffled replays to identical bytes (E.5 row 7)', () => {
  const events = Array.from({ length: 200 }, (_, i) => event(`job-${i % 37}`, 1000 + i, { at: i }));
  const shuffledTwice = anyOrder([...events, ...events], 7);
  assert.equal(bytesOf(shuffledTwice), bytesOf(events));
});

holds(
  'RD1, RD2, RD10: any order and any repetition of a history replays to identical bytes',
  fc.property(delivery, ({ raw, delivered }) => {
    assert.equal(bytesOf(delivered), bytesOf(raw));
    assert.ok(replayConverges(raw, delivered));
  }),
);

holds(
  'RD2: the replay of a state is that state',
  fc.property(history, (events) => {
    assert.deepEqual(stateOf(stateOf(events)), stateOf(events));
  }),
);

/** A delivery cut into a few groups, each of them replayed on its own before they meet. */
const grouped = delivery.chain(({ raw, delivered }) =>
  fc.array(fc.nat(delivered.length), { maxLength: 4 }).map((cuts) => ({
    raw,
    delivered,
    cuts: [0, ...cuts.sort((a, b) => a - b), delivered.length],
  })),
);

holds(
  'RD3: nodes that got the same set in different orders and groupings hold equal states',
  fc.property(grouped, ({ raw, delivered, cuts }) => {
    const groups = cuts.slice(1).map((cut, i) => delivered.slice(cuts[i], cut));
    const merged = groups.flatMap(stateOf);
    const oneByOne = groups.reduce((state, group) => stateOf(state.concat(group)), stateOf([]));
    assert.equal(bytesOf(merged), bytesOf(raw));
    assert.equal(bytesOf(oneByOne), bytesOf(raw));
  }),
);

holds(
  'RD4: a state ascends by sequence, then id, and holds the newest of each id and nothing else',
  fc.property(history, (events) => {
    const state = stateOf(events);
    for (const [i, next] of state.entries()) {
      const before = state[i - 1];
      if (before === undefined) continue;
      const ascends = before.sequence < next.sequence;
      assert.ok(ascends || (before.sequence === next.sequence && before.id < next.id));
    }
    const newest = new Map<string, number>();
    for (const { id, sequence } of events) {
      newest.set(id, Math.max(sequence, newest.get(id) ?? Number.NEGATIVE_INFINITY));
    }
    assert.deepEqual(new Map(state.map(({ id, sequence }) => [id, sequence])), newest);
  }),
);

holds(
  'RD6: a compacted history replays to the same state',
  fc.property(delivery, ({ raw, delivered }) => {
    const compacted = compact(delivered);
    assert.ok(compacted.ok);
    assert.equal(bytesOf(compacted.value), bytesOf(raw));
  }),
);

holds(
  'RD6: the state at a sequence plus the pending events is the state of a full replay',
  fc.property(delivery, fc.integer({ min: -4, max: 13 }), ({ raw, delivered }, at) => {
    const before = raw.filter(({ sequence }) => sequence <= at);
    const applied = new Set(before.map(({ sequence }) => sequence));
    const resumed = [...stateOf(before), ...pendingEvents(delivered, applied)];
    assert.equal(bytesOf(resumed), bytesOf(raw));
  }),
);

const resumed = streamHistory.chain((raw) =>
  fc.tuple(fc.constant(raw), fc.subarray([...raw]), shuffled(raw)),
);

holds(
  'RD6: so it is when the applied events of a stream have holes, and the rest comes late',
  fc.property(resumed, ([raw, seen, delivered]) => {
    const applied = new Set(seen.map(({ sequence }) => sequence));
    const state = [...stateOf(seen), ...pendingEvents(delivered, applied)];
    assert.equal(bytesOf(state), bytesOf(raw));
  }),
);
