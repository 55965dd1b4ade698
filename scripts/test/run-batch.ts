// Runs several test files in one process. Most files take a few milliseconds once their imports are
// there, and a process for each spends ten times that on starting; files that touch nothing of the
// process cannot tell the difference.
//
// Invariants:
//   B1  Each result belongs to one file, as if that file had run alone.
//   B2  A process that did not come to its own end proves nothing about any of its files: all of
//       them are run again, each alone, which finds the one that is to blame.
//   B3  A file that could steer others (environment, folder, streams, threads, processes, mocks of
//       globals, the collector) never shares a process; `ownProcess` reads that off its text.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ReportLine } from './reporter.ts';
import {
  type Ended,
  type FileOutcome,
  type FileRun,
  faultOf,
  runFile,
  runProcess,
} from './run-file.ts';

const entry = fileURLToPath(new URL('./batch-entry.ts', import.meta.url));

/** Small enough that both cores have work to the end and that a second run after B2 is bearable. */
const batchFilesMax = 24;

/** Words of a test that knows of the process it runs in, by itself or by its support. */
const ownProcess =
  /\bprocess\.(?!platform\b)|\bglobalThis\b|\bmock\b|\bgc\(|\bnew Worker\b|\/run-cli\b|'node:(?:child_process|worker_threads|cluster|diagnostics_channel|perf_hooks|v8)'/;

/** May this test file share a process? Those under `test` are about the whole and mostly long. */
export function mayShare(file: string, text: string): boolean {
  return !file.startsWith('test/') && !ownProcess.test(text);
}

/**
 * The files of a group in the order and the company in which they run: those alone first, from the
 * last to the first, because the long ones are at the end of the alphabet; then batches of equal size
 * whose files are taken in turn, so that a folder of slow tests is spread over all of them.
 */
export function batchesOf(root: string, files: readonly string[]): readonly (readonly string[])[] {
  const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
  const { alone = [], shared = [] } = Object.groupBy(files, (file) =>
    mayShare(file, textOf(file)) ? 'shared' : 'alone',
  );
  const count = Math.ceil(shared.length / batchFilesMax);
  const batches = Array.from({ length: count }, (_, at) =>
    shared.filter((_, index) => index % count === at),
  );
  return [...alone.toReversed().map((file) => [file]), ...batches];
}

export type BatchRun = Omit<FileRun, 'file'> & { readonly files: readonly string[] };

/** The outcome of every file, in their order. One file runs as `runFile` runs it. */
export async function runBatch({ files, ...run }: BatchRun): Promise<readonly FileOutcome[]> {
  const [first, ...others] = files;
  if (first === undefined) return [];
  if (others.length > 0) {
    const ended = await runProcess(run, first, [entry, ...files]);
    if (run.signal.aborted || isWhole(run, ended, files)) {
      return files.map((file) => outcomeOf(file, ended));
    }
  }
  const outcomes: FileOutcome[] = [];
  for (const file of files) outcomes.push(await runFile({ ...run, file }));
  return outcomes;
}

/** Did the process come to its own end, with every file heard to its end? */
function isWhole(run: Pick<FileRun, 'limitMs'>, ended: Ended, files: readonly string[]): boolean {
  const heard = new Set(ended.lines.flatMap((line) => (line.kind === 'suite' ? [line.name] : [])));
  return faultOf(run, ended) === undefined && files.every((file) => heard.has(file));
}

function outcomeOf(file: string, { lines, output }: Ended): FileOutcome {
  const own = lines.flatMap((line) => ownLine(file, line));
  const suite = own.find((line) => line.kind === 'suite');
  const passed = own.filter((line) => line.kind === 'pass').length;
  const skips = own.filter((line) => line.kind === 'skip');
  const failures = own.filter((line) => line.kind === 'fail');
  const isEmpty = passed + skips.length + failures.length === 0;
  const fault = { name: 'the file itself', error: 'declares no test' };
  return {
    file,
    passed,
    failures: isEmpty ? [fault] : failures,
    skips,
    seconds: suite?.seconds ?? 0,
    output,
  };
}

/** A line that is about `file`, with the name that it has in the file itself. */
function ownLine(file: string, line: ReportLine): readonly ReportLine[] {
  if (line.kind === 'done') return [];
  if (line.name === file) {
    return line.kind === 'suite' ? [line] : [{ ...line, name: 'the file itself' }];
  }
  const above = `${file} > `;
  return line.name.startsWith(above) ? [{ ...line, name: line.name.slice(above.length) }] : [];
}
