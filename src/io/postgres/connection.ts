// How the program talks to PostgreSQL: one driver, one set of type mappings, one time-out for requests.

import postgres from 'postgres';
import { assert } from '../../base/assert.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { type DatabaseAddress, describeAddress } from './database-url.ts';

type Types = { readonly bigint: number };

/** A pool of connections. */
export type Sql = postgres.Sql<Types>;
/** One connection inside a transaction. */
export type Transaction = postgres.TransactionSql<Types>;
/** Either of both, for statements that do not care. */
export type AnySql = Sql | Transaction;

/** Longest a statement may run on a request path, ms. */
export const statementTimeoutMs = 5_000;
const connectTimeoutSeconds = 5;

/** bigint as a number; the statement fails beyond 2^53, where a number would be wrong by a few. */
function parseBigint(text: string): number {
  const value = Number(text);
  assert(Number.isSafeInteger(value), `a bigint beyond 2^53 came from the database: ${text}`);
  return value;
}

export type ConnectOptions = {
  readonly maxConnections: number;
  /** Milliseconds; 0 for none, as migrations need. */
  readonly statementTimeoutMs: number;
};

/** A pool for this address. Nothing is opened before the first statement. */
export function connect(address: DatabaseAddress, options: ConnectOptions): Sql {
  return postgres<{ bigint: postgres.PostgresType<number> }>({
    ...(address.kind === 'socket'
      ? { path: address.path }
      : { host: address.host, port: address.port }),
    user: address.user,
    password: address.password.reveal(),
    database: address.database,
    ssl: address.kind === 'socket' ? false : address.tls,
    max: options.maxConnections,
    connect_timeout: connectTimeoutSeconds,
    connection: {
      application_name: 'tensorforge',
      statement_timeout: options.statementTimeoutMs,
      // A transaction that its process forgot must not hold its locks for ever.
      idle_in_transaction_session_timeout: 60_000,
    },
    types: {
      bigint: {
        to: 20,
        from: [20],
        parse: parseBigint,
        serialize: (value: number) => String(value),
      },
    },
    onnotice: () => {},
  });
}

/** The SQLSTATE or system code of a failure, undefined for anything else. */
export function failureCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

const remedies: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; start the server or correct DATABASE_URL',
  ENOENT: 'there is no such socket; start the server or correct DATABASE_URL',
  ENOTFOUND: 'the host name is unknown; correct DATABASE_URL',
  EAI_AGAIN: 'the host name cannot be looked up now; check DNS or DATABASE_URL',
  CONNECT_TIMEOUT: 'it did not answer in time; check address, firewall and server',
  '28P01': 'it does not accept the password; correct DATABASE_URL',
  '28000': 'it does not let this role in; check pg_hba.conf and DATABASE_URL',
  '3D000': 'the database does not exist there; create it or correct DATABASE_URL',
  '53300': 'it has no connection left; raise its max_connections or lower the pool',
  '57P03': 'it is starting or stopping; try again shortly',
};

/** The failure to reach a database in words for people, code `retry`; never with the password. */
export function connectionFailure(address: DatabaseAddress, cause: unknown): TensorForgeError {
  const code = failureCode(cause);
  const words = cause instanceof Error ? cause.message : String(cause);
  const remedy =
    (code === undefined ? undefined : remedies[code]) ??
    `${words}; check the server and DATABASE_URL`;
  return new TensorForgeError(
    'retry',
    `PostgreSQL at ${describeAddress(address)} cannot be used: ${remedy}${code === undefined ? '' : ` (${code})`}`,
    { cause },
  );
}
