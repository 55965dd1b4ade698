// Goal: behaviour numbers are whole, and an unknown one is refused in words. Method: a few numbers.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { behaviours, currentBehaviour, knownBehaviour } from './behaviour.ts';

it('behaviours are numbered 1, 2, 3 ... and the last one is in force', () => {
  const numbers = Object.values(behaviours);
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => i + 1),
  );
  assert.equal(currentBehaviour, numbers.length);
});

it('a behaviour that this program has known is known, any other is refused with who knows it', () => {
  for (let number = 1; number <= currentBehaviour; number++) {
    assert.deepEqual(knownBehaviour(number), { ok: true, value: number });
  }
  for (const number of [0, -1, 1.5, Number.NaN, currentBehaviour + 1]) {
    const known = knownBehaviour(number, '3.1.0');
    assert.equal(known.ok || known.error.code, 'unknown_version');
    assert.match(known.ok ? '' : known.error.message, /which TensorForge 3\.1\.0 or newer knows/);
  }
});
