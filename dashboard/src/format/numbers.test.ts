// Goal: the same figure reads the same everywhere. Method: a table of values at the edges.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ellipsed,
  formatCount,
  formatGib,
  formatShare,
  formatSignificant,
  plural,
} from './numbers.ts';

const space = '\u202f';

test('counts keep every digit and part thousands by a thin space', () => {
  assert.equal(formatCount(0), '0');
  assert.equal(formatCount(999), '999');
  assert.equal(formatCount(1000), `1${space}000`);
  assert.equal(formatCount(-412880), `−412${space}880`);
  assert.equal(formatCount(2 ** 53), `9${space}007${space}199${space}254${space}740${space}992`);
});

test('a count that is no number is a dash and never 0', () => {
  assert.equal(formatCount(Number.NaN), '–');
  assert.equal(formatCount(Number.POSITIVE_INFINITY), '–');
});

test('figures have three significant digits and no exponent', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0'],
    [0.04, '0.04'],
    [0.001234, '0.00123'],
    [0.0000004, '0'],
    [1, '1'],
    [4.126, '4.13'],
    [9.999, '10'],
    [100, '100'],
    [41.26, '41.3'],
    [412.6, '413'],
    [999.6, `1${space}000`],
    [12345, `12${space}300`],
    [-3.2, '−3.2'],
  ];
  for (const [value, text] of cases) assert.equal(formatSignificant(value), text);
});

test('a share of nothing is a dash, not 0 percent', () => {
  assert.equal(formatShare(0, 0), '–');
  assert.equal(formatShare(5, 412000), `0.00121${space}%`);
  assert.equal(formatShare(1, 1), `100${space}%`);
});

test('nouns follow their count', () => {
  assert.equal(plural(1, 'model'), '1 model');
  assert.equal(plural(0, 'model'), '0 models');
  assert.equal(plural(2, 'retry', 'retries'), '2 retries');
});

test('a long id keeps both ends and never splits a character', () => {
  assert.equal(ellipsed('req_7F3K', 12), 'req_7F3K');
  assert.equal(ellipsed('abcdefghijklmnop', 9), 'abcd…mnop');
  assert.equal(ellipsed('😀'.repeat(20), 5), '😀😀…😀😀');
});

test('memory is in GiB of 2^30 bytes, and what is not told is a dash', () => {
  assert.equal(formatGib(5 * 2 ** 30), `5${space}GiB`);
  assert.equal(formatGib(4_700_000_000), `4.38${space}GiB`);
  assert.equal(formatGib(0), `0${space}GiB`);
  assert.equal(formatGib(null), '–');
});
