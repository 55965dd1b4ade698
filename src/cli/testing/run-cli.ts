// Runs a command line with an environment, a working directory and streams of its own. Where a case
// is about what the program says and does, the program runs in this process: a start of Node for each
// of two hundred cases would be most of what they cost. `start: 'main'` is the real start file as a
// real process, for what only a process shows: its exit code, its pipes, what main.ts hands in.
//
// Invariants of the runs in this process:
//   C1  One at a time: environment and working directory belong to the process.
//   C2  Environment, working directory and streams are afterwards what they were before.
//   C3  What others write meanwhile goes where they meant it to go: only what the run itself writes
//       is caught, told apart by its asynchronous context.

import { AsyncLocalStorage } from 'node:async_hooks';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { dataDirectoryProblem } from '../../io/files/data-directory.ts';
import { readLock } from '../../io/files/directory-lock.ts';
import type { Machine } from '../actions.ts';
import { runProgram } from '../program.ts';
import { fixtureActions, fixtureMachine } from './fixture.ts';

export type Ran = { readonly code: number | null; readonly out: string; readonly err: string };

export type RunOptions = {
  /** The whole environment, beside PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * `main` is the real program as a process. Without it the program runs in this process: `fixture`
   * has a machine of the test, otherwise files and locks are the real ones. The actions of both print
   * their request.
   */
  readonly start?: 'main' | 'fixture';
  readonly cwd?: string;
};

type Streams = { out: string; err: string };

const mainFile = fileURLToPath(new URL('../../main.ts', import.meta.url));
const realFiles: Machine = {
  ...fixtureMachine,
  readLock: (directory) => Promise.resolve(readLock(directory)),
  dataDirectoryProblem: (path) => Promise.resolve(dataDirectoryProblem(path)),
};
const caught = new AsyncLocalStorage<Streams>();
const turn: { last: Promise<unknown> } = { last: Promise.resolve() };

function environmentOf(options: RunOptions): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...options.env };
}

/** Runs one command line to its end. Never rejects for what the program does. */
export function runCli(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  if (options.start === 'main') return runProcess(args, options);
  const run = turn.last.then(() => runHere(args, options));
  turn.last = run.catch(() => undefined); // Whoever asked for the run is told; the next one is not.
  return run;
}

async function runHere(args: readonly string[], options: RunOptions): Promise<Ran> {
  const streams: Streams = { out: '', err: '' };
  const restore = [
    replaceEnvironment(environmentOf(options)),
    replaceFolder(options.cwd),
    catchWrites(process.stdout, 'out'),
    catchWrites(process.stderr, 'err'),
  ];
  try {
    const machine = options.start === 'fixture' ? fixtureMachine : realFiles;
    const code = await caught.run(streams, () => runProgram(args, fixtureActions, machine));
    return { code, ...streams };
  } finally {
    for (const undo of restore) undo();
  }
}

function replaceEnvironment(env: Readonly<Record<string, string>>): () => void {
  const before = process.env;
  const own = { ...before };
  for (const name of Object.keys(own)) delete before[name];
  Object.assign(before, env);
  return () => {
    for (const name of Object.keys(before)) delete before[name];
    Object.assign(before, own);
  };
}

function replaceFolder(folder: string | undefined): () => void {
  const before = process.cwd();
  if (folder !== undefined) process.chdir(folder);
  return () => process.chdir(before);
}

/** Takes what the run writes to a stream, which is no terminal for it. */
function catchWrites(stream: NodeJS.WriteStream, name: keyof Streams): () => void {
  const write = stream.write;
  const { isTTY } = stream;
  const take: Write = (part, encoding, done) => {
    const streams = caught.getStore();
    if (streams === undefined) return Reflect.apply(write, stream, [part, encoding, done]);
    streams[name] += typeof part === 'string' ? part : Buffer.from(part).toString('utf8');
    const told = typeof encoding === 'function' ? encoding : done;
    if (told !== undefined) process.nextTick(told);
    return true;
  };
  stream.write = take;
  stream.isTTY = false;
  return () => {
    stream.write = write;
    stream.isTTY = isTTY;
  };
}

type Told = (error?: Error | null) => void;
type Write = (part: Uint8Array | string, encoding?: BufferEncoding | Told, done?: Told) => boolean;

function runProcess(args: readonly string[], options: RunOptions): Promise<Ran> {
  const child = spawn(process.execPath, [mainFile, ...args], {
    env: environmentOf(options),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const streams: Streams = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    streams.out += part;
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    streams.err += part;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...streams }));
  });
}
