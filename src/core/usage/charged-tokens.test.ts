// Goal: a backend that reports too much or too little does not decide alone what is charged.
// Method: a table of reports; random reports against the bounds.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { chargedTokens, streamTokensAtLeast } from './charged-tokens.ts';

const counted = { promptTokens: 12, completionTokens: 9, completionAtLeast: 6 };
const plausible = { contextTokens: 100_000, answers: 1 };
const reported = (promptTokens: number, completionTokens: number, cachedTokens = 0) => ({
  promptTokens,
  completionTokens,
  cachedTokens,
});

it('a plausible report is taken as it is', () => {
  assert.deepEqual(chargedTokens(reported(30, 8, 20), counted, plausible), reported(30, 8, 20));
});

it('without a report our own count is charged', () => {
  assert.deepEqual(chargedTokens(undefined, counted, plausible), reported(12, 9));
});

it('fewer tokens than passed, more than fit, and more from the cache than there were are cut', () => {
  assert.deepEqual(chargedTokens(reported(30, 0), counted, plausible), reported(30, 6));
  assert.deepEqual(chargedTokens(reported(9e5, 9e5), counted, plausible), reported(2e5, 2e5));
  assert.deepEqual(chargedTokens(reported(30, 8, 31), counted, plausible), reported(30, 8, 30));
  const two = { ...plausible, answers: 2 };
  assert.equal(chargedTokens(reported(1, 9e5), counted, two).completionTokens, 4e5);
  const small = { contextTokens: 512, answers: 1 };
  assert.equal(chargedTokens(reported(9e5, 1), counted, small).promptTokens, 131_072);
});

it('role, finish and usage of a stream are no tokens', () => {
  assert.equal(streamTokensAtLeast(13, 1), 10);
  assert.equal(streamTokensAtLeast(25, 2), 20);
  assert.equal(streamTokensAtLeast(2, 1), 0);
});

const count = fc.nat(2 ** 24);

holds(
  'what is charged is plausible, and no less than what passed',
  fc.property(count, count, count, fc.nat(10_000), fc.nat(200_000), (p, c, k, least, window) => {
    const own = { promptTokens: 5, completionTokens: least + 3, completionAtLeast: least };
    const charged = chargedTokens(reported(p, c, k), own, { contextTokens: window, answers: 1 });
    assert.ok(charged.completionTokens >= least);
    assert.ok(charged.completionTokens <= Math.max(least, 2 * window, 131_072));
    assert.ok(charged.promptTokens <= Math.max(5, 2 * window, 131_072));
    assert.ok(charged.cachedTokens <= charged.promptTokens);
  }),
);
