// Runs one test file in its own process and process group and says what came of it. A process per
// file keeps state apart, lets a hanging file be killed without losing the others, and says which
// file left something behind. How several files share a process is in run-batch.ts.
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { killQuietly, markVariable } from './leftovers.ts';
import type { ReportLine } from './reporter.ts';

export type FileOutcome = {
  readonly file: string;
  readonly passed: number;
  readonly failures: readonly { readonly name: string; readonly error: string }[];
  readonly skips: readonly { readonly name: string; readonly reason: string }[];
  readonly seconds: number;
  /** The last of what the file printed; shown only when it failed. */
  readonly output: string;
};

export type FileRun = {
  readonly root: string;
  readonly file: string;
  readonly mark: string;
  /** Where temporary files of the test go; removed by the caller. */
  readonly scratch: string;
  readonly limitMs: number;
  readonly testLimitMs: number;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
};

const reporter = fileURLToPath(new URL('./reporter-entry.ts', import.meta.url));
const outputCharsMax = 16_384;

export async function runFile(run: FileRun): Promise<FileOutcome> {
  const started = performance.now();
  const ended = await runProcess(run, run.file, [join(run.root, run.file)]);
  const { lines } = ended;
  const failures = lines.filter((line) => line.kind === 'fail');
  const passed = lines.filter((line) => line.kind === 'pass').length;
  const skips = lines.filter((line) => line.kind === 'skip');
  const fault = faultOf(run, ended);
  return {
    file: run.file,
    passed,
    failures:
      fault === undefined ? failures : [...failures, { name: 'the file itself', error: fault }],
    skips,
    seconds: (performance.now() - started) / 1000,
    output: ended.output,
  };
}

type Exit = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly timedOut: boolean;
  readonly output: string;
};

export type Ended = Exit & { readonly lines: readonly ReportLine[] };

/** What is wrong with the process as a whole, beyond its single tests. */
export function faultOf(
  run: Pick<FileRun, 'limitMs'>,
  { lines, ...ended }: Ended,
): string | undefined {
  if (ended.timedOut) return `did not end within ${run.limitMs / 1000} s and was killed`;
  const done = lines.some((line) => line.kind === 'done');
  if (!done && ended.code === 0) return 'declares no test';
  const told = lines.some((line) => line.kind === 'fail');
  if (ended.code !== 0 && !told) {
    return `ended with ${ended.signal ?? `code ${ended.code}`} outside of any test`;
  }
  return undefined;
}

/** Runs `args` (a test file, or what runs several) and reads its report, which is named `name`. */
export async function runProcess(
  run: Omit<FileRun, 'file'>,
  name: string,
  args: readonly string[],
): Promise<Ended> {
  const report = join(run.scratch, `${name.replaceAll('/', '+')}.report`);
  rmSync(report, { force: true });
  const exit = await spawnTests(run, report, args);
  const lines = readReport(report);
  rmSync(report, { force: true });
  return { ...exit, lines };
}

function spawnTests(
  run: Omit<FileRun, 'file'>,
  report: string,
  args: readonly string[],
): Promise<Exit> {
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      [
        '--disable-sigusr1',
        '--disable-warning=ExperimentalWarning',
        `--test-timeout=${run.testLimitMs}`,
        `--test-reporter=${reporter}`,
        `--test-reporter-destination=${report}`,
        ...args,
      ],
      {
        cwd: run.root,
        // A group of its own, so that the time limit reaches children of the test too.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...run.env,
          TMPDIR: run.scratch,
          // A third of what a small file costs is stripping types off what all files import.
          NODE_COMPILE_CACHE: join(run.scratch, 'compiled'),
          [markVariable]: run.mark,
        },
      },
    );
    let output = '';
    let timedOut = false;
    const keep = (chunk: string): void => {
      output = (output + chunk).slice(-outputCharsMax);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    const killGroup = (): void => {
      if (child.pid !== undefined) killQuietly(-child.pid, 'SIGKILL');
    };
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup();
    }, run.limitMs);
    run.signal.addEventListener('abort', killGroup, { once: true });
    const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
      clearTimeout(timer);
      run.signal.removeEventListener('abort', killGroup);
      // A grandchild may hold the pipes open long after the file ended; nobody reads them now.
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ code, signal, timedOut, output });
    };
    child.on('error', (error) => {
      keep(String(error));
      finish(1, null);
    });
    child.on('exit', (code, signal) => setImmediate(finish, code, signal));
  });
}

function readReport(report: string): readonly ReportLine[] {
  let text: string;
  try {
    text = readFileSync(report, 'utf8');
  } catch {
    return []; // The process ended before it had anything to report.
  }
  const lines: ReportLine[] = [];
  for (const line of text.split('\n')) {
    const parsed = parseLine(line);
    if (parsed !== undefined) lines.push(parsed);
  }
  return lines;
}

/** A killed process may leave half a line, which says nothing. */
function parseLine(line: string): ReportLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined;
  if (value.kind === 'done') return { kind: 'done' };
  const name = 'name' in value ? String(value.name) : '';
  if (value.kind === 'suite') {
    return { kind: 'suite', name, seconds: 'seconds' in value ? Number(value.seconds) : 0 };
  }
  if (value.kind === 'pass') return { kind: 'pass', name };
  if (value.kind === 'skip') {
    return { kind: 'skip', name, reason: 'reason' in value ? String(value.reason) : '' };
  }
  if (value.kind === 'fail') {
    return { kind: 'fail', name, error: 'error' in value ? String(value.error) : '' };
  }
  return undefined;
}
