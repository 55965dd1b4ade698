// DATABASE_URL, read once and strictly. The parts are kept apart, so that the password can be a
// Secret and messages can name the server without it. Off this machine TLS is verified unless the
// URL says otherwise (security 2.8).

import { readFileSync } from 'node:fs';
import { Secret } from '../../base/secret.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';

export type TlsOptions = {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly checkServerIdentity?: () => undefined;
};

export type DatabaseAddress = {
  readonly user: string;
  readonly password: Secret;
  readonly database: string;
} & (
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly tls: false | TlsOptions;
    }
);

function refuse(why: string): TensorForgeError {
  return new TensorForgeError(
    'config_invalid',
    `DATABASE_URL ${why}; its form is postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full`,
  );
}

const loopbackHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

const sslModes = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
type SslMode = (typeof sslModes)[number];

function sslModeOf(url: URL): SslMode {
  const text = url.searchParams.get('sslmode');
  if (text === null) return loopbackHosts.has(url.hostname) ? 'disable' : 'verify-full';
  const mode = sslModes.find((known) => known === text);
  // `allow` and `prefer` fall back to plain text when somebody in between asks for it.
  if (mode === undefined) throw refuse(`has an sslmode other than ${sslModes.join(', ')}`);
  return mode;
}

function tlsOf(url: URL): false | TlsOptions {
  const mode = sslModeOf(url);
  if (mode === 'disable') return false;
  if (mode === 'require') return { rejectUnauthorized: false };
  const file = url.searchParams.get('sslrootcert');
  let ca: string | undefined;
  try {
    ca = file === null || file === 'system' ? undefined : readFileSync(file, 'utf8');
  } catch {
    throw refuse('names an sslrootcert that cannot be read');
  }
  return {
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
    ...(mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}

const knownParameters: ReadonlySet<string> = new Set(['sslmode', 'sslrootcert', 'host']);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse('holds a bad percent escape');
  }
}

/** Reads the URL; throws `config_invalid`, never repeating the text, which holds a password. */
export function parseDatabaseUrl(secret: Secret): DatabaseAddress {
  let url: URL;
  try {
    url = new URL(secret.reveal());
  } catch {
    throw refuse('is not a URL');
  }
  if (url.protocol !== 'postgresql:' && url.protocol !== 'postgres:') {
    throw refuse('does not begin with postgresql://');
  }
  for (const name of url.searchParams.keys()) {
    if (!knownParameters.has(name)) throw refuse(`has the unknown parameter ${name}`);
  }
  const database = decoded(url.pathname.slice(1));
  if (database === '' || database.includes('/')) throw refuse('names no database');
  const user = decoded(url.username);
  if (user === '') throw refuse('names no user');
  const common = { user, password: new Secret(decoded(url.password)), database };
  const port = url.port === '' ? 5432 : Number(url.port);
  const folder = url.searchParams.get('host');
  if (folder?.startsWith('/') === true) {
    return { ...common, kind: 'socket', path: `${folder}/.s.PGSQL.${port}` };
  }
  if (url.hostname === '') throw refuse('names no host');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { ...common, kind: 'tcp', host, port, tls: tlsOf(url) };
}

/** The server without credentials: `host:port/database` or the socket. */
export function describeAddress(address: DatabaseAddress): string {
  return address.kind === 'socket'
    ? `${address.path} (database ${address.database})`
    : `${address.host}:${address.port}/${address.database}`;
}
