// Verifies the decision log in a thread of its own, since every byte of it is read: the control thread
// goes on serving meanwhile.

import { Worker } from 'node:worker_threads';
import type { Anchor, LogReport } from '../../io/segments/segment-verify.ts';

export type VerificationTask = {
  readonly folder: string;
  /** Hashes of sealed segments, as the audit trail has them. */
  readonly anchors: readonly Anchor[];
};

const entry = new URL('./log-verification-worker.ts', import.meta.url);

/** The report over the whole log; rejects when the thread fails. */
export function verifyInThread(task: VerificationTask): Promise<LogReport> {
  const worker = new Worker(entry, { workerData: task, name: 'log-verification' });
  return new Promise((resolve, reject) => {
    worker.on('message', (report: LogReport) => resolve(report));
    worker.on('error', (error: unknown) => {
      reject(error instanceof Error ? error : new Error(String(error)));
    });
    worker.on('exit', (code) => reject(new Error(`the verification ended with code ${code}`)));
  });
}
