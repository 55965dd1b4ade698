// Goal: the first line says mode, since when, why and what it waits for, in each situation.
// Method: readings by hand against whole sentences.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialLadder, type LadderState } from '../../core/policy/ladder-state.ts';
import { clockWords, spanWords, type VerdictReading, verdictOf } from './verdict.ts';

const now = Date.parse('2026-11-21T12:04:31.000Z');
const at1158 = Date.parse('2026-11-21T11:58:10.000Z');

function reading(state: Partial<LadderState>, over: Partial<VerdictReading> = {}): VerdictReading {
  return {
    state: { ...initialLadder(at1158), ...state },
    now,
    calm: { holdLeftMs: 0, burnRecovered: true, outcomesRecovered: true },
    streakNeeded: 5,
    tickSeconds: 10,
    budgetLeft: 0.614,
    periodDays: 30,
    burning: undefined,
    ...over,
  };
}

const watch = {
  mode: 'watch',
  cause: 'budget burns 7.1x over 6 h',
  runs: { failureBurst: 0, successStreak: 3 },
} as const;

test('a stricter mode tells its cause, and how long calm takes at least', () => {
  const held = { holdLeftMs: 110_000, burnRecovered: true, outcomesRecovered: true };
  assert.deepEqual(verdictOf(reading(watch, { calm: held })), {
    words:
      'Mode watch since 11:58 UTC: budget burns 7.1x over 6 h. Normal again in >= 2 min if calm.',
    level: 'attention',
  });
  assert.match(verdictOf(reading(watch)).words, /Normal again in >= 20 s if calm\.$/);
  const halted = { ...watch, mode: 'halted', cause: 'no backend takes requests' } as const;
  assert.deepEqual(verdictOf(reading(halted, { streakNeeded: 10 })), {
    words:
      'Mode halted since 11:58 UTC: no backend takes requests. Restricted again in >= 2 min if calm.',
    level: 'bad',
  });
});

test('when time is not what is missing, it says what is', () => {
  const calm = { ...watch, runs: { failureBurst: 0, successStreak: 9 } } as const;
  const burning = { holdLeftMs: 0, burnRecovered: false, outcomesRecovered: true };
  assert.match(
    verdictOf(reading(calm, { calm: burning })).words,
    /Normal again once the budget burns at less than half of the alarm's pace\.$/,
  );
  const few = { holdLeftMs: 0, burnRecovered: true, outcomesRecovered: false };
  assert.match(
    verdictOf(reading(calm, { calm: few })).words,
    /Normal again once enough requests went well\.$/,
  );
  const silent = { ...calm, noDataSince: at1158 + 60_000 };
  assert.match(
    verdictOf(reading(silent)).words,
    /No request since 11:59 UTC, so the level stays\.$/,
  );
});

test('normal is good only with requests and a budget, and tells a budget that burns', () => {
  assert.deepEqual(verdictOf(reading({})), {
    words: 'Mode normal since 11:58 UTC. 61.4 % of the 30 d error budget left.',
    level: 'ok',
  });
  assert.equal(verdictOf(reading({}, { budgetLeft: 0 })).level, 'attention');
  assert.deepEqual(verdictOf(reading({}, { budgetLeft: null })), {
    words: 'Mode normal since 11:58 UTC. No request yet.',
    level: 'attention',
  });
  assert.deepEqual(verdictOf(reading({ noDataSince: at1158 })), {
    words: 'Mode normal since 11:58 UTC. No request since 11:58 UTC.',
    level: 'attention',
  });
  assert.deepEqual(verdictOf(reading({}, { burning: 'budget burns 1.4x over 3 d' })), {
    words: 'Mode normal since 11:58 UTC; budget burns 1.4x over 3 d.',
    level: 'attention',
  });
});

test('a pin comes first, with who, until when, why, and what lies below it', () => {
  const pin = {
    mode: 'restricted',
    by: 'user:ana',
    reason: 'move.',
    since: now,
    until: now + 7_200_000,
  } as const;
  assert.deepEqual(verdictOf(reading({ pin })), {
    words:
      'Mode restricted pinned by user:ana until 14:04 UTC: move. The ladder itself holds normal.',
    level: 'attention',
  });
  const endless = verdictOf(reading({ pin: { ...pin, mode: 'halted', until: null } }));
  assert.equal(endless.level, 'bad');
  assert.match(endless.words, /pinned by user:ana until it is lifted: move\./);
});

test('times beyond a day carry their date, and spans round up', () => {
  assert.equal(clockWords(now - 86_400_000, now), '2026-11-20 12:04 UTC');
  assert.deepEqual([1, 59.2, 60, 61, 3600, 7000].map(spanWords), [
    '1 s',
    '60 s',
    '1 min',
    '2 min',
    '1 h',
    '2 h',
  ]);
});
