// Goal: g and a letter open the page, and nothing that is typed anywhere ever does.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GoWait, stepGoKeys } from './go-keys.ts';
import { pageEntries } from './pages.ts';

function press(key: string, more = {}) {
  return { key, modified: false, taken: false, ...more };
}

test('every page has a letter of its own, none of them g', () => {
  const letters = pageEntries.map(({ letter }) => letter);
  assert.equal(new Set(letters).size, letters.length);
  assert.equal(letters.includes('g'), false);
});

test('g and then its letter opens each page', () => {
  for (const { letter, to } of pageEntries) {
    const { wait } = stepGoKeys(undefined, press('g'), 0);
    assert.deepEqual(stepGoKeys(wait, press(letter), 100), { wait: undefined, to });
  }
});

test('a letter alone, too late, after another key, or with Ctrl opens nothing', () => {
  assert.equal(stepGoKeys(undefined, press('y'), 0).to, undefined);
  const { wait } = stepGoKeys(undefined, press('g'), 0);
  assert.equal(stepGoKeys(wait, press('y'), 1501).to, undefined);
  assert.equal(stepGoKeys(wait, press('y', { modified: true }), 10).to, undefined);
  const other: GoWait = stepGoKeys(wait, press('q'), 10).wait;
  assert.equal(stepGoKeys(other, press('y'), 20).to, undefined);
});

test('what is typed into an input neither starts nor ends it', () => {
  assert.equal(stepGoKeys(undefined, press('g', { taken: true }), 0).wait, undefined);
  const { wait } = stepGoKeys(undefined, press('g'), 0);
  assert.deepEqual(stepGoKeys(wait, press('y', { taken: true }), 10), {
    wait: undefined,
    to: undefined,
  });
});

test('g pressed twice still waits for the letter', () => {
  const { wait } = stepGoKeys(undefined, press('g'), 0);
  assert.equal(stepGoKeys(stepGoKeys(wait, press('g'), 1000).wait, press('a'), 2000).to, '/audit');
});
