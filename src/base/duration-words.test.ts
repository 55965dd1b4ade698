import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elapsedWords } from './duration-words.ts';

test('a length of time is told in its largest fitting unit, cut off and never rounded up', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0 s'],
    [999, '0 s'],
    [38_400, '38 s'],
    [119_999, '119 s'],
    [120_000, '2 m'],
    [7_199_999, '119 m'],
    [7_200_000, '2 h'],
    [172_799_999, '47 h'],
    [172_800_000, '2 d'],
    [864_000_000, '10 d'],
  ];
  for (const [ms, words] of cases) assert.equal(elapsedWords(ms), words, String(ms));
});
