// Opens the pool of upstream connections that fits the address of a backend. A host name is resolved at
// each connection, and every answer is judged before a socket is opened (security 2.5): a name that was
// harmless when it was added may lead elsewhere by now.

import { assert } from '../../../base/assert.ts';
import { refuseAddress } from '../../../base/network-address.ts';
import { checkedLookup, type Resolve, resolveBySystem } from '../probe/checked-lookup.ts';
import { CONNECT_TIMEOUT_MS, KeepAlivePool, type OpenConnection } from './keep-alive-pool.ts';
import { PlainConnection } from './plain-connection.ts';
import { TlsConnection, tlsConnector } from './tls-connection.ts';
import { resolveLimits, type UpstreamLimits, type UpstreamPool } from './upstream.ts';

export type {
  UpstreamExchange,
  UpstreamFailure,
  UpstreamFailureKind,
  UpstreamHandler,
  UpstreamLimits,
  UpstreamPool,
  UpstreamRequest,
  UpstreamStats,
} from './upstream.ts';

export type UpstreamOrigin = {
  /** An http or https root; its path is not used. */
  readonly url: string;
  /** Idle connections kept at most. Default 64. */
  readonly maxIdle?: number;
  readonly limits?: UpstreamLimits;
  /** Time for a connection to come about. Default 5 s. */
  readonly connectTimeoutMs?: number;
  /** Certificate authorities (PEM) to trust instead of the usual ones; https only. */
  readonly ca?: string;
  /** Default: that of the system. */
  readonly resolve?: Resolve;
};

const MAX_IDLE = 64;
const READ_BUFFER_BYTES = 64 * 1024;

/**
 * The pool learns the time from `sweep` alone: where its clock did not begin with it, the owner
 * sweeps once before the first request. Throws AssertionFailed for anything but an http or https URL
 * without credentials.
 */
export function createUpstreamPool(origin: UpstreamOrigin): UpstreamPool {
  const url = new URL(origin.url);
  assert(url.username === '' && url.password === '', 'an upstream URL carries no credentials');
  const limits = resolveLimits(origin.limits);
  const maxIdle = origin.maxIdle ?? MAX_IDLE;
  const connectTimeoutMs = origin.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  const lookup = checkedLookup(
    origin.resolve ?? resolveBySystem,
    (address) => refuseAddress(address) === undefined,
  );
  if (url.protocol === 'https:') {
    const connector = tlsConnector(origin.ca, lookup, connectTimeoutMs);
    const target = { origin: url.origin, limits, connector };
    const open: OpenConnection = (owner, deadlineMs) => {
      return new TlsConnection(target, owner, deadlineMs);
    };
    return new KeepAlivePool(maxIdle, open, connectTimeoutMs);
  }
  assert(url.protocol === 'http:', 'an upstream is http or https');
  const target = {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || 80),
    authority: url.host,
    limits,
    lookup,
    readBuffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
  };
  const open: OpenConnection = (owner, deadlineMs) => {
    return new PlainConnection(target, owner, deadlineMs);
  };
  return new KeepAlivePool(maxIdle, open, connectTimeoutMs);
}
