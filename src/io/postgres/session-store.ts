// Sessions of the dashboard. The cookie is opaque text of which only a digest is stored; a session
// lives on the API key it was opened with, and ends with it.
//
//   cookie            tfs_<key id>.<session id>.<secret>
//   token_store       token_id `session:<key id>:<session id>`, token_hash = SHA-256 of the secret

import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { KeyId } from '../../base/brand.ts';
import { Secret } from '../../base/secret.ts';
import { type Instant, instant } from '../../base/time.ts';
import { nodeCrypto } from '../credentials/crypto.ts';
import type { AnySql, Transaction } from './connection.ts';
import type { ControlEvents } from './control-events.ts';
import { accountStates } from './identity-store.ts';
import type { Row } from './rows.ts';

export const sessionTtlSeconds = 12 * 60 * 60;
/** A session slides when it is used, but is not written at every request. */
const slideAfterSeconds = 60;

const cookieShape = /^tfs_(key_[a-z2-7]{12})\.([0-9a-f]{24})\.([A-Za-z0-9_-]{43})$/;

type Cookie = { readonly keyId: KeyId; readonly tokenId: string; readonly hash: string };

function parseCookie(cookie: Secret): Cookie | undefined {
  const [, keyId, sessionId, secret] = cookieShape.exec(cookie.reveal()) ?? [];
  if (keyId === undefined || sessionId === undefined || secret === undefined) return undefined;
  const tokenId = `session:${keyId}:${sessionId}`;
  return { keyId: keyId as KeyId, tokenId, hash: nodeCrypto.sha256Hex(secret) };
}

export type Session = {
  /** The key that it acts for. */
  readonly keyId: KeyId;
  readonly expiresAt: Instant;
};

/**
 * Opens a session for a key that was just checked, and tells so in the events. Expired sessions are
 * removed on this occasion, so that the table does not grow for ever. Returns the cookie's value.
 */
export async function insertSession(
  tx: Transaction,
  events: ControlEvents,
  session: { readonly keyId: KeyId; readonly actor: string; readonly at: Instant },
): Promise<Secret> {
  const sessionId = randomBytes(12).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  const nowSeconds = Math.floor(session.at / 1000);
  await tx`
    delete from token_store where token_id in (
      select token_id from token_store
      where token_id like 'session:%' and issued_at + ttl_seconds <= ${nowSeconds}
      for update skip locked)`;
  await tx`
    insert into token_store (token_id, token_hash, issued_at, ttl_seconds)
    values (${`session:${session.keyId}:${sessionId}`}, ${nodeCrypto.sha256Hex(secret)},
            ${nowSeconds}, ${sessionTtlSeconds})`;
  await events.append(tx, [
    {
      stream: 'identity',
      kind: 'login_succeeded',
      version: 1,
      occurredAt: session.at,
      actor: session.actor,
      subject: `key:${session.keyId}`,
      data: { key: session.keyId },
    },
  ]);
  return new Secret(`tfs_${session.keyId}.${sessionId}.${secret}`);
}

type SessionRow = Pick<Row<'token_store'>, 'token_hash' | 'issued_at' | 'ttl_seconds'>;

/**
 * The session of a cookie, which this use prolongs; undefined when the cookie is not one of ours, is
 * expired or ended, or when its key is revoked or expired or belongs to someone no longer Active.
 */
export async function validateSession(
  sql: AnySql,
  cookie: Secret,
  now: Instant,
): Promise<Session | undefined> {
  const parsed = parseCookie(cookie);
  if (parsed === undefined) return undefined;
  const nowSeconds = now / 1000;
  const [row] = await sql<SessionRow[]>`
    select s.token_hash, s.issued_at, s.ttl_seconds
    from token_store s
    join api_keys k on k.token_id = ${parsed.keyId}
    join token_store t on t.token_id = k.token_id
    join groups g on g.id = k.group_id
    left join users u on u.id = k.owner_id
    where s.token_id = ${parsed.tokenId}
      and not s.revoked
      and not t.revoked
      and s.issued_at + s.ttl_seconds > ${nowSeconds}::double precision
      and t.issued_at + t.ttl_seconds > ${nowSeconds}::double precision
      and g.state = ${accountStates.active}
      and (k.owner_id is null or u.state = ${accountStates.active})`;
  if (row === undefined) return undefined;
  const stored = Buffer.from(row.token_hash, 'hex');
  const given = Buffer.from(parsed.hash, 'hex');
  if (stored.length !== given.length || !timingSafeEqual(stored, given)) return undefined;
  if (nowSeconds - row.issued_at < slideAfterSeconds) {
    return { keyId: parsed.keyId, expiresAt: instant((row.issued_at + row.ttl_seconds) * 1000) };
  }
  const issuedAt = Math.floor(nowSeconds);
  await sql`
    update token_store set issued_at = greatest(issued_at, ${issuedAt})
    where token_id = ${parsed.tokenId} and not revoked`;
  return { keyId: parsed.keyId, expiresAt: instant((issuedAt + row.ttl_seconds) * 1000) };
}

/** Ends the session of a cookie; says whether there was one. */
export async function deleteSession(sql: AnySql, cookie: Secret): Promise<boolean> {
  const parsed = parseCookie(cookie);
  if (parsed === undefined) return false;
  const removed = await sql`
    delete from token_store where token_id = ${parsed.tokenId} and token_hash = ${parsed.hash}`;
  return removed.count > 0;
}
