// Compiles the small C programs of a benchmark into bench/.build, once for each change of source.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../scripts/debian.ts';
import type { Processes } from './processes.ts';

const build = join(dirname(dirname(fileURLToPath(import.meta.url))), '.build');
const flags = ['-O2', '-std=gnu11', '-Wall', '-Wextra', '-Wno-format-truncation'];

/** The path of the program compiled from `source`; undefined where there is no C compiler. */
export async function compiled(processes: Processes, source: string): Promise<string | undefined> {
  const compiler = findProgram('cc') ?? findProgram('gcc');
  if (compiler === undefined) return undefined;
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12);
  const program = join(build, `${basename(source, '.c')}-${digest}`);
  if (existsSync(program)) return program;
  mkdirSync(build, { recursive: true });
  const fresh = `${program}.${process.pid}`;
  await processes.run(compiler, [...flags, '-o', fresh, source], { timeoutMs: 60_000 });
  renameSync(fresh, program);
  return program;
}
