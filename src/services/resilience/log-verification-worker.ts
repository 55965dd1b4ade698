// The worker thread of a verification: reads every byte of the log and ends with its report.

import { parentPort, workerData } from 'node:worker_threads';
import { present } from '../../base/assert.ts';
import { verifySegments } from '../../io/segments/segment-verify.ts';
import type { VerificationTask } from './log-verification.ts';

// The thread is started by log-verification.ts alone, which gives it this.
const { folder, anchors }: VerificationTask = workerData;
const report = verifySegments(folder, { anchors });
present(parentPort, 'the port of a worker thread').postMessage(report);
