// The processes that the demo starts. Whatever happens, each is ended by its own id and waited for:
// SIGTERM first, SIGKILL when that is not enough, and SIGKILL at once when this process ends early.

import { type ChildProcess, spawn } from 'node:child_process';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';

/** What is kept of a child's output, characters. */
const tailMax = 8192;

export type Child = {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<void>;
  readonly isRunning: () => boolean;
  /** The last of what it wrote to both outputs. */
  readonly tail: () => string;
  /** The first match in what it writes. Throws `internal_error` with its tail when none comes. */
  readonly says: (pattern: RegExp, withinMs: number) => Promise<RegExpExecArray>;
  /** Sends SIGKILL in this very tick. */
  readonly kill: () => void;
};

/** Our own settings and databases must not leak into what the demo starts. */
export function childEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) =>
      (!name.startsWith('TENSORFORGE_') || name === 'TENSORFORGE_TEST_RUN') &&
      name !== 'DATABASE_URL' &&
      name !== 'REDIS_URL',
  );
  return Object.fromEntries(kept);
}

/** Starts this same program with other arguments. */
function startChild(name: string, args: readonly string[]): { child: Child; node: ChildProcess } {
  const program = process.argv[1] ?? '';
  const node = spawn(process.execPath, [...process.execArgv, program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: childEnvironment(process.env),
  });
  let tail = '';
  const listeners = new Set<() => void>();
  const hear = (chunk: Buffer): void => {
    tail = (tail + chunk.toString()).slice(-tailMax);
    for (const listener of listeners) listener();
  };
  node.stdout.on('data', hear);
  node.stderr.on('data', hear);
  const exited = new Promise<void>((resolve) => {
    node.once('close', () => resolve());
    node.once('error', (error) => {
      tail += error.message;
      resolve();
    });
  });
  const isRunning = (): boolean =>
    node.pid !== undefined && node.exitCode === null && node.signalCode === null;
  const says = (pattern: RegExp, withinMs: number): Promise<RegExpExecArray> => {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
    const fail = (what: string): void =>
      reject(new TensorForgeError('internal_error', `${name} ${what}. It wrote: ${tail.trim()}`));
    const look = (): void => {
      const found = pattern.exec(tail);
      if (found !== null) resolve(found);
    };
    const timer = setTimeout(() => fail(`was not ready in ${withinMs / 1000} s`), withinMs);
    listeners.add(look);
    void exited.then(() => fail('ended before it was ready'));
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      listeners.delete(look);
    });
  };
  const child: Child = {
    name,
    pid: node.pid ?? 0,
    exited,
    isRunning,
    tail: () => tail,
    says,
    kill: () => void node.kill('SIGKILL'),
  };
  return { child, node };
}

export class Children {
  readonly #started: { readonly child: Child; readonly node: ChildProcess }[] = [];
  readonly #onExit = (): void => this.killAll();

  constructor() {
    process.on('exit', this.#onExit);
  }

  start(name: string, args: readonly string[]): Child {
    const started = startChild(name, args);
    this.#started.push(started);
    return started.child;
  }

  /** Ends them newest first; the names of those that did not heed SIGTERM in `graceMs`. */
  async end(graceMs: number): Promise<readonly string[]> {
    const stubborn: string[] = [];
    for (const { child, node } of this.#started.toReversed()) {
      if (!child.isRunning()) continue;
      node.kill('SIGTERM');
      const timer = setTimeout(() => {
        stubborn.push(child.name);
        node.kill('SIGKILL');
      }, graceMs);
      await child.exited;
      clearTimeout(timer);
    }
    process.off('exit', this.#onExit);
    return stubborn;
  }

  killAll(): void {
    for (const { child, node } of this.#started) if (child.isRunning()) node.kill('SIGKILL');
  }
}
