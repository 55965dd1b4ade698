// A worker thread that replays a folder: the control thread goes on serving. It reports how far it is
// four times a second and ends with its report.

import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { present } from '../../base/assert.ts';
import type { ReplayReportWire } from '../../protocol/control/trust-schemas.ts';
import { replayFolder } from './replay-here.ts';
import type { ReplayTask } from './replays.ts';

export type FromReplayWorker =
  | { readonly type: 'progress'; readonly report: ReplayReportWire }
  | { readonly type: 'done'; readonly report: ReplayReportWire };

function run(task: ReplayTask): void {
  const port = present(parentPort, 'the port of a worker thread');
  const post = (message: FromReplayWorker): void => port.postMessage(message);
  const report = replayFolder(task, (progress) => post({ type: 'progress', report: progress }));
  post({ type: 'done', report });
}

if (!isMainThread) {
  // The thread is started by replay-runner.ts alone, which gives it this.
  const task: ReplayTask = workerData;
  run(task);
}
