// Three simulated engines in a thread of their own, for an installation that found no real one: a
// newcomer sees real requests flow at once, and every place that shows them says SIM.

import { enableCompileCache, getCompileCacheDir } from 'node:module';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { SimOptions } from '../services/sim/options.ts';

export type SimulatedEngine = {
  readonly name: string;
  readonly url: string;
  readonly type: 'vllm' | 'ollama' | 'llamacpp';
};

export type SimulatedEngines = {
  readonly engines: readonly SimulatedEngine[];
  stop(): Promise<void>;
};

const kind = 'simulated engines';

/** The model that all three offer. */
export const simulatedModel = 'llama-2-7b-sim';

const fleet: readonly (SimOptions & {
  readonly name: string;
  readonly as: SimulatedEngine['type'];
})[] = [
  {
    name: 'sim-fast',
    as: 'vllm',
    profile: 'h100-7b',
    speed: 2,
    port: 0,
    seed: 1,
    models: [simulatedModel],
  },
  {
    name: 'sim-big',
    as: 'ollama',
    profile: 'a100-7b',
    port: 0,
    seed: 2,
    models: [simulatedModel, 'qwen3:4b-sim'],
    // A newcomer's first request waits for no load.
    loadMs: 0,
  },
  {
    name: 'sim-slow',
    as: 'llamacpp',
    profile: 'a100-70b',
    port: 0,
    seed: 3,
    models: [simulatedModel],
  },
];

export async function startSimulatedEngines(): Promise<SimulatedEngines> {
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { kind, compileCache: getCompileCacheDir() },
    name: 'sim',
  });
  const urls = await new Promise<string[]>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return {
    engines: fleet.map(({ name, as }, i) => ({ name, type: as, url: urls[i] ?? '' })),
    stop: async () => {
      await worker.terminate();
    },
  };
}

if (!isMainThread && workerData?.kind === kind) {
  if (workerData.compileCache !== undefined) enableCompileCache(workerData.compileCache);
  const { startSim } = await import('../services/sim/sim-server.ts');
  const running = await Promise.all(fleet.map((options) => startSim(options)));
  parentPort?.postMessage(running.map((sim) => sim.url));
}
