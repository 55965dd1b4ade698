// Runs worlds from the command line:
//   npm run -s simulation -- [--seed N [--verbose]] [--seeds N] [--from N] [--threads N] [--json]
// Without --seed: --seeds worlds (default 500) from seed --from (default 1) on. --verbose prints every
// step of one world. Exit 0 when nothing is violated, 1 otherwise, 2 for a wrong command line.

import { parseArgs } from 'node:util';
import { runSeeds } from './pool.ts';
import { failureText, totalsOf, totalsText } from './report.ts';
import { runSeed, type SeedReport } from './run-seed.ts';
import { fixedSeeds } from './seeds.ts';

function usage(words: string): never {
  process.stderr.write(`${words}\n`);
  process.stderr.write(
    'usage: npm run -s simulation -- [--seed N [--verbose]] [--seeds N] [--from N] [--threads N] [--json]\n',
  );
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        seed: { type: 'string' },
        seeds: { type: 'string', default: String(fixedSeeds.length) },
        from: { type: 'string', default: '1' },
        threads: { type: 'string', default: '2' },
        verbose: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    usage(error instanceof Error ? error.message : String(error));
  }
}

function readNumber(name: string, text: string, most: number): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : most + 1;
  if (number < 1 || number > most) usage(`--${name} is ${text}, but must be from 1 to ${most}`);
  return number;
}

const seedMax = 4_294_967_295;

function runOne(text: string, isVerbose: boolean): readonly SeedReport[] {
  const seed = readNumber('seed', text, seedMax);
  const say = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  return [runSeed(seed, isVerbose ? { say } : {})];
}

async function runMany(values: ReturnType<typeof readArguments>): Promise<readonly SeedReport[]> {
  const count = readNumber('seeds', values.seeds, 1_000_000);
  const from = readNumber('from', values.from, seedMax - count);
  const threads = readNumber('threads', values.threads, 256);
  const seeds = Array.from({ length: count }, (_, index) => from + index);
  return await runSeeds(seeds, { threads });
}

const values = readArguments();
const started = performance.now();
const reports =
  values.seed === undefined ? await runMany(values) : runOne(values.seed, values.verbose);
const seconds = (performance.now() - started) / 1000;
const failed = reports.filter(({ failure }) => failure !== undefined);
const totals = totalsOf(reports);
if (values.json) {
  const failures = failed.map(({ seed, failure }) => ({ seed, ...failure }));
  process.stdout.write(`${JSON.stringify({ ...totals, seconds, failures })}\n`);
} else {
  for (const report of failed) process.stdout.write(`${failureText(report)}\n\n`);
  process.stdout.write(`${totalsText(totals)}\n${seconds.toFixed(1)} s\n`);
}
process.exitCode = failed.length === 0 ? 0 : 1;
