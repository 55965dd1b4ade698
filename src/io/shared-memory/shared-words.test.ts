// Goal: each step of the shared memory does what the port says, for every thread that opens the
// block. Method: cases on one block, opened twice.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWordBlock, openWords } from './shared-words.ts';
import { wholeLines } from './words.ts';

test('a new block is all zero, and what one opening writes the other reads', () => {
  const block = createWordBlock(100);
  const [one, other] = [openWords(block), openWords(block)];
  assert.equal(one.load(99), 0);
  one.store(99, -7);
  assert.deepEqual([other.load(99), other.glance(99)], [-7, -7]);
  other.scribble(99, 8);
  assert.deepEqual([one.load(98), one.load(99)], [0, 8]);
});

test('words hold 32 bits: numbers beyond are cut to them', () => {
  const words = openWords(createWordBlock(1));
  words.store(0, 2 ** 32 - 1);
  assert.equal(words.load(0), -1);
  assert.equal(words.compareExchange(0, 2 ** 32 - 1, 2 ** 31), 1);
  assert.equal(words.glance(0), -(2 ** 31));
});

test('an exchange happens where the expected value stands, and nowhere else', () => {
  const words = openWords(createWordBlock(1));
  words.store(0, 5);
  assert.deepEqual([words.compareExchange(0, 4, 9), words.load(0)], [0, 5]);
  assert.deepEqual([words.compareExchange(0, 5, 9), words.load(0)], [1, 9]);
});

test('an exchange of 64 bits needs both halves and writes both', () => {
  const words = openWords(createWordBlock(8));
  const halves = (): readonly number[] => [words.load(4), words.load(5)];
  words.store(4, -1);
  words.store(5, 7);
  assert.equal(words.compareExchange64(4, -1, 8, 1, 2), 0);
  assert.equal(words.compareExchange64(4, 0, 7, 1, 2), 0);
  assert.deepEqual(halves(), [-1, 7]);
  assert.equal(words.compareExchange64(4, -1, 7, -(2 ** 31), -2), 1);
  assert.deepEqual(halves(), [-(2 ** 31), -2]);
  assert.equal(words.compareExchange64(4, -(2 ** 31), 2 ** 32 - 2, 0, 1), 1);
  assert.deepEqual([words.load(3), ...halves(), words.load(6)], [0, 0, 1, 0]);
});

test('a word outside of the block is a bug', () => {
  const words = openWords(createWordBlock(1));
  assert.throws(() => words.load(16_384), { name: 'RuntimeError' });
  assert.throws(() => words.compareExchange64(3, 0, 0, 0, 0), { name: 'RuntimeError' });
  assert.throws(() => createWordBlock(0), { name: 'AssertionFailed' });
});

// A compiler may reuse the value of a plain read where it sees no write in between. The shared
// structures rely on it that a step of the module counts as one.
test('a glance after a step sees what the step wrote, in compiled code too', () => {
  const words = openWords(createWordBlock(4));
  const glancesAround = (): number => {
    const before = words.glance(2);
    words.compareExchange(2, before, before + 1);
    const between = words.glance(2);
    words.compareExchange64(2, between, 0, between + 1, 0);
    return words.glance(2) - before;
  };
  for (let round = 0; round < 200_000; round++) assert.equal(glancesAround(), 2);
});

test('a thread that fails often sleeps, and never for long', () => {
  const words = openWords(createWordBlock(1));
  for (let failures = 1; failures < 20; failures++) words.pause(failures);
});

test('whole lines are multiples of sixteen words', () => {
  assert.deepEqual([0, 1, 16, 17].map(wholeLines), [0, 16, 16, 32]);
});
