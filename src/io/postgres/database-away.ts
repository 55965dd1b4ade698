// Is a failure the database being out of reach, rather than a fault of the statement or of ours?
// Whoever answers a request says `retry` then: the same request is good once the database is back.

import { failureCode, statementTimeoutMs } from './connection.ts';

/** System and driver codes of a connection that could not be made or broke. */
const connectionCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'CONNECT_TIMEOUT',
]);

const statementTimeout = '57014';

/** SQLSTATE: 08 connection exceptions, 57P0x server stops or starts, 53300 no connection left. */
const awayStates = /^(?:08[0-9A-Z]{3}|57P0[0-9]|53300|57014)$/;

/** Words for the caller when the database is out of reach; undefined for any other failure. */
export function databaseAwayWords(error: unknown): string | undefined {
  const code = failureCode(error);
  if (code === undefined || !(error instanceof Error)) return undefined;
  // A socket that is not there fails with ENOENT, and so does a file, which is no matter of ours.
  const isSocketGone = code === 'ENOENT' && 'syscall' in error && error.syscall === 'connect';
  const isAway =
    isSocketGone ||
    connectionCodes.has(code) ||
    code.startsWith('CONNECTION_') ||
    awayStates.test(code);
  if (!isAway) return undefined;
  if (code === statementTimeout) {
    return `The database took longer than ${statementTimeoutMs / 1000} s (${code}). Try again; if it stays so, look at its load.`;
  }
  return `The database does not answer (${code}). Try again; if it stays away, run tensorforge doctor.`;
}
