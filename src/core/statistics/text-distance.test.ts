// Goal: the distance is one of sets: bounded, symmetric, zero for the same text and small for a small
// change. Method: properties over random texts, and a hand-computed value.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { textDistance } from './text-distance.ts';

const text = fc.string({ maxLength: 60 });

describe('the distance of two texts', () => {
  holds(
    'is symmetric, within its bounds, and 0 for the same text',
    fc.property(text, text, (a, b) => {
      const distance = textDistance(a, b);
      assert.equal(distance, textDistance(b, a));
      assert.ok(distance >= 0);
      assert.ok(distance <= 10_000);
      assert.equal(textDistance(a, a), 0);
    }),
  );

  it('is what counting by hand gives', () => {
    // abcd bcde | abcd bcdx: one of two runs shared.
    assert.equal(textDistance('abcde', 'abcdx'), 5000);
    assert.equal(textDistance('abcd', 'wxyz'), 10_000);
    assert.equal(textDistance('', 'answer'), 10_000);
  });

  it('does not count case and blanks, and stays small for one word of many', () => {
    assert.equal(textDistance('The  answer\nis 42.', 'the answer is 42.'), 0);
    const long = 'A sentence that goes on about nothing for quite a while, as answers do. ';
    const distance = textDistance(long.repeat(5), `${long.repeat(5)} Indeed.`);
    assert.ok(distance > 0);
    assert.ok(distance < 500, `${distance}`);
  });

  it('takes time in proportion to the lengths and looks at a bounded part', () => {
    const megabytes = 'x'.repeat(3_000_000);
    assert.equal(textDistance(megabytes, `${megabytes}y`), 0);
  });
});
