// The database of the installation: the embedded server or one of the user's own, migrated and ready.

import type { Secret } from '../../base/secret.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { DataDirectory } from '../files/data-directory.ts';
import {
  type ConnectOptions,
  connect,
  connectionFailure,
  failureCode,
  type Sql,
  statementTimeoutMs,
} from './connection.ts';
import { type DatabaseAddress, parseDatabaseUrl } from './database-url.ts';
import { type EmbeddedServer, startEmbedded } from './embedded.ts';
import type { EmbeddedRole } from './embedded-roles.ts';
import { migrate } from './migrate.ts';

export type DatabaseSource =
  | {
      readonly kind: 'embedded';
      readonly directory: DataDirectory;
      /** Folder of other PostgreSQL programs than the packaged ones. */
      readonly binariesFolder?: string;
    }
  | { readonly kind: 'url'; readonly url: Secret };

export type DatabaseOptions = {
  readonly source: DatabaseSource;
  /** Default 32. */
  readonly maxConnections?: number;
  /** Told once per step that a person may want to know of. */
  readonly log?: (words: string) => void;
  /** Overrides the folder of the migrations. */
  readonly migrations?: string;
};

export type Database = {
  /** The pool of the program: rows only, statements end after 5 s. */
  readonly sql: Sql;
  readonly kind: DatabaseSource['kind'];
  /** Such as `18.4`. */
  readonly serverVersion: string;
  /** Resolves with words if the embedded server ends without `close`; never for a server by URL. */
  readonly lost: Promise<string>;
  /** Another pool, for the audit service: it can add to and read the audit tables only. */
  openAuditPool(maxConnections: number): Sql;
  /** Waits for running statements (at most 5 s), then stops the embedded server. */
  close(): Promise<void>;
};

/** The oldest server whose SQL we use. */
const versionMin = 150_000;

type Reachable = {
  address(role: EmbeddedRole): DatabaseAddress;
  readonly server: EmbeddedServer | undefined;
};

async function reach(source: DatabaseSource, log: (words: string) => void): Promise<Reachable> {
  if (source.kind === 'url') {
    const address = parseDatabaseUrl(source.url);
    return { address: () => address, server: undefined };
  }
  const { directory, binariesFolder } = source;
  const server = await startEmbedded(
    directory,
    binariesFolder === undefined ? {} : { binariesFolder },
  );
  log(`embedded PostgreSQL ${server.major} runs as process ${server.pid}`);
  return {
    address: (role) => ({ kind: 'socket', ...server.connection(role) }),
    server,
  };
}

async function checkServer(sql: Sql): Promise<string> {
  const [row] = await sql<
    { readonly version: string; readonly number: string; readonly encoding: string }[]
  >`
    select current_setting('server_version') as version,
           current_setting('server_version_num') as number,
           current_setting('server_encoding') as encoding`;
  const version = (row?.version ?? '').split(' ')[0] ?? '';
  if (Number(row?.number) < versionMin) {
    throw new TensorForgeError(
      'config_invalid',
      `PostgreSQL ${version} is too old: DATABASE_URL must name a server of version 15 or later`,
    );
  }
  if (row?.encoding !== 'UTF8') {
    throw new TensorForgeError(
      'config_invalid',
      `the database has the encoding ${row?.encoding}: create one with encoding UTF8`,
    );
  }
  return version;
}

/** Checks the server and migrates with the owner's rights, on a connection of its own. */
async function prepare(
  address: DatabaseAddress,
  options: DatabaseOptions,
  log: (words: string) => void,
): Promise<string> {
  const limits: ConnectOptions = { maxConnections: 1, statementTimeoutMs: 0 };
  const owner = connect(address, limits);
  try {
    const version = await checkServer(owner);
    const applied = await migrate(owner, options.migrations);
    for (const { version: number, name } of applied) log(`applied migration ${number} (${name})`);
    return version;
  } catch (error) {
    if (error instanceof TensorForgeError) throw error;
    if (failureCode(error) === '42501') {
      throw new TensorForgeError(
        'config_invalid',
        'the role of DATABASE_URL may not create tables: ' +
          'make it the owner of the database, or grant it create on the schema public',
        { cause: error },
      );
    }
    throw connectionFailure(address, error);
  } finally {
    await owner.end({ timeout: 2 });
  }
}

/**
 * Opens the database, starting the embedded server where asked, and brings its schema up to date.
 * Throws `retry` when it cannot be reached, `config_invalid` when it cannot serve at all, `bad_state`
 * when its version or history does not fit this program.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const log = options.log ?? (() => {});
  const { address, server } = await reach(options.source, log);
  try {
    const serverVersion = await prepare(address('tensorforge_owner'), options, log);
    const limits = { maxConnections: options.maxConnections ?? 32, statementTimeoutMs };
    const sql = connect(address('tensorforge_app'), limits);
    const pools: Sql[] = [sql];
    let closing = false;
    return {
      sql,
      kind: options.source.kind,
      serverVersion,
      lost: new Promise((resolve) => {
        void server?.ended.then((words) => {
          if (!closing) resolve(words);
        });
      }),
      openAuditPool: (maxConnections) => {
        const pool = connect(address('tensorforge_audit'), { maxConnections, statementTimeoutMs });
        pools.push(pool);
        return pool;
      },
      close: async () => {
        closing = true;
        await Promise.all(pools.map((pool) => pool.end({ timeout: 5 })));
        await server?.stop();
      },
    };
  } catch (error) {
    await server?.stop();
    throw error;
  }
}
