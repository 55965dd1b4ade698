// `npm test`: everything that must pass, in groups, ending with the line `N passed, N failed`.
// Usage: npm test -- [--long] [part of a path ...]
//
// Each test file runs in a process of its own (scripts/test/run-file.ts) under a time limit, but unit
// tests that touch nothing of the process share one (scripts/test/run-batch.ts). A group ends with a
// search for processes that its tests left behind, which counts as a failure.
// What cannot run here is told as `skipped: NAME (reason)`; as root with CI=true that is a failure
// too, because there everything can be installed, except where the reason names missing hardware.
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect, parseArgs } from 'node:util';
import { ensureDashboard } from './build-dashboard.ts';
import { ensureDebian, runsAsRoot } from './debian.ts';
import { type GroupName, testFiles } from './test/files.ts';
import { gatesOf, runGate } from './test/gates.ts';
import { endMarked, killQuietly, markedProcesses } from './test/leftovers.ts';
import { batchesOf, runBatch } from './test/run-batch.ts';
import type { FileOutcome } from './test/run-file.ts';
import { scratchFolder } from './test/scratch.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const postgres15 = '/usr/lib/postgresql/15/bin';

/**
 * The whole run is to end within ten minutes on two cores, and says so when it did not; a machine that
 * is slow today gets the time to find out what fails. --long is for the patient.
 */
const runGoalMs = 10 * 60_000;
const runLimitMs = 25 * 60_000;
const longLimitMs = 6 * 60 * 60_000;
/** The embedded database may take five seconds to notice that its parent is gone. */
const leftoverGraceMs = 8_000;

type Group = {
  readonly title: string;
  readonly name: GroupName;
  readonly concurrency: number;
  readonly fileLimitMs: number;
  /** Groups of different lanes run beside each other, behind those of none; they mostly wait. */
  readonly lane?: 1 | 2;
  /** A Debian package without which the group cannot run. */
  readonly needs?: string;
  readonly env?: Readonly<Record<string, string>>;
};

const groups: readonly Group[] = [
  { title: 'unit', name: 'unit', concurrency: 2, fileLimitMs: 400_000 },
  { title: 'simulation', name: 'simulation', concurrency: 1, fileLimitMs: 600_000 },
  { title: 'end to end, alone', name: 'alone', concurrency: 1, fileLimitMs: 400_000 },
  { title: 'end to end', name: 'e2e', concurrency: 2, fileLimitMs: 400_000, lane: 1 },
  { title: 'postgres, embedded', name: 'pg', concurrency: 1, fileLimitMs: 400_000, lane: 2 },
  {
    title: 'postgres 15',
    name: 'pg',
    concurrency: 1,
    fileLimitMs: 400_000,
    lane: 2,
    needs: 'postgresql-15',
    env: { TENSORFORGE_TEST_POSTGRES: postgres15 },
  },
  {
    title: 'browser',
    name: 'browser',
    concurrency: 1,
    fileLimitMs: 400_000,
    lane: 2,
    needs: 'chromium',
  },
  { title: 'long', name: 'long', concurrency: 1, fileLimitMs: 60 * 60_000 },
];

class Tally {
  passed = 0;
  failed = 0;
  readonly skips: string[] = [];

  fail(title: string, words: string): void {
    this.failed += 1;
    print(`\nFAIL  ${title}\n${indent(words)}\n`);
  }

  /** `reason` beginning with "hardware" is the one kind of skip that CI forgives. */
  skip(name: string, reason: string): void {
    const everythingCanBeInstalled = runsAsRoot() && process.env['CI'] === 'true';
    this.skips.push(`skipped: ${name} (${reason})`);
    if (everythingCanBeInstalled && !reason.startsWith('hardware')) {
      this.fail(name, `skipped where everything can be installed: ${reason}`);
    }
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function indent(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, '  ');
}

/** What a person has set for their own installation must not steer the tests. */
function hermeticEnvironment(): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined) continue;
    const ours = name.startsWith('TENSORFORGE_') && name !== 'TENSORFORGE_TRACES';
    if (ours || name === 'DATABASE_URL' || name === 'REDIS_URL' || name === 'NODE_OPTIONS')
      continue;
    kept[name] = value;
  }
  return kept;
}

type Run = {
  /** One for each group that has begun: what it starts inherits it. */
  readonly marks: string[];
  readonly scratch: string;
  readonly deadline: number;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly tally: Tally;
};

/** Runs one batch of a group; undefined when the whole run has no time left for it. */
async function runBatchOf(
  run: Run,
  group: Group,
  mark: string,
  files: readonly string[],
): Promise<readonly FileOutcome[] | undefined> {
  const leftMs = run.deadline - performance.now();
  if (leftMs < 1000) return undefined;
  const limitMs = Math.round(Math.min(group.fileLimitMs, leftMs));
  return runBatch({
    root,
    files,
    limitMs,
    testLimitMs: limitMs,
    mark,
    scratch: run.scratch,
    env: { ...run.env, ...group.env },
    signal: run.signal,
  });
}

async function runGroup(run: Run, group: Group, files: readonly string[]): Promise<void> {
  const started = performance.now();
  const mark = randomUUID();
  run.marks.push(mark);
  let failed = 0;
  const ran: FileOutcome[] = [];
  const isShared = group.name === 'unit';
  const waiting = isShared ? [...batchesOf(root, files)] : files.map((file) => [file]);
  const next = async (): Promise<void> => {
    for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) {
      if (run.signal.aborted) return;
      const outcomes = await runBatchOf(run, group, mark, batch);
      for (const outcome of outcomes ?? []) tellOutcome(run.tally, group, outcome);
      ran.push(...(outcomes ?? []));
      if (outcomes !== undefined) continue;
      failed += batch.length;
      for (const file of batch) {
        run.tally.fail(`${group.title}: ${file}`, 'not run: the whole run is out of time');
      }
    }
  };
  await Promise.all(Array.from({ length: group.concurrency }, next));
  failed += await tellLeftovers(run, group, mark);
  const passed = ran.reduce((sum, outcome) => sum + outcome.passed, 0);
  failed += ran.reduce((sum, { failures }) => sum + failures.length, 0);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const counts = `${passed} passed, ${failed} failed, ${seconds} s, ${files.length} files`;
  print(`${group.title.padEnd(22)} ${counts}`);
  tellSlowest(ran);
}

/** Where the time of a long group went. */
function tellSlowest(times: readonly { readonly file: string; readonly seconds: number }[]): void {
  const slowest = times.toSorted((a, b) => b.seconds - a.seconds).slice(0, 5);
  const sum = times.reduce((total, { seconds }) => total + seconds, 0);
  if (sum < 60) return;
  const words = slowest.map(({ file, seconds }) => `${file} ${seconds.toFixed(0)} s`);
  print(`${' '.repeat(22)} slowest: ${words.join(', ')}`);
}

function tellOutcome(tally: Tally, group: Group, outcome: FileOutcome): void {
  tally.passed += outcome.passed;
  for (const { name, reason } of outcome.skips) tally.skip(`${outcome.file}: ${name}`, reason);
  for (const { name, error } of outcome.failures) {
    tally.fail(`${group.title}: ${outcome.file}: ${name}`, error);
  }
  if (outcome.failures.length === 0) return;
  if (outcome.output !== '')
    print(`  the file printed at its end:\n${indent(indent(outcome.output))}`);
  print(`  to run it again: npm test -- ${outcome.file}\n`);
}

async function tellLeftovers(run: Run, group: Group, mark: string): Promise<number> {
  const killed = await endMarked(mark, leftoverGraceMs);
  if (killed.length === 0) return 0;
  const words = killed.map(({ pid, command }) => `${pid}  ${command}`).join('\n');
  run.tally.fail(`${group.title}: processes were left running and have been killed`, words);
  return 1;
}

async function runGates(tally: Tally, filters: readonly string[]): Promise<void> {
  for (const gate of gatesOf(root)) {
    if (filters.length > 0 && !filters.some((filter) => gate.name.includes(filter))) continue;
    const outcome = await runGate(root, gate, 120_000);
    if (outcome.passed) tally.passed += 1;
    else tally.fail(gate.name, outcome.output);
    const verdict = outcome.passed ? '1 passed, 0 failed' : '0 passed, 1 failed';
    print(`${gate.name.padEnd(22)} ${verdict}, ${outcome.seconds.toFixed(1)} s`);
  }
}

/** The gateway serves the built dashboard, and browser and end-to-end tests look at it. */
async function buildDashboard(tally: Tally): Promise<void> {
  try {
    await ensureDashboard();
  } catch (error) {
    tally.fail('build of the dashboard', inspect(error));
  }
}

/** Reads the command line; prints the usage and exits 2 for what it does not know. */
function readArguments(): { readonly long: boolean; readonly filters: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({
      options: { long: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    return { long: values.long, filters: positionals };
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${words}\nusage: npm test -- [--long] [part of a path ...]\n`);
    process.exit(2);
  }
}

async function runGroups(run: Run, long: boolean, filters: readonly string[]): Promise<void> {
  const files = testFiles(root, filters);
  const present = groups.filter(({ name }) => files.has(name) && (name !== 'long' || long));
  const needed = present.flatMap(({ needs }) => (needs === undefined ? [] : [needs]));
  const states = await ensureDebian(needed);
  if (present.length > 0) await buildDashboard(run.tally);
  const runAll = async (some: readonly Group[]): Promise<void> => {
    for (const group of some) {
      if (run.signal.aborted) return;
      if (group.needs !== undefined && states.get(group.needs) === 'absent') {
        run.tally.skip(
          `the group "${group.title}"`,
          `Debian package ${group.needs} is not installed`,
        );
        continue;
      }
      await runGroup(run, group, files.get(group.name) ?? []);
    }
  };
  await runAll(present.filter(({ lane }) => lane === undefined));
  const lanes = Map.groupBy(present, ({ lane }) => lane);
  lanes.delete(undefined);
  await Promise.all([...lanes.values()].map(runAll));
}

async function main(): Promise<void> {
  const { long, filters } = readArguments();
  const tally = new Tally();
  const abort = new AbortController();
  const marks: string[] = [];
  const scratch = scratchFolder();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => abort.abort(signal));
  }
  const limitMs = long ? longLimitMs : runLimitMs;
  const startedMs = performance.now();
  const deadline = startedMs + limitMs;
  const run = { marks, scratch, deadline, env: hermeticEnvironment(), signal: abort.signal, tally };
  try {
    await runGates(tally, filters);
    await runGroups(run, long, filters);
  } finally {
    const left = marks.flatMap(markedProcesses);
    for (const { pid } of left) killQuietly(pid, 'SIGKILL');
    rmSync(scratch, { recursive: true, force: true });
  }
  if (abort.signal.aborted) tally.fail('the run', `stopped by ${abort.signal.reason}`);
  if (tally.passed + tally.failed === 0) tally.fail('the run', 'no test matches');
  const tookMs = performance.now() - startedMs;
  if (!long && tookMs > runGoalMs) {
    print(
      `took ${(tookMs / 1000).toFixed(0)} s; it is meant to take ${runGoalMs / 1000} s at most`,
    );
  }
  for (const line of tally.skips) print(line);
  print(`${tally.passed} passed, ${tally.failed} failed`);
  process.exitCode = tally.failed === 0 ? 0 : 1;
}

await main();
