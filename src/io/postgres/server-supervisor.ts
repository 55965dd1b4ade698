// The embedded PostgreSQL must not outlive us, and we may die without a word (kill -9, out of memory).
// So a tiny shell process stands between: it holds the reading end of a pipe whose writing end only
// we have. Whatever ends us closes that end, and the shell stops the server.
//
//   we ──pipe──> watcher (sh) ──SIGINT, later SIGQUIT, SIGKILL──> postgres
//                  └ keeper (sh) waits for postgres and ends with its exit code
//
// A line with a number in the pipe is an ordered stop with that many seconds of grace; the end of the
// pipe without one means that we died, and then the grace is short.

import { type ChildProcess, spawn } from 'node:child_process';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';

/** Seconds between fast and immediate shutdown once we are dead; with 1 s more it stays under 5 s. */
const orphanGraceSeconds = 3;

// The pipe comes in as standard input, which a shell replaces by /dev/null for background commands;
// hence descriptor 3. SIGINT is fast shutdown, SIGQUIT immediate: PostgreSQL recovers from its log.
const script = `
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
(
  grace=${orphanGraceSeconds}
  if read -r ordered <&3; then grace=$ordered; fi
  exec 3<&-
  kill -INT "$server" 2>/dev/null || exit 0
  waited=0
  while [ "$waited" -lt "$grace" ]; do
    sleep 1
    kill -0 "$server" 2>/dev/null || exit 0
    waited=$((waited + 1))
  done
  kill -QUIT "$server" 2>/dev/null || exit 0
  sleep 1
  kill -KILL "$server" 2>/dev/null
) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$server"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
`;

export class SupervisedServer {
  readonly #child: ChildProcess;
  /** Resolves with words about the end, whoever caused it. */
  readonly ended: Promise<string>;
  #hasEnded = false;

  /** `onOutput` is given what the server writes to its log. */
  constructor(
    command: string,
    args: readonly string[],
    options: { readonly cwd: string; readonly onOutput: (text: string) => void },
  ) {
    this.#child = spawn('/bin/sh', ['-c', script, 'tensorforge-postgres', command, ...args], {
      cwd: options.cwd,
      // Away from the terminal's process group: Ctrl-C is ours to answer, in our order.
      detached: true,
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    });
    this.#child.stderr?.setEncoding('utf8');
    this.#child.stderr?.on('data', options.onOutput);
    // The shell may be gone when the order to stop is written; `ended` tells of it.
    this.#child.stdin?.on('error', () => {});
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#hasEnded = true;
        resolve(`it could not be started (${error.message})`);
      });
      this.#child.once('exit', (code, signal) => {
        this.#hasEnded = true;
        resolve(signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`);
      });
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /**
   * Fast shutdown, immediate after `graceSeconds`. Resolves when the server is gone, at the latest
   * some seconds after the grace; throws `retry` if it is not even then.
   */
  async stop(graceSeconds: number): Promise<void> {
    if (this.#hasEnded) return;
    this.#child.stdin?.end(`${graceSeconds}\n`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new TensorForgeError('retry', 'the embedded PostgreSQL does not stop')),
        (graceSeconds + 5) * 1000,
      );
    });
    try {
      await Promise.race([this.ended, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
