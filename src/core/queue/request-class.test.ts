// Goal: the texts of a priority header, and who may be critical. Method: a table.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requestClass } from './request-class.ts';

describe('queue', () => {
  it('a request has the class that its header names, 3 for anything else', () => {
    const cases: readonly [string | undefined, number][] = [
      [undefined, 3],
      ['', 3],
      ['high', 4],
      [' HIGH ', 4],
      ['normal', 3],
      ['medium', 3],
      ['low', 2],
      ['info', 1],
      ['critical', 5],
      ['1', 1],
      ['5', 5],
      ['0', 3],
      ['6', 3],
      ['4.5', 3],
      ['constructor', 3],
      ['high, low', 3],
    ];
    for (const [text, expected] of cases)
      assert.equal(requestClass(text, true), expected, text ?? 'none');
  });

  it('without the permission the most urgent class is 4', () => {
    assert.equal(requestClass('critical', false), 4);
    assert.equal(requestClass('5', false), 4);
    assert.equal(requestClass('4', false), 4);
    assert.equal(requestClass(undefined, false), 3);
  });
});
