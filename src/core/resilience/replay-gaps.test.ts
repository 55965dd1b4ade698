// Goal: a hole in a history is never served in silence. Method: row 8 of thread 005 (E.5) as a table of
// holes, and random histories against a count of every sequence of the window.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { anyOrder, eventsAt, sequencesOf, streamHistory, upTo } from './history.test-support.ts';
import { replay } from './replay.ts';
import type { ReplayEvent } from './replay-event.ts';
import { replayWithGaps, type SequenceRange } from './replay-gaps.ts';
import { inSequenceWindow } from './sequence-window.ts';

test('a replay says which sequences it does not have (E.5 row 8)', () => {
  const cases: readonly [string, readonly number[], SequenceRange, readonly SequenceRange[]][] = [
    ['all there', [1, 2, 3], { from: 1, to: 3 }, []],
    ['more than asked', [0, 1, 2, 3, 9], { from: 1, to: 3 }, []],
    ['a hole', [1, 2, 5, 6], { from: 1, to: 6 }, [{ from: 3, to: 4 }]],
    ['missing at the start', [3], { from: 1, to: 3 }, [{ from: 1, to: 2 }]],
    ['missing at the end', [1], { from: 1, to: 3 }, [{ from: 2, to: 3 }]],
    [
      'two holes',
      [3, 1, 5],
      { from: 1, to: 5 },
      [
        { from: 2, to: 2 },
        { from: 4, to: 4 },
      ],
    ],
    ['nothing at all', [], { from: 1, to: 3 }, [{ from: 1, to: 3 }]],
    ['nothing asked', [1], { from: 3, to: 2 }, []],
    ['doubled', [1, 1, 2, 2], { from: 1, to: 2 }, []],
    ['up to the largest', [2 ** 53 - 1], { from: 2 ** 53 - 1, to: 2 ** 53 - 1 }, []],
  ];
  for (const [name, sequences, range, gaps] of cases) {
    const outcome = replayWithGaps(anyOrder(eventsAt(...sequences), 5), range);
    assert.ok(outcome.ok, name);
    assert.equal(outcome.value.kind, gaps.length === 0 ? 'complete' : 'incomplete', name);
    assert.deepEqual(outcome.value.kind === 'incomplete' ? outcome.value.gaps : [], gaps, name);
  }
});

test('a superseded event is no gap: its sequence was there', () => {
  const outcome = replayWithGaps(
    [
      { id: 'a', sequence: 1 },
      { id: 'a', sequence: 2 },
    ],
    { from: 1, to: 2 },
  );
  assert.deepEqual(outcome, {
    ok: true,
    value: { kind: 'complete', events: [{ id: 'a', sequence: 2 }] },
  });
});

test('a replay with gaps refuses bounds and events that have no place, and tampering', () => {
  const refusals: readonly [string, readonly ReplayEvent[], SequenceRange, string][] = [
    ['no bound', eventsAt(1), { from: 1, to: Number.POSITIVE_INFINITY }, 'invalid_replay_window'],
    ['half a bound', eventsAt(1), { from: 0.5, to: 2 }, 'invalid_replay_window'],
    ['no sequence', eventsAt(1, Number.NaN), { from: 1, to: 1 }, 'invalid_replay_event'],
    [
      'tampered',
      [...eventsAt(1), { id: 'e-1', sequence: 1, payload: 1 }],
      { from: 1, to: 1 },
      'replay_tampered',
    ],
  ];
  for (const [name, list, range, code] of refusals) {
    const outcome = replayWithGaps(list, range);
    assert.equal(outcome.ok ? 'accepted' : outcome.error.code, code, name);
  }
});

holds(
  'a replay is complete exactly when every sequence of the window is there, and names the others',
  fc.property(streamHistory, fc.nat(40), fc.nat(40), (all, from, to) => {
    const outcome = replayWithGaps(all, { from, to });
    assert.ok(outcome.ok);
    const present = new Set(sequencesOf(all));
    const missing = from > to ? [] : upTo(from, to).filter((sequence) => !present.has(sequence));
    const gaps = outcome.value.kind === 'incomplete' ? outcome.value.gaps : [];
    assert.deepEqual(
      gaps.flatMap((gap) => upTo(gap.from, gap.to)),
      missing,
    );
    assert.equal(outcome.value.kind, missing.length === 0 ? 'complete' : 'incomplete');
    const apart = gaps.every((gap, i) => i === 0 || gap.from > (gaps[i - 1]?.to ?? 0) + 1);
    assert.ok(apart, 'each gap is as long as it can be');
    assert.deepEqual(replay(inSequenceWindow(all, from, to)), {
      ok: true,
      value: outcome.value.events,
    });
  }),
);
