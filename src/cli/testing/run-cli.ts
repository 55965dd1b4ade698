// Runs the command line as a real process with an environment of its own.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type Ran = { readonly code: number | null; readonly out: string; readonly err: string };

export type RunOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** `main` is the real program; `fixture` has actions that print their request. */
  readonly start?: 'main' | 'fixture';
  readonly cwd?: string;
};

const files = {
  main: fileURLToPath(new URL('../../main.ts', import.meta.url)),
  fixture: fileURLToPath(new URL('./fixture-main.ts', import.meta.url)),
};

export function runCli(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = spawn(process.execPath, [files[options.start ?? 'main'], ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    out += part;
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    err += part;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}
