// Goal: callers that run at the same time never hold the same byte, and what they give back is whole
// again. Method: promises that take turns in one thread, and four real threads that send requests to
// the thread that owns the pool, with a shared array as the device.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { seededRandom } from '../../base/random.ts';
import type { Allocation } from './allocation-request.ts';
import { drawn, invariantWatch, must, poolOf, requestOf } from './gpu-memory.test-support.ts';
import type { GpuMemoryPool } from './gpu-memory-pool.ts';
import type { ClientMessage, ClientTask, OwnerMessage } from './memory-client.test-support.ts';

const totalBytes = 4096;

describe('gpu_memory', { timeout: 60_000 }, () => {
  test('interleaved promises are granted ranges of their own', async () => {
    const pool = poolOf(totalBytes);
    const check = invariantWatch();
    const holders = new Array<number>(totalBytes).fill(0);
    const fill = ({ offset, actualSize }: Allocation, from: number, to: number): void => {
      const range = holders.slice(offset, offset + actualSize);
      assert.ok(range.every((holder) => holder === from));
      holders.fill(to, offset, offset + actualSize);
    };
    const client = async (name: number): Promise<void> => {
      const random = seededRandom(name);
      const held: Allocation[] = [];
      for (let step = 0; step < 100; step++) {
        const alignment = 2 ** random.nextBelow(6);
        const granted = pool.allocate(requestOf(1 + random.nextBelow(200), { alignment }), step);
        if (granted.ok) {
          fill(granted.value, 0, name);
          held.push(granted.value);
        }
        check(pool);
        await setImmediate();
        const [one] = held.splice(0, random.nextBelow(2));
        if (one === undefined) continue;
        fill(one, name, 0);
        must(pool.free(one.blockId));
      }
      for (const { blockId } of held) must(pool.free(blockId));
    };
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(client));
    assert.deepEqual(drawn(pool), [`- 0..${totalBytes}`]);
  });

  test('four threads never hold the same byte, and leave one free block', async () => {
    const pool = poolOf(totalBytes);
    const check = invariantWatch();
    const device = new SharedArrayBuffer(4 * totalBytes);
    const ends = await Promise.all(
      [1, 2, 3, 4].map((client) => runClient({ client, rounds: 400, device }, pool, check)),
    );
    assert.equal(
      ends.reduce((sum, { clashes }) => sum + clashes, 0),
      0,
    );
    for (const { granted } of ends) assert.ok(granted > 50, `${granted} grants`);
    assert.ok(new Int32Array(device).every((mark) => mark === 0));
    assert.deepEqual(drawn(pool), [`- 0..${totalBytes}`]);
  });
});

const workerFile = new URL('./memory-client.test-support.ts', import.meta.url);

/** Serves one client from the pool, which lives in this thread, until it is done. */
function runClient(task: ClientTask, pool: GpuMemoryPool, check: (pool: GpuMemoryPool) => void) {
  const worker = new Worker(workerFile, { workerData: task });
  return new Promise<ClientMessage & { readonly kind: 'done' }>((resolve, reject) => {
    worker.once('error', reject);
    worker.on('message', (message: ClientMessage) => {
      if (message.kind === 'done') return resolve(message);
      worker.postMessage(answered(pool, message));
      check(pool);
    });
  }).finally(() => worker.terminate());
}

function answered(
  pool: GpuMemoryPool,
  message: Exclude<ClientMessage, { readonly kind: 'done' }>,
): OwnerMessage {
  if (message.kind === 'free') {
    must(pool.free(message.blockId));
    return null;
  }
  const granted = pool.allocate(requestOf(message.size, { alignment: message.alignment }), 0);
  if (!granted.ok) return null;
  const { blockId, offset, actualSize } = granted.value;
  return { blockId, offset, bytes: actualSize };
}
