// The embedded PostgreSQL: a real server of our own in the data directory, reached by a Unix socket
// only. Starting it must be quick on every day but the first, survive any kind of earlier death, and
// leave nothing behind when we die.
//
//   <data>/postgres          the database directory; appears whole (made aside, then renamed)
//   <data>/postgres.secret   the one secret from which all role passwords are derived
//   <data>/postgres.log      what the server says, bounded
//   <data>/run               the socket, or a short directory elsewhere (socket-directory.ts)

import { execFile } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Secret } from '../../base/secret.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { DataDirectory } from '../files/data-directory.ts';
import { createPrivateFile, writePrivateFile } from '../files/private-file.ts';
import { commandOf, findBinaries, type PostgresBinaries } from './embedded-binaries.ts';
import {
  createRoles,
  databaseName,
  type EmbeddedRole,
  rolePassword,
  superuser,
} from './embedded-roles.ts';
import { hostBasedAuthentication, serverConfiguration } from './embedded-settings.ts';
import { clearLeftovers } from './leftover-server.ts';
import { ServerLog } from './server-log.ts';
import { SupervisedServer } from './server-supervisor.ts';
import { prepareSocketDirectory, type SocketPlace } from './socket-directory.ts';

const run = promisify(execFile);

/** Crash recovery of a large database takes a while; the socket is polled all the time. */
const startLimitMs = 120_000;
const pollMs = 5;
/** A fast shutdown writes out what is in memory. */
const stopGraceSeconds = 20;
/** In the database directory: the roles are made. Its number changes when they do. */
const rolesMark = 'tensorforge-roles-1';

export type EmbeddedConnection = {
  /** The socket. */
  readonly path: string;
  readonly user: EmbeddedRole;
  readonly password: Secret;
  readonly database: string;
};

export class EmbeddedServer {
  readonly major: number;
  /** The process id of the server itself. */
  readonly pid: number;
  /** Resolves with words when the server has ended, ordered or not. */
  readonly ended: Promise<string>;
  readonly #socket: SocketPlace;
  readonly #master: Secret;
  readonly #supervised: SupervisedServer;

  constructor(parts: {
    readonly major: number;
    readonly pid: number;
    readonly socket: SocketPlace;
    readonly master: Secret;
    readonly supervised: SupervisedServer;
  }) {
    this.major = parts.major;
    this.pid = parts.pid;
    this.ended = parts.supervised.ended;
    this.#socket = parts.socket;
    this.#master = parts.master;
    this.#supervised = parts.supervised;
  }

  connection(role: EmbeddedRole): EmbeddedConnection {
    const password = rolePassword(this.#master, role);
    return { path: this.#socket.path, user: role, password, database: databaseName };
  }

  /** Fast shutdown, at most about 25 s. Open connections are cut. */
  async stop(): Promise<void> {
    await this.#supervised.stop(stopGraceSeconds);
  }
}

/** Makes the database directory aside and moves it into place when it is complete. */
async function initialise(
  data: DataDirectory,
  binaries: PostgresBinaries,
  master: Secret,
): Promise<void> {
  const fresh = data.file('postgres.new');
  const passwordFile = data.file('postgres.password');
  rmSync(fresh, { recursive: true, force: true });
  rmSync(passwordFile, { force: true });
  createPrivateFile(passwordFile, `${rolePassword(master, superuser).reveal()}\n`);
  const [command, args] = commandOf(binaries, 'initdb', [
    ...['-D', fresh, '-U', superuser, '-E', 'UTF8', '--locale=C'],
    ...['-A', 'scram-sha-256', `--pwfile=${passwordFile}`],
  ]);
  try {
    await run(command, [...args], {
      cwd: data.path,
      timeout: startLimitMs,
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    });
  } catch (cause) {
    const output = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : '';
    const words = output.trim().split('\n').slice(-2).join(' | ');
    throw new TensorForgeError(
      'retry',
      `the embedded PostgreSQL cannot make its database in ${data.path} (${words}); ` +
        'check free space and permissions there, or set DATABASE_URL',
      { cause },
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(fresh, data.file('postgres'));
}

/** Refuses a database directory of another major version: PostgreSQL cannot read it. */
export function checkVersion(directory: string, major: number): void {
  const found = Number(readFileSync(join(directory, 'PG_VERSION'), 'utf8').trim());
  if (found === major) return;
  throw new TensorForgeError(
    'bad_state',
    `${directory} was written by PostgreSQL ${found}, and this release brings PostgreSQL ${major}: ` +
      'dump it with the release that wrote it and restore the dump here ' +
      '(docs/operating/postgresql.md, "Another major version"), or set DATABASE_URL',
  );
}

function replaceIfDifferent(path: string, text: string): void {
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writePrivateFile(path, text);
}

/** The pid of the server once it takes connections, as it says itself in postmaster.pid. */
function readyPid(directory: string): number | undefined {
  const file = join(directory, 'postmaster.pid');
  if (!existsSync(file)) return undefined;
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines[7]?.trim() === 'ready' ? Number(lines[0]) : undefined;
}

async function untilReady(
  directory: string,
  supervised: SupervisedServer,
  log: ServerLog,
): Promise<number> {
  const deadline = performance.now() + startLimitMs;
  let failure: string | undefined;
  void supervised.ended.then((words) => {
    failure = words;
  });
  while (failure === undefined && performance.now() < deadline) {
    const pid = readyPid(directory);
    if (pid !== undefined) return pid;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  if (failure === undefined) await supervised.stop(1);
  throw new TensorForgeError(
    'retry',
    `the embedded PostgreSQL did not start: ${failure ?? 'it took too long'}` +
      `${log.tail === '' ? '' : ` (${log.tail})`}; ` +
      'the file postgres.log in the data directory has more, and DATABASE_URL names a server of yours',
  );
}

/**
 * Starts the server of this data directory, making its database at the first start.
 * `binariesFolder` overrides the packaged programs.
 * Throws `bad_state` for a directory of another major version, `config_invalid` when PostgreSQL
 * cannot run here at all, `retry` when it did not start.
 */
export async function startEmbedded(
  data: DataDirectory,
  options: { readonly binariesFolder?: string } = {},
): Promise<EmbeddedServer> {
  const directory = data.file('postgres');
  const binaries = await findBinaries(options.binariesFolder);
  const master = data.secret('postgres.secret', 32);
  if (!existsSync(join(directory, 'PG_VERSION'))) await initialise(data, binaries, master);
  checkVersion(directory, binaries.major);
  const socket = prepareSocketDirectory(data.path);
  await clearLeftovers(directory, socket.directory);
  replaceIfDifferent(
    join(directory, 'postgresql.conf'),
    serverConfiguration(binaries.major, socket),
  );
  replaceIfDifferent(join(directory, 'pg_hba.conf'), hostBasedAuthentication);

  const log = new ServerLog(data.file('postgres.log'));
  const [command, args] = commandOf(binaries, 'postgres', ['-D', directory]);
  const supervised = new SupervisedServer(command, args, {
    cwd: data.path,
    onOutput: (text) => log.write(text),
  });
  const pid = await untilReady(directory, supervised, log);
  const server = new EmbeddedServer({ major: binaries.major, pid, socket, master, supervised });
  try {
    if (!existsSync(join(directory, rolesMark))) {
      await createRoles(socket, master);
      writePrivateFile(join(directory, rolesMark), '');
    }
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}
