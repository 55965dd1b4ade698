// `sim` and `demo`: a simulated model server, and the whole product shown on a workload.

import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { readSecretFile } from '../../config/places.ts';
import { type SimFace, type SimQuirk, simFaces, simQuirks } from '../../protocol/sim/faces.ts';
import type { SimFault } from '../../protocol/sim/schemas.ts';
import { simProfiles } from '../actions.ts';
import {
  describe,
  positiveNumber,
  repeated,
  runs,
  type Surroundings,
  wholeNumber,
} from '../command.ts';
import { outputStyleOf } from '../context.ts';
import { usageFailure } from '../failure.ts';

const largestSeed = 0xffff_ffff;

/** Held equal to the list of the protocol by a test: loading its schemas would slow every start. */
const faultKindWords =
  'refuse, reset, 429, 500, 401, hang, cut_stream, slow, invalid_json, bad_headers, loading';

/** `KIND` or `KIND:N`: how the next N requests fail, or all of them. */
async function parseFault(text: string): Promise<SimFault> {
  const { simFaultKinds, simFaultSchema } = await import('../../protocol/sim/schemas.ts');
  const parts = /^([a-z0-9_]+)(?::(\d+))?$/.exec(text);
  const count = parts?.[2];
  const outcome = simFaultSchema.safeParse({
    kind: parts?.[1],
    ...(count === undefined ? {} : { count: Number(count) }),
  });
  if (outcome.success) return outcome.data;
  throw usageFailure(
    `--fault "${text}" is not KIND or KIND:N with N from 1 to 1000000`,
    `kinds: ${simFaultKinds.join(', ')}`,
  );
}

/** A misspelt quirk would silently be none. */
function parseQuirk(text: string): SimQuirk {
  const quirk = simQuirks.find((known) => known === text);
  if (quirk !== undefined) return quirk;
  throw usageFailure(`--quirk "${text}" is not known`, `quirks: ${simQuirks.join(', ')}`);
}

const keylessFaces: readonly SimFace[] = ['ollama', 'exo'];

type SimFlags = {
  readonly as: SimFace;
  readonly host: string;
  readonly port: number;
  readonly model?: readonly string[];
  readonly profile: (typeof simProfiles)[number];
  readonly speed: number;
  readonly maxRunning?: number;
  readonly loadMs?: number;
  readonly vramGb?: number;
  readonly quirk?: readonly string[];
  readonly seed: number;
  readonly apiKeyFile?: string;
  readonly fault?: readonly string[];
  readonly name?: string;
};

function addSim(program: Command, surroundings: Surroundings): void {
  const sim = describe(program.command('sim'), {
    summary: 'run a simulated model server',
    description:
      'Runs a model server that simulates timing, queueing and memory of a GPU and can fail on command. It speaks the protocol of a real one, so that routing, failover and clients can be tried without a GPU. Its text is made up; judge routing and safety by it, not model speed.',
    examples: [
      'tensorforge sim --as vllm --port 8000 --model llama3:8b --profile h100-7b',
      'tensorforge sim --as ollama --port 11434 --model qwen3:4b --speed 4 --fault 500:3',
      'tensorforge sim --as llamacpp --quirk llamacpp-router --load-ms 5000 --vram-gb 24',
      'tensorforge sim --as openai --port 0 --api-key-file ./sim.key --fault slow',
    ],
  })
    .addOption(
      new Option('--as <face>', 'Which server it is like.').choices(simFaces).default('ollama'),
    )
    .option('--host <address>', 'Address to listen on.', '127.0.0.1')
    .option('--port <port>', 'Port to listen on; 0 takes any free one.', wholeNumber(0, 65_535), 0)
    .option('--model <id>', 'A model it offers; may be repeated. Default: sim-model.', repeated)
    .addOption(
      new Option('--profile <name>', 'Which GPU and model size its timing is of.')
        .choices(simProfiles)
        .default('a100-7b'),
    )
    .option('--speed <factor>', 'Model time over real time.', positiveNumber(10_000), 1)
    .option('--max-running <n>', 'Requests in the batch at once.', wholeNumber(1, 4096))
    .option('--load-ms <n>', 'Model time that loading a model takes.', wholeNumber(0, 3_600_000))
    .option('--vram-gb <n>', 'GPU memory for loaded models.', positiveNumber(10_000))
    .option(
      '--quirk <name>',
      `Be like an older or otherwise started version; may be repeated. Quirks: ${simQuirks.join(', ')}.`,
      repeated,
    )
    .option('--seed <n>', 'Seed of everything random.', wholeNumber(0, largestSeed), 1)
    .option('--api-key-file <file>', 'File, mode 0600, with the key that clients must send.')
    .option(
      '--fault <kind[:n]>',
      `Fail the next N requests, or all; may be repeated. Kinds: ${faultKindWords}.`,
      repeated,
    )
    .option('--name <name>', 'How it calls itself.');
  runs(sim, surroundings, async (context, _, command) => {
    const flags = command.opts<SimFlags>();
    if (keylessFaces.includes(flags.as) && flags.apiKeyFile !== undefined) {
      throw usageFailure(`--api-key-file is not for --as ${flags.as}, which has no keys`);
    }
    return surroundings.actions.sim({
      as: flags.as,
      host: flags.host,
      port: flags.port,
      models: flags.model ?? ['sim-model'],
      profile: flags.profile,
      speed: flags.speed,
      maxRunning: flags.maxRunning,
      loadMs: flags.loadMs,
      vramGb: flags.vramGb,
      quirks: (flags.quirk ?? []).map(parseQuirk),
      seed: flags.seed,
      apiKey: flags.apiKeyFile === undefined ? undefined : readSecretFile(flags.apiKeyFile),
      faults: await Promise.all((flags.fault ?? []).map(parseFault)),
      name: flags.name,
      output: outputStyleOf(context),
    });
  });
}

type DemoFlags = {
  readonly trace?: string;
  readonly all?: boolean;
  readonly keep?: boolean;
  readonly seed: number;
  readonly seconds: number;
};

function addDemo(program: Command, surroundings: Surroundings): void {
  const demo = describe(program.command('demo'), {
    summary: 'show the product on a workload, then exit',
    description:
      'Starts everything with three simulated engines of different speed, plays a workload through the front door with the official client, kills one engine under load, and prints one report. Exit 0 when no request failed before its first byte.',
    examples: [
      'tensorforge demo',
      'tensorforge demo --trace AzureLLMInferenceTrace_conv.csv.gz --seconds 60 --json',
      'tensorforge demo --keep   # stays up until Ctrl-C',
    ],
  })
    .option(
      '--trace <file>',
      'Play a trace (Azure CSV, Mooncake JSONL, BurstGPT CSV; .gz is read).',
    )
    .option('--all', 'Play the whole trace instead of its first seconds.')
    .option('--keep', 'Stay up at the end until signalled.')
    .option('--seed <n>', 'Seed of the generated load.', wholeNumber(0, largestSeed), 7)
    .option('--seconds <n>', 'How long load arrives.', wholeNumber(1, 3600), 45);
  runs(demo, surroundings, (context, _, command) => {
    const flags = command.opts<DemoFlags>();
    if (flags.all === true && flags.trace === undefined) {
      throw usageFailure('--all is for a trace', 'name it: --trace FILE');
    }
    return surroundings.actions.demo({
      trace: flags.trace === undefined ? undefined : resolve(flags.trace),
      all: flags.all === true,
      keep: flags.keep === true,
      seed: flags.seed,
      seconds: flags.seconds,
      output: outputStyleOf(context),
    });
  });
}

export function addWorkCommands(program: Command, surroundings: Surroundings): void {
  addSim(program, surroundings);
  addDemo(program, surroundings);
}
