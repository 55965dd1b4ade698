// Verifies the decision log. Every byte of it is read, so it is done in a thread of its own, and the
// control thread goes on serving meanwhile; a log of some megabytes is read in less time than a thread
// takes to start, and without what a thread leaves of the memory it had.

import { Worker } from 'node:worker_threads';
import { listSegments } from '../../io/segments/segment-list.ts';
import { type Anchor, type LogReport, verifySegments } from '../../io/segments/segment-verify.ts';

export type VerificationTask = {
  readonly folder: string;
  /** Hashes of sealed segments, as the audit trail has them. */
  readonly anchors: readonly Anchor[];
};

const entry = new URL('./log-verification-worker.ts', import.meta.url);

/** Bytes that are verified in some 10 ms. */
const smallBytes = 4_000_000;

/** The report over the whole log; rejects when it cannot be read. */
export async function verifyLog(task: VerificationTask): Promise<LogReport> {
  const bytes = listSegments(task.folder).reduce((sum, segment) => sum + segment.bytes, 0);
  if (bytes > smallBytes) return verifyInThread(task);
  return verifySegments(task.folder, { anchors: task.anchors });
}

function verifyInThread(task: VerificationTask): Promise<LogReport> {
  const worker = new Worker(entry, { workerData: task, name: 'log-verification' });
  return new Promise((resolve, reject) => {
    worker.on('message', (report: LogReport) => resolve(report));
    worker.on('error', (error: unknown) => {
      reject(error instanceof Error ? error : new Error(String(error)));
    });
    worker.on('exit', (code) => reject(new Error(`the verification ended with code ${code}`)));
  });
}
