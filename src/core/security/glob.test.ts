import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { matchesGlob } from './glob.ts';

it('a star stands for any text, a question mark for one character', () => {
  assert.ok(matchesGlob('llama*', 'llama3:8b'));
  assert.ok(matchesGlob('*/llama-?b', 'meta/llama-8b'));
  assert.ok(matchesGlob('*', ''));
  assert.ok(matchesGlob('a**b*', 'ab'));
  assert.ok(!matchesGlob('llama*', 'Llama3'));
  assert.ok(!matchesGlob('a?', 'a'));
  assert.ok(!matchesGlob('', 'a'));
  assert.ok(!matchesGlob('a.c', 'abc'));
});

it('a glob answers as the regular expression that it stands for', () => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '.'), maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 10 });
  fc.assert(
    fc.property(pattern, text, (glob, candidate) => {
      const source = glob.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
      assert.equal(matchesGlob(glob, candidate), new RegExp(`^${source}$`).test(candidate));
    }),
    { seed: 20_260_109, numRuns: 5000 },
  );
});

it('case 254: a glob of 1000 times *a, and the longest segment, cost less than 5 ms', () => {
  const hostile: readonly (readonly [string, string])[] = [
    ['*a'.repeat(1000), 'a'.repeat(999)],
    ['*a'.repeat(1000), `${'a'.repeat(1000)}b`],
    [`*${'a'.repeat(500)}b`, 'a'.repeat(1000)],
  ];
  for (const [pattern, text] of hostile) {
    // CPU of this thread, the best of fifty: the machine may be busy with other tests.
    let bestMs = Number.POSITIVE_INFINITY;
    for (let run = 0; run < 50; run += 1) {
      const start = process.threadCpuUsage();
      assert.equal(matchesGlob(pattern, text), false);
      bestMs = Math.min(bestMs, process.threadCpuUsage(start).user / 1000);
    }
    assert.ok(bestMs < 5, `${bestMs} ms`);
  }
});
