// Runs one worker file in several threads and waits for what each posts; and the gate at which they
// wait for each other.

import { Worker } from 'node:worker_threads';

/** What each thread posts, in the order of the tasks. All threads have ended when this returns. */
export function runThreads<Task, Result>(
  file: URL,
  tasks: readonly Task[],
): Promise<readonly Result[]> {
  return Promise.all(
    tasks.map((task) => {
      const worker = new Worker(file, { workerData: task });
      return new Promise<Result>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      }).finally(() => worker.terminate());
    }),
  );
}

/** Returns when `threads` threads have come to the word `at` of the gate. */
export function waitForAll(gate: Int32Array, at: number, threads: number): void {
  Atomics.add(gate, at, 1);
  Atomics.notify(gate, at);
  for (let ready = Atomics.load(gate, at); ready < threads; ready = Atomics.load(gate, at)) {
    Atomics.wait(gate, at, ready, 1000);
  }
}
