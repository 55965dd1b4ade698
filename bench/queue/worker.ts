// One thread of a run of bench queue: it warms up on an instance of its own, waits until all are
// there, and reports when it began and ended on the shared one.
import { parentPort, workerData } from 'node:worker_threads';
import { waitForAll } from '../../src/io/shared-memory/testing/threads.ts';
import { type ContenderName, openLoops, type SharedPart } from './contenders.ts';

export type RunTask = {
  readonly name: ContenderName;
  readonly part: SharedPart;
  readonly thread: number;
  readonly threads: number;
  readonly operations: number;
  readonly warmUp: number;
  readonly gate: SharedArrayBuffer;
};

/** Nanoseconds of the machine's monotonic clock, which all threads share. */
export type RunTimes = { readonly began: bigint; readonly ended: bigint; readonly sum: number };

function run(task: RunTask): RunTimes {
  const { warmUp, measured } = openLoops(task.name, task.part, task.thread);
  let sum = warmUp(task.warmUp);
  waitForAll(new Int32Array(task.gate), 0, task.threads);
  const began = process.hrtime.bigint();
  sum += measured(task.operations);
  return { began, ended: process.hrtime.bigint(), sum };
}

if (parentPort !== null) parentPort.postMessage(run(workerData as RunTask));
