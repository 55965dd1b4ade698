// Arguments -> command -> exit code. This is where the layers meet: the command line gets what runs
// the services and what reads this machine handed in. Both are loaded only by the commands that need
// them, because `tensorforge backends list` should not pay for a database driver.

import { existsSync, statSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Secret } from './base/secret.ts';
import type { Actions } from './cli/actions.ts';

// In our own folder: in one that other users can write, somebody could plant code.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/tensorforge', import.meta.url)));

async function loadActions(): Promise<Actions> {
  const { actions } = await import('./targets/actions.ts');
  return actions;
}

async function checkEmbedded(dataDirectory: string): Promise<string> {
  const [{ findBinaries }, { checkVersion }] = await Promise.all([
    import('./io/postgres/embedded-binaries.ts'),
    import('./io/postgres/embedded.ts'),
  ]);
  const { major } = await findBinaries();
  const directory = join(dataDirectory, 'postgres');
  if (existsSync(join(directory, 'PG_VERSION'))) {
    checkVersion(directory, major);
    // PostgreSQL starts for the owner of its files only, root or not.
    const owner = statSync(directory).uid;
    const user = process.getuid?.() ?? owner;
    if (owner !== user) {
      throw new Error(`${directory} belongs to the user ${owner}; start TensorForge as that user`);
    }
  }
  return `embedded PostgreSQL ${major} can run on this machine`;
}

async function checkDatabase(url: Secret | undefined, dataDirectory: string): Promise<string> {
  if (url === undefined) return checkEmbedded(dataDirectory);
  const [
    { parseDatabaseUrl, describeAddress },
    { connect, connectionFailure },
    { checkSchema },
    { TensorForgeError },
  ] = await Promise.all([
    import('./io/postgres/database-url.ts'),
    import('./io/postgres/connection.ts'),
    import('./io/postgres/migrate.ts'),
    import('./errors/tensorforge-error.ts'),
  ]);
  const address = parseDatabaseUrl(url);
  const sql = connect(address, { maxConnections: 1, statementTimeoutMs: 5000 });
  try {
    const [row] = await sql<{ readonly version: string }[]>`
      SELECT current_setting('server_version') AS version`;
    const version = row?.version ?? 'unknown';
    if (Number.parseInt(version, 10) < 15) {
      throw new Error(
        `${describeAddress(address)} is PostgreSQL ${version}; 15 or later is needed`,
      );
    }
    await checkSchema(sql);
    return `PostgreSQL ${version} at ${describeAddress(address)}`;
  } catch (error) {
    const isOurs = error instanceof Error && !('code' in error);
    throw isOurs || error instanceof TensorForgeError ? error : connectionFailure(address, error);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

// `tensorforge ... | head` closes the pipe early: that is the reader's right, and no failure of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const { runProgram } = await import('./cli/program.ts');

process.exitCode = await runProgram(
  process.argv.slice(2),
  {
    up: async (request) => (await loadActions()).up(request),
    serve: async (target, request) => (await loadActions()).serve(target, request),
    sim: async (request) => (await loadActions()).sim(request),
    demo: async (request) => (await loadActions()).demo(request),
    simulate: async (request) => (await loadActions()).simulate(request),
    replayFolder: async (request) => (await loadActions()).replayFolder(request),
  },
  {
    dataDirectoryProblem: async (path) =>
      (await import('./io/files/data-directory.ts')).dataDirectoryProblem(path),
    readLock: async (path) => (await import('./io/files/directory-lock.ts')).readLock(path),
    checkDatabase,
  },
);
