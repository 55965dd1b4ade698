// Goal: the embedded server starts after any kind of death, leaves nothing behind when its owner is
// killed, and lets nobody in but us. Method: real servers, and real processes that hold one and are
// killed with SIGKILL.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually, temporaryFolder, testBinaries } from '../../../test/support/postgres.ts';
import { type DataDirectory, openDataDirectory } from '../files/data-directory.ts';
import { connect, type Sql } from './connection.ts';
import { type EmbeddedServer, startEmbedded } from './embedded.ts';
import { findBinaries } from './embedded-binaries.ts';
import type { EmbeddedRole } from './embedded-roles.ts';
import { serverProcesses } from './leftover-server.ts';

const sourceUrl = (path: string): string => new URL(path, import.meta.url).href;

/** A process that starts the server of this directory, says so, and stays until it is killed. */
function holder(path: string): ChildProcess {
  const program = `
    import { openDataDirectory } from ${JSON.stringify(sourceUrl('../files/data-directory.ts'))};
    import { startEmbedded } from ${JSON.stringify(sourceUrl('./embedded.ts'))};
    const directory = await openDataDirectory(${JSON.stringify(path)});
    const server = await startEmbedded(directory, ${JSON.stringify(testBinaries)});
    console.log(server.pid);`;
  return spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function serverPidOf(child: ChildProcess): Promise<number> {
  assert.ok(child.stdout !== null);
  const [data]: unknown[] = await once(child.stdout, 'data');
  return Number(String(data).trim());
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function pool(server: EmbeddedServer, role: EmbeddedRole): Sql {
  const limits = { maxConnections: 2, statementTimeoutMs: 5_000 };
  return connect({ kind: 'socket', ...server.connection(role) }, limits);
}

async function ask(server: EmbeddedServer): Promise<void> {
  const sql = pool(server, 'tensorforge_app');
  assert.deepEqual([...(await sql`select 1 as one`)], [{ one: 1 }]);
  await sql.end();
}

describe('the embedded PostgreSQL', () => {
  const path = temporaryFolder();
  let data: DataDirectory;
  let database = '';

  const start = (): Promise<EmbeddedServer> => startEmbedded(data, testBinaries);

  before(async () => {
    data = await openDataDirectory(path);
    database = data.file('postgres');
    // The first of several tries is cut off half-way; its remains must not matter.
    mkdirSync(data.file('postgres.new'));
    writeFileSync(join(data.file('postgres.new'), 'PG_VERSION'), '1\n');
    writeFileSync(data.file('postgres.password'), 'old\n');
    const server = await start();
    await server.stop();
  });
  after(() => {
    data.release();
    rmSync(path, { recursive: true, force: true });
  });

  /** Gives the directory to another process for a while. */
  async function withHolder(story: (child: ChildProcess, pid: number) => Promise<void>) {
    data.release();
    const child = holder(path);
    try {
      await story(child, await serverPidOf(child));
    } finally {
      await killed(child);
      data = await openDataDirectory(path);
    }
  }

  test('made its database whole, and left no password lying about', () => {
    assert.equal(existsSync(data.file('postgres.new')), false);
    assert.equal(existsSync(data.file('postgres.password')), false);
    assert.equal(statSync(database).mode & 0o077, 0);
    assert.equal(statSync(data.file('postgres.secret')).mode & 0o777, 0o600);
    assert.equal(statSync(data.file('run')).mode & 0o777, 0o700);
  });

  test('starts quickly on an initialised directory and stops within moments', async (t) => {
    const begin = performance.now();
    const server = await start();
    const startMs = performance.now() - begin;
    await ask(server);
    await server.stop();
    t.diagnostic(`start ${Math.round(startMs)} ms`);
    // Some 60 ms on an idle machine; the bound leaves room for a busy one.
    assert.ok(startMs < 1_500, `${startMs} ms`);
    assert.equal(await server.ended, 'exit code 0');
    assert.deepEqual(serverProcesses(database), []);
    assert.equal(existsSync(join(database, 'postmaster.pid')), false);
  });

  test('listens on no network and knows nobody without the password', async () => {
    const server = await start();
    const owner = pool(server, 'tensorforge_owner');
    const [row] = await owner`
      select current_setting('listen_addresses') as listen,
             current_setting('fsync') as fsync,
             current_setting('log_parameter_max_length_on_error') as logged`;
    assert.deepEqual(row, { listen: '', fsync: 'on', logged: '0' });
    await owner.end();
    const { password: _password, ...rest } = server.connection('tensorforge_app');
    const { password } = server.connection('tensorforge_audit');
    const limits = { maxConnections: 1, statementTimeoutMs: 0 };
    const stranger = connect({ kind: 'socket', ...rest, password }, limits);
    await assert.rejects(stranger`select 1`, { code: '28P01' });
    await stranger.end();
    await server.stop();
  });

  test('gives the program a role that can neither change the server nor reach its files', async () => {
    const server = await start();
    const app = pool(server, 'tensorforge_app');
    const roles = await app`
      select rolname, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication
      from pg_roles where rolname in ('tensorforge_owner', 'tensorforge_app', 'tensorforge_audit')`;
    assert.equal(roles.length, 3);
    for (const { rolname, ...rights } of roles) {
      assert.deepEqual(new Set(Object.values(rights)), new Set([false]), rolname);
    }
    const denied = { code: '42501' };
    await assert.rejects(app`create table theirs (id integer)`, denied);
    await assert.rejects(app`copy (select 1) to program 'cat'`, denied);
    await assert.rejects(app`select pg_read_file('PG_VERSION')`, denied);
    await app.end();
    await server.stop();
  });

  test('is gone within 5 s after its owner was killed, and starts again with its data', async () => {
    await withHolder(async (child, pid) => {
      assert.ok(serverProcesses(database).some((found) => found.pid === pid));
      await killed(child);
      await eventually('no server process', () => serverProcesses(database).length === 0, 5_000);
    });
    const server = await start();
    await ask(server);
    await server.stop();
  });

  test('starts at once after a kill, while the old server is still stopping', async () => {
    await withHolder(async (child) => killed(child));
    const server = await start();
    await ask(server);
    // A process that was just forked still carries the name of its postmaster.
    const postmasters = () => serverProcesses(database).filter((found) => found.isPostmaster);
    await eventually('one server', () => postmasters().length === 1);
    await server.stop();
  });

  test('is gone within 5 s even when a client keeps a statement running', async () => {
    await withHolder(async (child, pid) => {
      const master = data.readSecretFile('postgres.secret');
      assert.ok(master !== undefined && pid > 0);
      // The sleeper shares the server of the process that is about to be killed.
      const sql = connect(
        {
          kind: 'socket',
          path: join(data.file('run'), '.s.PGSQL.5432'),
          user: 'tensorforge_app',
          password: (await import('./embedded-roles.ts')).rolePassword(master, 'tensorforge_app'),
          database: 'tensorforge',
        },
        { maxConnections: 1, statementTimeoutMs: 0 },
      );
      // The connection stands, and all that the driver asks by itself is answered, before it is cut.
      await sql`select 1`;
      const sleeper = assert.rejects(sql`select pg_sleep(600)`);
      await eventually('the sleeper runs', () =>
        serverProcesses(database).some(({ pid: one }) => {
          try {
            return /tensorforge_app.* SELECT/.test(readFileSync(`/proc/${one}/cmdline`, 'utf8'));
          } catch {
            return false;
          }
        }),
      );
      await killed(child);
      await eventually('no server process', () => serverProcesses(database).length === 0, 5_000);
      await sleeper;
      // Its server was ended under it: the driver may still hear of the cut.
      await sql.end({ timeout: 1 }).catch(() => undefined);
    });
  });

  test('a server whose owner and supervisor were both killed is stopped by the next start', async () => {
    await withHolder(async (child, pid) => {
      const keeper = parentOf(pid);
      const watchers = readFileSync(`/proc/${keeper}/task/${keeper}/children`, 'utf8')
        .trim()
        .split(' ')
        .map(Number)
        .filter((one) => one !== pid);
      for (const one of [keeper, ...watchers]) process.kill(one, 'SIGKILL');
      await killed(child);
      assert.ok(serverProcesses(database).length > 0);
    });
    const server = await start();
    await ask(server);
    // A process that was just forked still carries the name of its postmaster.
    const postmasters = () => serverProcesses(database).filter((found) => found.isPostmaster);
    await eventually('one server', () => postmasters().length === 1);
    await server.stop();
  });

  test('starts over the files of a server that a power cut ended, and leaves strangers alone', async () => {
    // The pid in the stale file belongs to somebody else by now: to a process of this test.
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 60_000)']);
    const lines = [String(stranger.pid), database, '1', '5432', data.file('run'), '', '', 'ready'];
    writeFileSync(join(database, 'postmaster.pid'), `${lines.join('\n')}\n`, { mode: 0o600 });
    writeFileSync(join(data.file('run'), '.s.PGSQL.5432.lock'), `${stranger.pid}\n`);
    writeFileSync(join(data.file('run'), '.s.PGSQL.5432'), '');
    const server = await start();
    await ask(server);
    await server.stop();
    assert.equal(stranger.exitCode, null);
    assert.equal(stranger.signalCode, null);
    await killed(stranger);
  });

  test('tells when the server ends by itself', async () => {
    const server = await start();
    process.kill(server.pid, 'SIGINT');
    assert.equal(await server.ended, 'exit code 0');
    await server.stop();
  });

  test('refuses a database of another major version and names the remedy', async () => {
    const file = join(database, 'PG_VERSION');
    const version = readFileSync(file, 'utf8');
    writeFileSync(file, '13\n');
    await assert.rejects(start(), {
      code: 'bad_state',
      message: /was written by PostgreSQL 13, and this release brings PostgreSQL \d+: dump it/,
    });
    writeFileSync(file, version);
    await (await start()).stop();
  });

  test('says why the server did not start', async () => {
    const file = join(database, 'global', 'pg_control');
    const bytes = readFileSync(file);
    truncateSync(file, 10);
    await assert.rejects(start(), { code: 'retry', message: /did not start: .*(FATAL|PANIC)/ });
    writeFileSync(file, bytes);
    await (await start()).stop();
  });

  test('names DATABASE_URL when its programs are not there', async () => {
    await assert.rejects(findBinaries('/nowhere'), {
      code: 'config_invalid',
      message: /there is no \/nowhere\/postgres; install again, or set DATABASE_URL/,
    });
  });

  test('reaches a socket whose path would be too long by a short private directory', async () => {
    const long = join(path, 'x'.repeat(60), 'y'.repeat(60));
    const directory = await openDataDirectory(long);
    const server = await startEmbedded(directory, testBinaries);
    const socket = server.connection('tensorforge_app').path;
    assert.ok(Buffer.byteLength(socket) <= 100, socket);
    assert.equal(statSync(join(socket, '..')).mode & 0o777, 0o700);
    await ask(server);
    await server.stop();
    directory.release();
    rmSync(join(socket, '..'), { recursive: true, force: true });
  });
});
