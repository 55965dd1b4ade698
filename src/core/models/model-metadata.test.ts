// Goal: which facts of a version are accepted, and that what is kept is a copy. Method: one fault
// at a time from valid facts, each cap at its edge and one beyond.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkedFacts, shapeRankMax, tagsMax, textLengthMax } from './model-metadata.ts';
import { factsOf, granted } from './registry.test-support.ts';

function tagsOf(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`t${at}`, '']));
}

const long = 'x'.repeat(textLengthMax);
const ranks = Array.from({ length: shapeRankMax }, () => 1);

describe('registry', () => {
  it('facts out of bounds are refused with field, value and bound', () => {
    const rows = [
      [{ modelId: '' }, /modelId is "", but must be of 1\.\.1000 characters/],
      [{ modelId: `${long}x` }, /modelId is "x+", but must be of 1\.\.1000 characters/],
      [{ name: '' }, /name is ""/],
      [{ framework: '' }, /framework is ""/],
      [{ checksum: '' }, /checksum is ""/],
      [{ sizeBytes: -1 }, /sizeBytes is -1, but must be a safe whole number/],
      [{ sizeBytes: 0.5 }, /sizeBytes is 0.5/],
      [{ sizeBytes: Number.NaN }, /sizeBytes is NaN/],
      [{ sizeBytes: 2 ** 53 }, /sizeBytes is 9007199254740992/],
      [{ inputShape: [1, -2] }, /inputShape\[1\] is -2, but must be a safe whole number, or -1/],
      [{ outputShape: [0.5] }, /outputShape\[0\] is 0.5/],
      [{ inputShape: [Number.POSITIVE_INFINITY] }, /inputShape\[0\] is Infinity/],
      [{ outputShape: [...ranks, 1] }, /outputShape.length is 65, but must be at most 64/],
      [{ tags: tagsOf(tagsMax + 1) }, /tags is 101, but must be at most 100/],
      [{ tags: { '': 'v' } }, /tags is "", but must be of 1\.\.1000/],
      [{ tags: { k: `${long}x` } }, /tags is "k"/],
    ] as const;
    for (const [changes, words] of rows) {
      const checked = checkedFacts(factsOf('1.0.0', changes));
      assert.ok(!checked.ok, String(words));
      assert.equal(checked.error.code, 'invalid_metadata');
      assert.match(checked.error.message, words);
    }
  });

  it('each part of the version is judged', () => {
    const version = { major: -1, minor: 0.5, patch: 2 ** 32 };
    const checked = checkedFacts({ ...factsOf('1.0.0'), version });
    assert.deepEqual(checked.ok ? [] : checked.error.details, [
      { field: 'version.major', value: -1, bound: 'a whole number within 0..4294967295' },
      { field: 'version.minor', value: 0.5, bound: 'a whole number within 0..4294967295' },
      { field: 'version.patch', value: 2 ** 32, bound: 'a whole number within 0..4294967295' },
    ]);
  });

  it('facts at their bounds are accepted', () => {
    const rows = [
      { modelId: long, name: long, framework: long, checksum: long },
      { sizeBytes: 0 },
      { sizeBytes: Number.MAX_SAFE_INTEGER },
      { inputShape: [], outputShape: ranks },
      { inputShape: [-1, 0, Number.MAX_SAFE_INTEGER] },
      { tags: tagsOf(tagsMax) },
      { tags: { [long]: long } },
      { tags: {} },
    ];
    for (const changes of rows) {
      const facts = factsOf('4294967295.0.0', changes);
      assert.deepEqual(granted(checkedFacts(facts)), facts);
    }
  });

  it('what is kept shares nothing with what came in, and drops members it does not know', () => {
    const tags: Record<string, string> = { owner: 'research', ['__proto__']: 'text' };
    const inputShape = [1, 2];
    const facts = { ...factsOf('1.0.0', { tags, inputShape }), secret: 'no' };
    const kept = granted(checkedFacts(facts));
    tags['owner'] = 'changed';
    inputShape[0] = 99;
    assert.equal(kept.tags['owner'], 'research');
    assert.deepEqual(kept.inputShape, [1, 2]);
    assert.ok(!('secret' in kept));
    const parts = [kept, kept.version, kept.inputShape, kept.outputShape, kept.tags];
    assert.ok(parts.every(Object.isFrozen));
  });

  it('a tag named like a prototype is a tag', () => {
    const tags = JSON.parse('{"__proto__": "x", "constructor": "y"}');
    const kept = granted(checkedFacts(factsOf('1.0.0', { tags })));
    assert.deepEqual(Object.entries(kept.tags), [
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });
});
