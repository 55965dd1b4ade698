// What a simulated server is told, and what each face takes as its default where it is told
// nothing: the figures that the real server starts with.

import type { Secret } from '../../base/secret.ts';
import { type EngineProfileName, engineProfiles } from '../../core/workload/engine/constants.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { SimFault } from '../../protocol/sim/schemas.ts';

export const simFaces = ['ollama', 'vllm', 'llamacpp', 'openai'] as const;
export type SimFace = (typeof simFaces)[number];

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
  /** Sequences in the batch. Default: vllm and openai 256, ollama and llamacpp 4. */
  readonly maxRunning?: number | undefined;
  /** Requests that may wait. Default: ollama 512, others 1024. */
  readonly maxWaiting?: number | undefined;
  /** Default: what the profile says. */
  readonly kvTokens?: number | undefined;
  /** Tokens, prompt and output together. Default 32768. */
  readonly contextLength?: number | undefined;
  /** Tokens between two chunks of a stream; the first always goes at once. Default 1. */
  readonly streamInterval?: number | undefined;
  readonly seed: number;
  /** Wanted as `Authorization: Bearer`; not for ollama, which has no keys. */
  readonly apiKey?: Secret | undefined;
  readonly name?: string | undefined;
  /** Faults that hold from the start. */
  readonly faults?: readonly SimFault[] | undefined;
};

export type ResolvedSimOptions = {
  readonly [Name in keyof Omit<SimOptions, 'apiKey'>]-?: Exclude<SimOptions[Name], undefined>;
} & { readonly apiKey: Secret | undefined };

/** Defaults filled in. Throws `config_invalid` with every fault of the options. */
export function resolveSimOptions(options: SimOptions): ResolvedSimOptions {
  const local = options.as === 'ollama' || options.as === 'llamacpp';
  const resolved = {
    as: options.as,
    host: options.host ?? '127.0.0.1',
    port: options.port,
    models: options.models,
    profile: options.profile,
    speed: options.speed ?? 1,
    maxRunning: options.maxRunning ?? (local ? 4 : 256),
    maxWaiting: options.maxWaiting ?? (options.as === 'ollama' ? 512 : 1024),
    kvTokens: options.kvTokens ?? engineProfiles[options.profile].kvTokens,
    contextLength: options.contextLength ?? 32_768,
    streamInterval: options.streamInterval ?? 1,
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
  if (!Number.isInteger(options.seed)) faults.push(`seed must be a whole number`);
  if (!(options.speed > 0 && options.speed <= 10_000)) {
    faults.push(`speed must be above 0 and at most 10000, not ${options.speed}`);
  }
  if (options.as === 'ollama' && options.apiKey !== undefined) {
    faults.push('api-key is not for ollama, which has no keys');
  }
  return faults;
}
