// Starts the worker thread of a replay and listens to it.

import { Worker } from 'node:worker_threads';
import type { FromReplayWorker } from './replay-worker.ts';
import type { ReplayRunner } from './replays.ts';

const entry = new URL('./replay-worker.ts', import.meta.url);

/** Memory of the thread: one block, the snapshots in use, and what the tiers keep. */
const heapMbMax = 1024;

export const runInWorker: ReplayRunner = (task, onProgress) => {
  const worker = new Worker(entry, {
    workerData: task,
    name: `replay-${task.id}`,
    resourceLimits: { maxOldGenerationSizeMb: heapMbMax },
  });
  const report = new Promise<FromReplayWorker['report']>((resolve, reject) => {
    worker.on('message', (message: FromReplayWorker) => {
      if (message.type === 'progress') onProgress(message.report);
      else resolve(message.report);
    });
    worker.on('error', (error: unknown) => {
      reject(error instanceof Error ? error : new Error(String(error)));
    });
    worker.on('exit', (code) => reject(new Error(`its thread ended with code ${code}`)));
  });
  return {
    report,
    stop: async () => {
      await worker.terminate();
    },
  };
};
