// A thread that asks the owner of a pool for memory, uses what it gets and gives it back. The device
// is a shared array with one word for each byte: whoever is granted a byte writes its own mark there
// and counts a clash when another's mark is met.

import { parentPort, workerData } from 'node:worker_threads';
import { seededRandom } from '../../base/random.ts';
import type { BlockId } from './memory-block.ts';

export type ClientTask = {
  /** Its mark on the device and its seed; not 0. */
  readonly client: number;
  readonly rounds: number;
  readonly device: SharedArrayBuffer;
};

export type ClientMessage =
  | { readonly kind: 'allocate'; readonly size: number; readonly alignment: number }
  | { readonly kind: 'free'; readonly blockId: BlockId }
  | { readonly kind: 'done'; readonly granted: number; readonly clashes: number };

type Grant = { readonly blockId: BlockId; readonly offset: number; readonly bytes: number };

/** To an allocate: the grant, or null for a refusal. To a free: null. */
export type OwnerMessage = Grant | null;

const task: ClientTask = workerData;
const words = new Int32Array(task.device);
const random = seededRandom(task.client);
const held: Grant[] = [];
let [granted, clashes] = [0, 0];

function ask(message: ClientMessage): Promise<OwnerMessage> {
  return new Promise((resolve) => {
    parentPort?.once('message', resolve);
    parentPort?.postMessage(message);
  });
}

function mark({ offset, bytes }: Grant, from: number, to: number): void {
  for (let at = offset; at < offset + bytes; at++) {
    if (Atomics.compareExchange(words, at, from, to) !== from) clashes += 1;
  }
}

async function allocateOne(): Promise<void> {
  const size = 1 + random.nextBelow(200);
  const grant = await ask({ kind: 'allocate', size, alignment: 2 ** random.nextBelow(6) });
  if (grant === null) return;
  granted += 1;
  held.push(grant);
  mark(grant, 0, task.client);
}

async function freeOne(): Promise<void> {
  const [grant] = held.splice(random.nextBelow(held.length), 1);
  if (grant === undefined) return;
  mark(grant, task.client, 0);
  await ask({ kind: 'free', blockId: grant.blockId });
}

for (let round = 0; round < task.rounds; round++) {
  await (held.length > 0 && random.nextBelow(5) < 2 ? freeOne() : allocateOne());
}
while (held.length > 0) await freeOne();
parentPort?.postMessage({ kind: 'done', granted, clashes } satisfies ClientMessage);
