// What the handlers of one simulated server share.

import { engineProfiles } from '../../core/workload/engine/constants.ts';
import { EngineModel } from '../../core/workload/engine/engine-model.ts';
import type { SimQuirk } from '../../protocol/sim/faces.ts';
import { EngineDriver } from './engine-driver.ts';
import { EngineTimings } from './engine-timings.ts';
import type { Exchange } from './exchange.ts';
import { faceFacts } from './face-facts.ts';
import { FaultPlan } from './fault-plan.ts';
import type { JsonObject } from './json-body.ts';
import { loadMsOfBytes, profileModelBytes } from './model-size.ts';
import { ModelStore } from './model-store.ts';
import type { ResolvedSimOptions } from './options.ts';
import { Traffic } from './traffic.ts';
import { WorkCounts } from './work-counts.ts';

export type Simulation = {
  readonly options: ResolvedSimOptions;
  readonly engine: EngineDriver;
  readonly faults: FaultPlan;
  readonly timings: EngineTimings;
  readonly traffic: Traffic;
  readonly models: ModelStore;
  readonly work: WorkCounts;
  readonly startedAt: Date;
  /** Numbers answers: 1, 2, 3, ... */
  readonly nextNumber: () => number;
};

export type Route = {
  readonly method: 'GET' | 'POST';
  /** One that ends in `/` takes every path below it. */
  readonly path: string;
  /** Counted as a request, struck by faults that name no path. */
  readonly inference: boolean;
  /** Answered without a key even where there is one. */
  readonly open: boolean;
  /** `body` is empty for GET; `rest` is what follows a path that ends in `/`, decoded. */
  readonly handle: (exchange: Exchange, body: JsonObject, rest: string) => void;
};

export function simulationOf(options: ResolvedSimOptions): Simulation {
  const engine = new EngineModel({
    profile: engineProfiles[options.profile],
    maxRunning: options.maxRunning,
    maxWaiting: options.maxWaiting,
    kvTokens: options.kvTokens,
    contextTokens: options.contextLength,
  });
  const timings = new EngineTimings(options.speed);
  let number = 0;
  return {
    options,
    engine: new EngineDriver(engine, options.speed, timings),
    faults: new FaultPlan(options.seed),
    timings,
    traffic: new Traffic(),
    models: modelStoreOf(options),
    work: new WorkCounts(),
    startedAt: new Date(),
    nextNumber: () => ++number,
  };
}

/** Ids that no table of a gateway knows, of `openai-unknown-ids`. */
const unknownIds: readonly string[] = ['gpt-99-aurora', 'zeta-1-preview'];

function modelStoreOf(options: ResolvedSimOptions): ModelStore {
  const { loadMs, speed } = options;
  const hasLife = faceFacts[options.as].hasModelLife || options.quirks.includes('llamacpp-router');
  return new ModelStore({
    names: options.quirks.includes('openai-unknown-ids')
      ? [...options.models, ...unknownIds]
      : options.models,
    bytesDefault: profileModelBytes(options.profile),
    vramTotalBytes: options.vramGb * 1e9,
    loadMsOf: (bytes) => (loadMs ?? loadMsOfBytes(bytes)) / speed,
    isAlwaysLoaded: !hasLife,
    now: Date.now,
  });
}

export function hasQuirk({ options }: Simulation, quirk: SimQuirk): boolean {
  return options.quirks.includes(quirk);
}
