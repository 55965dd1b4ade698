// What a simulated server is told, and what each face takes as its default where it is told
// nothing: the figures that the real server starts with.

import type { Secret } from '../../base/secret.ts';
import { type EngineProfileName, engineProfiles } from '../../core/workload/engine/constants.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { faceOfQuirk, type SimFace, type SimQuirk } from '../../protocol/sim/faces.ts';
import type { SimFault } from '../../protocol/sim/schemas.ts';
import { faceFacts } from './face-facts.ts';
import { profileVram } from './model-size.ts';

export type SimOptions = {
  readonly as: SimFace;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** 0 takes any free port. */
  readonly port: number;
  /** At least one. */
  readonly models: readonly string[];
  readonly profile: EngineProfileName;
  /** Model time over real time; 2 answers twice as fast. Default 1. */
  readonly speed?: number | undefined;
  /** Sequences in the batch. Default: what the real server starts with. */
  readonly maxRunning?: number | undefined;
  /** Requests that may wait. Default: ollama 512, others 1024. */
  readonly maxWaiting?: number | undefined;
  /** Default: what the profile says. */
  readonly kvTokens?: number | undefined;
  /** Tokens, prompt and output together. Default 32768. */
  readonly contextLength?: number | undefined;
  /** Tokens between two chunks of a stream; the first always goes at once. Default 1. */
  readonly streamInterval?: number | undefined;
  /** Model time that loading any model takes, ms. Default: its bytes over 2 GB/s. */
  readonly loadMs?: number | undefined;
  /** GPU memory for loaded models, 10^9 bytes. Default: what the profile's GPUs have. */
  readonly vramGb?: number | undefined;
  /** Ways of older or otherwise started versions of the face's server. */
  readonly quirks?: readonly SimQuirk[] | undefined;
  readonly seed: number;
  /** Wanted in the header of the face; not for ollama and exo, which have no keys. */
  readonly apiKey?: Secret | undefined;
  readonly name?: string | undefined;
  /** Faults that hold from the start. */
  readonly faults?: readonly SimFault[] | undefined;
};

type WithoutDefault = 'apiKey' | 'loadMs';

export type ResolvedSimOptions = {
  readonly [Name in keyof Omit<SimOptions, WithoutDefault>]-?: Exclude<SimOptions[Name], undefined>;
} & { readonly [Name in WithoutDefault]: SimOptions[Name] };

/** Defaults filled in. Throws `config_invalid` with every fault of the options. */
export function resolveSimOptions(options: SimOptions): ResolvedSimOptions {
  const facts = faceFacts[options.as];
  const resolved = {
    as: options.as,
    host: options.host ?? '127.0.0.1',
    port: options.port,
    models: options.models,
    profile: options.profile,
    speed: options.speed ?? 1,
    maxRunning: options.maxRunning ?? facts.maxRunning,
    maxWaiting: options.maxWaiting ?? facts.maxWaiting,
    kvTokens: options.kvTokens ?? engineProfiles[options.profile].kvTokens,
    contextLength: options.contextLength ?? 32_768,
    streamInterval: options.streamInterval ?? 1,
    loadMs: options.loadMs,
    vramGb: options.vramGb ?? profileVram(options.profile),
    quirks: options.quirks ?? [],
    seed: options.seed,
    apiKey: options.apiKey,
    name: options.name ?? options.as,
    faults: options.faults ?? [],
  };
  const faults = faultsOf(resolved);
  if (faults.length > 0) {
    throw new TensorForgeError('config_invalid', `simulated server: ${faults.join('; ')}`, {
      details: faults,
    });
  }
  return resolved;
}

function faultsOf(options: ResolvedSimOptions): string[] {
  const faults: string[] = [];
  const whole = (name: string, value: number, min: number, max: number): void => {
    if (!Number.isInteger(value) || value < min || value > max) {
      faults.push(`${name} must be a whole number from ${min} to ${max}, not ${value}`);
    }
  };
  if (options.models.length === 0) faults.push('models must name at least one model');
  if (options.models.some((model) => model.trim() === '')) faults.push('a model name is empty');
  whole('port', options.port, 0, 65_535);
  whole('max-running', options.maxRunning, 1, 4096);
  whole('max-waiting', options.maxWaiting, 0, 100_000);
  whole('kv-tokens', options.kvTokens, 1024, 100_000_000);
  whole('context-length', options.contextLength, 128, 10_000_000);
  whole('stream-interval', options.streamInterval, 1, 1024);
  whole('load-ms', options.loadMs ?? 0, 0, 3_600_000);
  if (!Number.isInteger(options.seed)) faults.push(`seed must be a whole number`);
  for (const [name, value] of [
    ['speed', options.speed],
    ['vram-gb', options.vramGb],
  ] as const) {
    if (!(value > 0 && value <= 10_000)) {
      faults.push(`${name} must be above 0 and at most 10000, not ${value}`);
    }
  }
  return [...faults, ...faceFaults(options)];
}

function faceFaults({ as, quirks, apiKey }: ResolvedSimOptions): string[] {
  const faults = quirks
    .filter((quirk) => faceOfQuirk(quirk) !== as)
    .map((quirk) => `quirk ${quirk} is not for ${as}`);
  if (apiKey !== undefined && faceFacts[as].keyHeader === undefined) {
    faults.push(`api-key is not for ${as}, which has no keys`);
  }
  return faults;
}
