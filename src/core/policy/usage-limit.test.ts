// Goal: times until a limit is free read as clients expect them, and a class is only ever lowered.
// Method: a table.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { classWithin, durationText, isRestrictedOnly } from './usage-limit.ts';

it('a time reads 1m30s, in ms below a second, and never shorter than it is', () => {
  const table = [
    [0, '0s'],
    [-5, '0s'],
    [0.2, '1ms'],
    [250, '250ms'],
    [999.5, '1000ms'],
    [1000, '1s'],
    [1001, '2s'],
    [60_000, '1m'],
    [89_001, '1m30s'],
    [3_600_000, '1h'],
    [3_661_000, '1h1m1s'],
    [86_400_000, '24h'],
  ] as const;
  for (const [ms, text] of table) assert.equal(durationText(ms), text);
});

it('a limit lowers a class and never raises one', () => {
  assert.deepEqual([classWithin(5, 3), classWithin(2, 3), classWithin(5, undefined)], [3, 2, 5]);
});

it('only a list without open keeps requests to the restricted zone', () => {
  assert.deepEqual(
    [
      isRestrictedOnly([]),
      isRestrictedOnly(['restricted', 'open']),
      isRestrictedOnly(['restricted']),
    ],
    [false, false, true],
  );
});
