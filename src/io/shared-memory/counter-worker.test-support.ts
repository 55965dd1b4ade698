// One real thread that counts on a shared arena for arena.test.ts: it waits until all are there,
// does what it was told, and posts what it got.

import { parentPort, workerData } from 'node:worker_threads';
import { Arena, type ArenaHandle, type ArenaParts } from './arena.ts';

export type CounterTask = {
  readonly parts: ArenaParts;
  readonly handle: ArenaHandle;
  readonly thread: number;
  /** Opened when every thread has arrived. */
  readonly gate: SharedArrayBuffer;
  readonly threads: number;
  /** `+` takes a lease, `-` gives one back, `L` records a latency, `T` counts a request. */
  readonly steps: string;
};

export type CounterResult = { readonly taken: number[]; readonly clamps: number };

function run(task: CounterTask): CounterResult {
  const arena = new Arena(task.parts);
  const gate = new Int32Array(task.gate);
  Atomics.add(gate, 0, 1);
  Atomics.notify(gate, 0);
  for (;;) {
    const arrived = Atomics.load(gate, 0);
    if (arrived >= task.threads) break;
    Atomics.wait(gate, 0, arrived, 1000);
  }
  const taken: number[] = [];
  let clamps = 0;
  for (const step of task.steps) {
    if (step === '+') taken.push(arena.increment(task.handle, task.thread) ?? 0);
    else if (step === '-') clamps += arena.decrement(task.handle, task.thread) === -1 ? 1 : 0;
    else if (step === 'L') arena.recordFirstByte(task.handle, 100 + task.thread);
    else arena.addTotal(task.handle);
  }
  return { taken, clamps };
}

if (parentPort !== null) parentPort.postMessage(run(workerData as CounterTask));
