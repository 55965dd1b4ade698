// Starts the programs of a benchmark and stops every one of them again, by its id.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export type Started = { readonly child: ChildProcess; readonly pid: number };

export class Processes {
  readonly #running = new Set<ChildProcess>();
  #closed = false;

  /** Starts a program that stays; its output goes to `log`, its first line of stdout is kept. */
  start(
    command: string,
    args: readonly string[],
    options: {
      readonly log: string;
      readonly env?: NodeJS.ProcessEnv;
      readonly cwd?: string;
      readonly pipeOutput?: boolean;
    },
  ): Started {
    this.#assertOpen();
    const log = openSync(options.log, 'a');
    const child = spawn(command, args, {
      // A program that reads stdin to its end stops when this process dies in any way.
      stdio: ['pipe', options.pipeOutput === true ? 'pipe' : log, log],
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    closeSync(log);
    this.#keep(child);
    if (child.pid === undefined) throw new Error(`${command} could not be started`);
    return { child, pid: child.pid };
  }

  /** Runs a program to its end and returns what it printed; throws unless it exits with 0. */
  async run(
    command: string,
    args: readonly string[],
    options: { readonly timeoutMs: number; readonly env?: NodeJS.ProcessEnv },
  ): Promise<string> {
    this.#assertOpen();
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
      ...(options.env === undefined ? {} : { env: options.env }),
    });
    this.#keep(child);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    const code = await new Promise<number | string>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (exit, signal) => resolve(exit ?? signal ?? 'nothing'));
    });
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Asks a program to end, and kills it when it has not ended within `graceMs`. */
  async stop(child: ChildProcess, graceMs: number): Promise<void> {
    if (!this.#running.has(child)) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const patience = new AbortController();
    await Promise.race([
      ended,
      delay(graceMs, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
    if (this.#running.has(child)) {
      child.kill('SIGKILL');
      await ended;
    }
  }

  /** Stops everything that still runs, the youngest first; nothing can be started after it. */
  async stopAll(graceMs: number): Promise<void> {
    this.#closed = true;
    for (const child of [...this.#running].reverse()) await this.stop(child, graceMs);
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error('the benchmark is being stopped');
  }

  #keep(child: ChildProcess): void {
    this.#running.add(child);
    const drop = (): void => {
      this.#running.delete(child);
    };
    child.on('exit', drop);
    child.on('error', drop);
  }
}
