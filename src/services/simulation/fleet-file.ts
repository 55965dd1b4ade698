// `fleet.yaml`: the fleet that is simulated, what counts as served well, and what lies between the
// gateway and its engines. All faults of the file are told at once, each with its line.

import { z } from 'zod';
import { err, ok, type Result } from '../../base/result.ts';
import { type ConfigurationFault, shownValue } from '../../config/fault.ts';
import { nearest } from '../../config/nearest.ts';
import { parseYamlFile, type YamlFile } from '../../config/yaml-file.ts';
import { slugOf } from '../../core/backends/slug.ts';
import type { Fleet, FleetEngine } from '../../core/simulation/fleet.ts';
import { type ServiceLevel, usualServiceLevel } from '../../core/simulation/fleet-figures.ts';
import { engineProfileNames, engineProfiles } from '../../core/workload/engine/constants.ts';

export type FleetFile = {
  readonly fleet: Fleet;
  readonly serviceLevel: ServiceLevel;
  /** What requests ask for whose trace names no model. */
  readonly model: string;
};

/** Engines that one simulation runs. */
const enginesMax = 1000;

const nameWords = 'a text of 1 to 128 characters';
const modelWords = 'a model id of 1 to 1000 characters';

function whole(min: number, max: number) {
  const words = `an integer from ${min} to ${max}`;
  return z.int(words).min(min, words).max(max, words);
}

function decimal(min: number, max: number) {
  const words = `a number from ${min} to ${max}`;
  return z.number(words).min(min, words).max(max, words);
}

const modelSchema = z.string(modelWords).trim().min(1, modelWords).max(1000, modelWords);

const backendSchema = z.strictObject({
  name: z.string(nameWords).trim().min(1, nameWords).max(128, nameWords),
  /** So many engines alike, named `name-1` and so on. */
  count: whole(1, enginesMax).default(1),
  profile: z.enum(engineProfileNames, `one of ${engineProfileNames.join(', ')}`),
  models: z.array(modelSchema, 'a list of model ids').min(1, 'at least one model id').max(1000),
  /** 256 and 1024 are what vLLM starts with; the KV cache is what the profile leaves room for. */
  max_running: whole(1, 4096).default(256),
  max_waiting: whole(1, 100_000).default(1024),
  kv_tokens: whole(1024, 100_000_000).optional(),
  context: whole(128, 10_000_000).default(32_768),
  capacity: whole(0, 1_000_000).default(0),
  priority: whole(-1000, 1000).default(50),
  price_per_hour: decimal(0, 1_000_000).default(0),
  slowness: decimal(1, 1000).default(1),
});

const gatewayDefaults = { overhead_ms: 0.15, network_ms: 0, max_concurrent_requests: 1000 };

const fleetSchema = z.strictObject({
  backends: z.array(backendSchema, 'a list of backends').min(1, 'at least one backend').max(1000),
  model: modelSchema.optional(),
  slo: z
    .strictObject({
      ttft_ms: decimal(1, 3_600_000).default(usualServiceLevel.ttftMs),
      tpot_ms: decimal(0.001, 3_600_000).default(usualServiceLevel.tpotMs),
    })
    .default({ ttft_ms: usualServiceLevel.ttftMs, tpot_ms: usualServiceLevel.tpotMs }),
  gateway: z
    .strictObject({
      /** Median that docs/benchmarks.md measures for the first event of a stream. */
      overhead_ms: decimal(0, 10_000).default(gatewayDefaults.overhead_ms),
      /** One way to an engine. */
      network_ms: decimal(0, 10_000).default(gatewayDefaults.network_ms),
      max_concurrent_requests: whole(1, 1_000_000).default(gatewayDefaults.max_concurrent_requests),
    })
    .default(gatewayDefaults),
});

type FleetDocument = z.infer<typeof fleetSchema>;
type BackendGroup = FleetDocument['backends'][number];

/** Reads the text of a fleet file; `origin` is its name, for the words of faults. */
export function parseFleet(text: string, origin: string): Result<FleetFile, ConfigurationFault[]> {
  const file = parseYamlFile(text, origin);
  if (file.faults.length > 0) return err([...file.faults]);
  const outcome = fleetSchema.safeParse(file.values);
  if (!outcome.success) {
    return err(outcome.error.issues.flatMap((issue) => faultsOf(issue, file, origin)));
  }
  const engines = outcome.data.backends.flatMap(enginesOf);
  const faults = nameFaults(outcome.data, engines, file, origin);
  if (faults.length > 0) return err(faults);
  return ok(fleetOf(outcome.data, engines));
}

function fleetOf(document: FleetDocument, engines: readonly FleetEngine[]): FleetFile {
  const { gateway, slo } = document;
  return {
    fleet: {
      engines,
      gateway: {
        overheadUs: Math.round(gateway.overhead_ms * 1000),
        networkUs: Math.round(gateway.network_ms * 1000),
        inFlightMax: gateway.max_concurrent_requests,
      },
    },
    serviceLevel: { ttftMs: slo.ttft_ms, tpotMs: slo.tpot_ms },
    model: document.model ?? document.backends[0]?.models[0] ?? '',
  };
}

function enginesOf(group: BackendGroup): FleetEngine[] {
  const profile = engineProfiles[group.profile];
  return Array.from({ length: group.count }, (_, index) => ({
    name: group.count === 1 ? group.name : `${group.name}-${index + 1}`,
    models: group.models,
    settings: {
      profile,
      maxRunning: group.max_running,
      maxWaiting: group.max_waiting,
      kvTokens: group.kv_tokens ?? profile.kvTokens,
      contextTokens: group.context,
    },
    slowness: group.slowness,
    priority: group.priority,
    capacity: group.capacity,
    pricePerHour: group.price_per_hour,
  }));
}

type Step = string | number;

function fault(
  file: YamlFile,
  origin: string,
  steps: readonly Step[],
  value: unknown,
  expected: string,
) {
  const line = file.lineOf(steps);
  const path = steps.reduce<string>(
    (text, step) =>
      typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`,
    '',
  );
  const where = line === undefined ? {} : { line };
  return {
    path,
    value: shownValue(value, false),
    expected,
    source: 'file',
    origin,
    ...where,
  } as const;
}

/** One fault of a broken value; one for each member that is not known. */
function faultsOf(issue: z.core.$ZodIssue, file: YamlFile, origin: string): ConfigurationFault[] {
  const steps = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  if (issue.code !== 'unrecognized_keys') {
    return [fault(file, origin, steps, valueAt(file.values, steps), issue.message)];
  }
  const known = knownMembers(steps);
  return issue.keys.map((key) => {
    const near = nearest(key, known);
    const hint =
      near === undefined ? `one of ${known.join(', ')}` : `a known member; did you mean ${near}?`;
    return fault(file, origin, [...steps, key], undefined, hint);
  });
}

function knownMembers(steps: readonly Step[]): readonly string[] {
  switch (steps[0]) {
    case 'backends':
      return Object.keys(backendSchema.shape);
    case 'slo':
      return ['ttft_ms', 'tpot_ms'];
    case 'gateway':
      return Object.keys(gatewayDefaults);
    default:
      return Object.keys(fleetSchema.shape);
  }
}

function valueAt(values: unknown, steps: readonly Step[]): unknown {
  let value = values;
  for (const step of steps) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined;
  }
  return value;
}

/** Rules between members: ids of their own, a model that somebody lists, not too many engines. */
function nameFaults(
  document: FleetDocument,
  engines: readonly FleetEngine[],
  file: YamlFile,
  origin: string,
): ConfigurationFault[] {
  const faults: ConfigurationFault[] = [];
  if (engines.length > enginesMax) {
    const words = `at most ${enginesMax} engines in all`;
    faults.push(fault(file, origin, ['backends'], engines.length, words));
  }
  const first = new Map<string, number>();
  for (const [index, group] of document.backends.entries()) {
    for (const { name } of enginesOf(group)) {
      const earlier = first.get(slugOf(name));
      if (earlier === undefined) first.set(slugOf(name), index);
      else {
        const words = `a name of its own; backends[${earlier}] has an engine with the same id`;
        faults.push(fault(file, origin, ['backends', index, 'name'], name, words));
        break;
      }
    }
  }
  const models = [...new Set(engines.flatMap((engine) => engine.models))];
  if (document.model !== undefined && !models.includes(document.model)) {
    const words = `a model that a backend lists: ${models.join(', ')}`;
    faults.push(fault(file, origin, ['model'], document.model, words));
  }
  return faults;
}
