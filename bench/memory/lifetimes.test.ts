// Goal: the peaks that bench memory reports are those of a replay that can be followed by hand.
// Method: the smallest buffers that tell the placements apart.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBuffers, peakAddress, peakLoad } from './lifetimes.ts';
import { listPlacer, poolPlacer, powerOfTwo } from './placers.ts';

const asIs = (size: number): number => size;

function buffersOf(...lines: readonly string[]) {
  return parseBuffers(['id,lower,upper,size', ...lines, ''].join('\n'));
}

test('the load counts buffers that live at once, and an end before a start at the same time', () => {
  assert.equal(peakLoad(buffersOf('a,0,3,4', 'b,3,9,4', 'c,0,9,4')), 8);
  assert.equal(peakLoad(buffersOf('a,0,4,4', 'b,3,9,4', 'c,0,9,4')), 12);
});

test('a buffer takes the place of one that ends as it starts', () => {
  const buffers = buffersOf('a,0,3,4', 'b,3,9,4', 'c,0,9,4');
  assert.equal(peakAddress(buffers, poolPlacer(asIs)), 8);
  assert.equal(peakAddress(buffers, listPlacer('first')), 8);
});

test('best fit takes the gap of the right size where first fit takes the first', () => {
  // Gaps at time 1: 6 at 0 and 4 at 7. x of 4 fits both, y of 6 only the first.
  const buffers = buffersOf('a,0,1,6', 'b,0,9,1', 'c,0,1,4', 'd,0,9,1', 'x,1,9,4', 'y,1,9,6');
  assert.equal(peakAddress(buffers, poolPlacer(asIs)), 12);
  assert.equal(peakAddress(buffers, listPlacer('best')), 12);
  assert.equal(peakAddress(buffers, listPlacer('first')), 18);
});

test('sizes rounded up to powers of two reach higher', () => {
  const buffers = buffersOf('a,0,9,5', 'b,0,9,5');
  assert.equal(peakAddress(buffers, poolPlacer(powerOfTwo)), 16);
  assert.deepEqual([1, 2, 3, 512, 513].map(powerOfTwo), [1, 2, 4, 512, 1024]);
});

test('a file that is no list of buffers is refused', () => {
  assert.throws(() => parseBuffers('id,start,end,size\na,0,1,1'), /first line/);
  assert.throws(() => buffersOf('a,5,5,1'), /not a buffer/);
  assert.throws(() => buffersOf('a,0,1'), /not a buffer/);
});
