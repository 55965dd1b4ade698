// Goal: both forms of Retry-After, without trust in anybody's clock.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../../test/support/properties.ts';
import { retryAfterSeconds } from './retry-after.ts';

const date = 'Sun, 06 Nov 1994 08:49:37 GMT';

test('seconds are taken as they are, also without a date', () => {
  assert.equal(retryAfterSeconds('0', ''), 0);
  assert.equal(retryAfterSeconds('17', ''), 17);
  assert.equal(retryAfterSeconds('999999', date), 999_999);
});

test('a time is held against the date of the same answer', () => {
  assert.equal(retryAfterSeconds('Sun, 06 Nov 1994 08:50:37 GMT', date), 60);
  assert.equal(retryAfterSeconds('Sun, 06 Nov 1994 08:00:00 GMT', date), 0, 'a time gone by');
  assert.equal(retryAfterSeconds('Mon, 07 Nov 1994 08:49:37 GMT', date), 86_400);
});

test('what has neither form is nothing', () => {
  for (const text of ['', 'soon', '-1', '1.5', '1234567', '1e3', 'Sun, 99 Nov 1994 08:49:37 GMT']) {
    assert.equal(retryAfterSeconds(text, date), undefined, text);
  }
  assert.equal(retryAfterSeconds('Sun, 06 Nov 1994 08:50:37 GMT', ''), undefined);
  assert.equal(retryAfterSeconds('Sunday, 06-Nov-94 08:50:37 GMT', date), undefined, 'obsolete');
});

holds(
  'any texts give undefined or a whole number from 0',
  fc.property(fc.string(), fc.string(), (text, other) => {
    const wait = retryAfterSeconds(text, other);
    assert.ok(wait === undefined || (Number.isSafeInteger(wait) && wait >= 0));
  }),
);
