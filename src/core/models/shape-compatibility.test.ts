// Goal: the shape score of C.1. Method: a table of cases worked by hand, and what must hold for any
// shapes.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { type Shape, shapeCompatibility } from './shape-compatibility.ts';

const shapes = fc.array(fc.integer({ min: -1, max: 3 }), { maxLength: 5 });

describe('registry', () => {
  it('the score is the mean share of equal positions of inputs and outputs', () => {
    const rows: readonly (readonly [Shape, Shape, Shape, Shape, number, string])[] = [
      [[1, 3, 224], [1000], [1, 3, 224], [1000], 1, 'identical'],
      [[1, 3, 2, 2], [1000], [1, 3, 2, 9], [1000], 0.875, 'one of four input sizes differs'],
      [[1, 3, 224], [1000], [1, 3, 224], [10], 0.5, 'another output'],
      [[1, 2], [5], [3, 4], [6], 0, 'nothing in common'],
      [[1, 3], [5], [1, 3, 224, 224], [5], 0.75, 'ranks 2 and 4 agree at two of four'],
      [[3, 1], [5], [1, 3], [5], 0.5, 'positions count, not sizes'],
      [[], [], [], [], 1, 'all empty'],
      [[], [5], [1], [5], 0.5, 'an empty input against one of rank 1'],
      [[-1, 8], [5], [4, 8], [5], 0.75, 'any size equals only any size'],
      [[-1, 8], [5], [-1, 8], [5], 1, 'any size on both sides'],
    ];
    for (const [inA, outA, inB, outB, expected, name] of rows) {
      assert.equal(shapeCompatibility(inA, outA, inB, outB), expected, name);
    }
  });

  holds(
    'the shape score is within 0..1, symmetric, and 1 only for identical shapes',
    fc.property(shapes, shapes, shapes, shapes, (inA, outA, inB, outB) => {
      const score = shapeCompatibility(inA, outA, inB, outB);
      assert.ok(score >= 0 && score <= 1, String(score));
      assert.equal(score, shapeCompatibility(inB, outB, inA, outA));
      const identical = JSON.stringify([inA, outA]) === JSON.stringify([inB, outB]);
      assert.equal(score === 1, identical);
    }),
  );
});
