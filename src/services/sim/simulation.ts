// What the handlers of one simulated server share.

import type { EngineDriver } from './engine-driver.ts';
import type { EngineMetrics } from './engine-metrics.ts';
import type { Exchange } from './exchange.ts';
import type { FaultPlan } from './fault-plan.ts';
import type { JsonObject } from './json-body.ts';
import type { ResolvedSimOptions } from './options.ts';
import type { Traffic } from './traffic.ts';

export type Simulation = {
  readonly options: ResolvedSimOptions;
  readonly engine: EngineDriver;
  readonly faults: FaultPlan;
  readonly metrics: EngineMetrics;
  readonly traffic: Traffic;
  readonly startedAt: Date;
  /** Numbers answers: 1, 2, 3, ... */
  readonly nextNumber: () => number;
};

export type Route = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Counted as a request, struck by faults that name no path. */
  readonly inference: boolean;
  /** Answered without a key even where there is one. */
  readonly open: boolean;
  /** `body` is empty for GET; `rest` is what follows a path that ends in `/`. */
  readonly handle: (exchange: Exchange, body: JsonObject, rest: string) => void;
};
