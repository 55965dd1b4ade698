// A real thread that commands a registry owned by another thread, for the tests of concurrent use:
// it waits until all threads are there, sends its commands at once, and keeps nothing itself.

import { parentPort, workerData } from 'node:worker_threads';

export type ClientTask = {
  /** Opened when every thread has arrived. */
  readonly gate: SharedArrayBuffer;
  readonly threads: number;
  readonly commands: readonly unknown[];
};

function arrive({ gate, threads }: ClientTask): void {
  const arrived = new Int32Array(gate);
  Atomics.add(arrived, 0, 1);
  Atomics.notify(arrived, 0);
  for (;;) {
    const count = Atomics.load(arrived, 0);
    if (count >= threads) return;
    Atomics.wait(arrived, 0, count, 1000);
  }
}

if (parentPort !== null) {
  const task = workerData as ClientTask;
  arrive(task);
  for (const command of task.commands) parentPort.postMessage(command);
}
