// Many seeds on a few threads. Each thread takes the next seed when it is free; reports come back in
// the order of the seeds, whatever thread was faster.

import { Worker } from 'node:worker_threads';
import type { SeedReport } from './run-seed.ts';

/** What a thread is asked for; it ends when it is told to. */
export type SeedTask = { readonly seed: number } | { readonly isOver: true };

type PoolOptions = {
  /** Default 2: as many as the machine that the figures are from has cores. */
  readonly threads?: number;
  /** Hears each report as it comes. */
  readonly heard?: (report: SeedReport) => void;
};

const entry = new URL('./pool-worker.ts', import.meta.url);

async function runOn(next: () => number | undefined, heard: (report: SeedReport) => void) {
  const worker = new Worker(entry);
  const ended = Promise.withResolvers<void>();
  const give = (): void => {
    const seed = next();
    const task: SeedTask = seed === undefined ? { isOver: true } : { seed };
    worker.postMessage(task);
  };
  worker.on('message', (report: SeedReport) => {
    heard(report);
    give();
  });
  worker.on('error', ended.reject);
  worker.on('exit', (code) => {
    if (code === 0) ended.resolve();
    else ended.reject(new Error(`a thread of the simulation ended with code ${code}`));
  });
  give();
  await ended.promise;
}

/** The reports of all seeds, in their order. */
export async function runSeeds(
  seeds: readonly number[],
  options: PoolOptions = {},
): Promise<readonly SeedReport[]> {
  const waiting = [...seeds];
  const reports = new Map<number, SeedReport>();
  const heard = (report: SeedReport): void => {
    reports.set(report.seed, report);
    options.heard?.(report);
  };
  const threads = Array.from({ length: options.threads ?? 2 }, () =>
    runOn(() => waiting.shift(), heard),
  );
  await Promise.all(threads);
  return seeds.flatMap((seed) => reports.get(seed) ?? []);
}
