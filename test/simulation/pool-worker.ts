// A thread of the pool: one seed at a time, a report for each.

import { parentPort } from 'node:worker_threads';
import { present } from '../../src/base/assert.ts';
import type { SeedTask } from './pool.ts';
import { runSeed } from './run-seed.ts';

const port = present(parentPort, 'the thread that asks');

port.on('message', (task: SeedTask) => {
  if ('isOver' in task) port.close();
  else port.postMessage(runSeed(task.seed));
});
