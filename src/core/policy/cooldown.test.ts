// Goal: an escalation within the cooldown is told and changes nothing, one at its end goes through.
// Method: the values of A.15, each edge of A.8, and a property against the rule as it is written.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import {
  cooldownRemaining,
  effectiveCooldown,
  escalateWithCooldown,
  judgeEscalation,
} from './cooldown.ts';
import { escalate, modes } from './serving-mode.ts';

describe('policy', () => {
  test('what is left of a cooldown counts from the last change and is never negative', () => {
    const cases: readonly [number, number, number, number][] = [
      [50, 80, 100, 70],
      [50, 149, 100, 1],
      [50, 150, 100, 0],
      [50, 900, 100, 0],
      [50, 50, 100, 100],
      [50, 20, 100, 100],
      [0, 0, 0, 0],
    ];
    for (const [lastChange, now, duration, left] of cases) {
      assert.equal(cooldownRemaining(lastChange, now, duration), left, `${[lastChange, now]}`);
    }
  });

  test('the cooldown doubles with each mode', () => {
    assert.deepEqual(
      modes().map((mode) => effectiveCooldown(mode, 60)),
      [60, 120, 240, 480],
    );
    assert.equal(effectiveCooldown('panic', 60), 60);
  });

  test('an escalation goes through when exactly the cooldown has elapsed, not a unit before', () => {
    assert.equal(escalateWithCooldown('restricted', 2, 10, 70, 60), 'halted');
    assert.equal(escalateWithCooldown('restricted', 2, 10, 69, 60), 'restricted');
    assert.equal(escalateWithCooldown('normal', 2, 0, 100, 200), 'normal');
    assert.equal(escalateWithCooldown('normal', 1, 10, 70, 60), 'normal');
    assert.equal(escalateWithCooldown('halted', 2, 10, 70, 60), 'halted');
    assert.equal(escalateWithCooldown('panic', 2, 10, 69, 60), 'normal');
    assert.equal(escalateWithCooldown('panic', 2, 10, 70, 60), 'watch');
    // The time elapsed counts: a late clock alone opens nothing, and one set back closes.
    assert.equal(escalateWithCooldown('normal', 2, 1_000_000, 1_000_030, 60), 'normal');
    assert.equal(escalateWithCooldown('normal', 2, 70, 10, 60), 'normal');
  });

  test('a suppressed escalation says so and how long it still takes (RP3)', () => {
    assert.deepEqual(judgeEscalation('watch', 3, 10, 30, 60), {
      kind: 'suppressed',
      cooldownLeft: 40,
    });
    assert.deepEqual(judgeEscalation('watch', 3, 10, 70, 60), {
      kind: 'escalated',
      to: 'restricted',
    });
  });

  test('what would not have moved was not suppressed', () => {
    assert.deepEqual(judgeEscalation('watch', 1, 10, 30, 60), { kind: 'unmoved' });
    assert.deepEqual(judgeEscalation('halted', 9, 10, 30, 60), { kind: 'unmoved' });
    assert.deepEqual(judgeEscalation('panic', 0, 10, 30, 60), { kind: 'unmoved' });
  });

  holds(
    'with a cooldown a mode moves as without one, or not at all within it',
    fc.property(
      fc.constantFrom(...modes()),
      fc.nat(4),
      fc.nat(300),
      fc.nat(300),
      fc.nat(200),
      (mode, burst, lastChange, now, cooldown) => {
        const after = escalateWithCooldown(mode, burst, lastChange, now, cooldown);
        const free = now - lastChange >= cooldown;
        assert.equal(after, free ? escalate(mode, burst) : mode);
        const verdict = judgeEscalation(mode, burst, lastChange, now, cooldown);
        assert.equal(verdict.kind === 'escalated', after !== mode);
        const lost = escalate(mode, burst) !== mode && !free;
        assert.equal(verdict.kind === 'suppressed', lost);
        if (verdict.kind !== 'suppressed' || now < lastChange) return;
        assert.equal(now + verdict.cooldownLeft, lastChange + cooldown);
      },
    ),
  );
});
