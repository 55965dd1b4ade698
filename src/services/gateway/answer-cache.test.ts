// Goal: an answer is found again by the same question of the same group only, within its age, and the
// cache stays within its bytes. Method: a clock of the test's own; the bound as a property.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { AnswerCache, degradedText, type Question, questionKey } from './answer-cache.ts';

const question = (more: Partial<Question> = {}, body: object = { model: 'm', n: 1 }): Question => ({
  groupName: 'red',
  kind: 'chat',
  model: 'm',
  body: Buffer.from(JSON.stringify(body)),
  ...more,
});
const answer = (text: string) => ({ contentType: 'application/json', text });

describe('the cache of answers', () => {
  it('knows a question by its meaning, and apart from those of other groups and models', () => {
    const key = questionKey(question());
    assert.equal(questionKey(question({}, { n: 1, model: 'm' })), key);
    const others = [
      question({ groupName: 'blue' }),
      question({ kind: 'completions' }),
      question({ model: 'm2' }),
      question({}, { model: 'm', n: 2 }),
      question({ body: Buffer.from('{"model":"m","n":1e999}') }),
    ];
    assert.equal(new Set([key, ...others.map(questionKey)]).size, others.length + 1);
  });

  it('gives an answer until it is too old, then forgets it', () => {
    const cache = new AnswerCache();
    cache.keep('a', answer('{"x":1}'), 1000, 10_000);
    assert.equal(cache.find('a', 1500, 500)?.ageMs, 500);
    assert.equal(cache.find('b', 1500, 500), undefined);
    assert.equal(cache.find('a', 1501, 500), undefined);
    assert.equal(cache.bytes, 0);
  });

  holds(
    'stays within its bytes, and its count of them is right',
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 900 }))),
      (writes) => {
        const cache = new AnswerCache();
        for (const [name, length] of writes) {
          cache.keep(String(name), answer('x'.repeat(length)), 0, 2000);
          assert.ok(cache.bytes <= 2000);
          assert.equal(cache.size === 0, cache.bytes === 0);
        }
        cache.clear();
        assert.equal(cache.bytes, 0);
      },
    ),
    { runs: 300 },
  );

  it('marks what it gives as degraded', () => {
    assert.deepEqual(JSON.parse(degradedText(' {"id":"x"}')), { degraded: true, id: 'x' });
    assert.deepEqual(JSON.parse(degradedText('{ }')), { degraded: true });
  });
});
