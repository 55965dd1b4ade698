// Goal: a thread sees who goes first elsewhere, never itself, and nothing that is not there any
// more; and the places of the queue never exceed their number. Method: two threads' views of one board, and of one arena.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from './arena.ts';
import { clearBoard, WaitingBoard } from './waiting-board.ts';

function twoThreads() {
  const parts = WaitingBoard.create(2);
  return { parts, here: new WaitingBoard(parts, 0), there: new WaitingBoard(parts, 1) };
}

const of = (band: number, lane = 'm') => ({ lane, band });

test('The higher band is ahead, and nobody is ahead of itself', () => {
  const { here, there } = twoThreads();
  there.tell([of(3)]);
  const asked = [of(2), of(3), of(4), of(2, 'another lane')];
  assert.deepEqual(
    asked.map((mine) => here.isAhead(mine)),
    [true, false, false, false],
  );
  assert.deepEqual(
    asked.map((mine) => here.waits(mine)),
    [true, true, false, false],
  );
  assert.equal(there.isAhead(of(1)), false);
});

test('Within a band goes the thread that was given less, and absence earns nothing', () => {
  const { here, there } = twoThreads();
  here.tell([of(3)]);
  there.tell([of(3)]);
  here.placed(100);
  assert.deepEqual([here.isAhead(of(3)), there.isAhead(of(3))], [true, false]);
  there.placed(150);
  assert.deepEqual([here.isAhead(of(3)), there.isAhead(of(3))], [false, true]);
  for (let i = 0; i < 10; i++) here.placed(100);
  there.placed(101);
  assert.equal(here.isAhead(of(3)), false, 'it began where the other one was');
});

test('Counts of tokens may pass the end of their words', () => {
  const { here, there } = twoThreads();
  for (const board of [here, there]) for (let i = 0; i < 3; i++) board.placed(2 ** 30);
  here.tell([of(3)]);
  there.tell([of(3)]);
  there.placed(2 ** 30);
  assert.deepEqual([here.isAhead(of(3)), there.isAhead(of(3))], [false, true]);
});

test('Of two lanes in one cell the higher band is told, and what is not told again is gone', () => {
  const { here, there } = twoThreads();
  there.tell([of(2), of(5), of(1)]);
  assert.equal(here.isAhead(of(4)), true);
  there.tell([]);
  assert.equal(here.waits(of(1)), false);
});

test('The row of a dead thread is cleared', () => {
  const { parts, here, there } = twoThreads();
  there.tell([of(5)]);
  clearBoard(parts, 1);
  assert.equal(here.isAhead(of(1)), false);
});

test('Places of the queue are taken up to a limit, given back, and taken back from a dead thread', () => {
  const owner = Arena.create({ capacity: 4, threads: 2 });
  const other = new Arena(owner.parts);
  assert.deepEqual(
    [owner.takeQueuePlace(2, 0), other.takeQueuePlace(2, 1), other.takeQueuePlace(2, 1)],
    [1, 2, undefined],
  );
  owner.giveQueuePlace(0);
  assert.equal(other.takeQueuePlace(3, 1), 2);
  owner.reclaimThread(1);
  assert.equal(owner.queueDepth(), 0);
});
