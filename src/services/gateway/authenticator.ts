// Who calls the control API: an API key, or the dashboard's cookie. A cookie counts only with the
// proof that no other site sent it: an unsafe method needs our own origin and our own header.

import type { IncomingMessage } from 'node:http';
import { err, ok, type Result } from '../../base/result.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import type { KeyRecord, KeyTable } from '../../io/credentials/key-table.ts';
import type { Principal } from '../../io/http/control-route.ts';
import {
  extractControlCredential,
  invalidApiKeyMessage,
} from '../../protocol/credentials/extract-credential.ts';
import type { Peer } from '../../protocol/http/peer-header.ts';
import { sessionCookie } from '../../protocol/http/session-cookie.ts';

export type AuthenticatorPorts = {
  readonly keys: KeyTable;
  /** The key behind a good session cookie. */
  readonly sessionKey: (cookie: string) => Promise<KeyRecord | undefined>;
  readonly nowSeconds: () => number;
  /** A key, or the key behind a session, was just used. */
  readonly onKeyUsed: (keyId: string, unixSeconds: number) => void;
  /** Counts a rejected credential; seconds to wait when the address has had its share, else 0. */
  readonly rejected: (address: string, path: string, reason: string) => number;
};

/** What a page of another site may send without asking, and gets no answer to read. */
const readMethods: ReadonlySet<string> = new Set(['GET', 'HEAD']);
const unsafeMethods: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

function principalOf(key: KeyRecord, kind: 'key' | 'session'): Principal {
  const isUser = kind === 'session' && key.owner !== undefined;
  return {
    text: isUser ? `user:${key.owner}` : `key:${key.keyId}`,
    kind,
    user: key.owner,
    groupName: key.groupName,
    permissions: new Set(key.permissions),
    keyId: key.keyId,
  };
}

function countOf(request: IncomingMessage, name: string): number {
  let count = 0;
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    if (request.rawHeaders[i]?.toLowerCase() === name) count++;
  }
  return count;
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/**
 * The fault of a request that a browser sends from elsewhere, a preflight included; undefined when
 * there is none. A plain read has none unless it opens a socket.
 */
export function crossOriginFault(
  request: IncomingMessage,
  peer: Peer,
  isSocket: boolean,
): Refusal | undefined {
  if (readMethods.has(request.method ?? '') && !isSocket) return undefined;
  const origin = headerOf(request, 'origin');
  const site = headerOf(request, 'sec-fetch-site');
  const own = `${peer.isTls ? 'https' : 'http'}://${headerOf(request, 'host') ?? ''}`;
  if (origin !== undefined && origin !== own) {
    return refusal('cross_origin', 'The request comes from another origin.');
  }
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return refusal('cross_origin', 'The browser says that another site sent the request.');
  }
  return undefined;
}

/** With a cookie, an unsafe request must prove that the dashboard itself sent it. */
function cookieFault(request: IncomingMessage, peer: Peer): Refusal | undefined {
  const fault = crossOriginFault(request, peer, false);
  if (fault !== undefined) return fault;
  if (!unsafeMethods.has(request.method ?? '')) return undefined;
  const proven =
    headerOf(request, 'origin') !== undefined ||
    headerOf(request, 'sec-fetch-site') === 'same-origin';
  if (!proven) return refusal('cross_origin', 'The request names no origin.');
  if (headerOf(request, 'x-tensorforge-csrf') !== '1') {
    return refusal('cross_origin', 'The request lacks the header x-tensorforge-csrf: 1.');
  }
  return undefined;
}

export class Authenticator {
  readonly #ports: AuthenticatorPorts;

  constructor(ports: AuthenticatorPorts) {
    this.#ports = ports;
  }

  async authenticate(
    request: IncomingMessage,
    peer: Peer,
    path: string,
  ): Promise<Result<Principal, Refusal>> {
    // On /v1 a cookie is no credential.
    const cookie = path.startsWith('/v1/')
      ? undefined
      : sessionCookie.read(request.headers.cookie, peer.isTls);
    const credential = extractControlCredential(
      {
        authorization: headerOf(request, 'authorization'),
        authorizationCount: countOf(request, 'authorization'),
        xApiKey: headerOf(request, 'x-api-key'),
        xApiKeyCount: countOf(request, 'x-api-key'),
      },
      cookie,
    );
    if (!credential.ok) {
      if (credential.error.code === 'ambiguous_credentials') return credential;
      return this.#rejected(peer, path, 'absent', credential.error);
    }
    if (credential.value.kind === 'session')
      return this.#session(request, peer, path, credential.value.text);
    const nowSeconds = this.#ports.nowSeconds();
    const verdict = this.#ports.keys.verify(credential.value.text, nowSeconds);
    if (verdict.ok) {
      this.#ports.onKeyUsed(verdict.key.keyId, nowSeconds);
      return ok(principalOf(verdict.key, 'key'));
    }
    const cause = refusal('invalid_api_key', invalidApiKeyMessage);
    return this.#rejected(peer, path, verdict.reason, cause);
  }

  async #session(
    request: IncomingMessage,
    peer: Peer,
    path: string,
    cookie: string,
  ): Promise<Result<Principal, Refusal>> {
    const fault = cookieFault(request, peer);
    if (fault !== undefined) return err(fault);
    const key = await this.#ports.sessionKey(cookie);
    if (key !== undefined) {
      this.#ports.onKeyUsed(key.keyId, this.#ports.nowSeconds());
      return ok(principalOf(key, 'session'));
    }
    const cause = refusal('invalid_api_key', 'The session has ended. Sign in again.');
    return this.#rejected(peer, path, 'session', cause);
  }

  #rejected(peer: Peer, path: string, reason: string, cause: Refusal): Result<Principal, Refusal> {
    const delay = this.#ports.rejected(peer.address, path, reason);
    if (delay === 0) return err(cause);
    const words = 'Too many rejected credentials from this address. A good key still passes.';
    return err(refusal('auth_attempts_exceeded', words, { retryAfterSeconds: delay }));
  }
}
