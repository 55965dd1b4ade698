// The seals of the audit trail in PostgreSQL, the table `event_digests`: appended, read, never changed.
// What a seal is, the core says; this shell stores it.

import { type Instant, instant } from '../../base/time.ts';
import type { AnySql, Transaction } from './connection.ts';
import type { Row } from './rows.ts';

type StoredHead = { readonly stream: string; readonly sequence: number; readonly hash: string };

export type StoredSeal = {
  readonly sequence: number;
  readonly sealedAt: Instant;
  readonly heads: readonly StoredHead[];
  readonly prevDigest: string;
  readonly digest: string;
  /** Ed25519, base64url. */
  readonly signature: string;
  /** Raw public half of the key that signed, base64url. */
  readonly publicKey: string;
};

/** Fails on the primary key where another process sealed in the meantime. */
export async function insertSeal(tx: Transaction, seal: StoredSeal): Promise<void> {
  await tx`
    insert into event_digests ${tx({
      sequence: seal.sequence,
      sealed_at: new Date(seal.sealedAt),
      heads: tx.json(seal.heads),
      prev_digest: seal.prevDigest,
      digest: seal.digest,
      signature: seal.signature,
      public_key: seal.publicKey,
    })}`;
}

function isHead(value: unknown): value is StoredHead {
  if (typeof value !== 'object' || value === null) return false;
  return (
    typeof Reflect.get(value, 'stream') === 'string' &&
    Number.isSafeInteger(Reflect.get(value, 'sequence')) &&
    typeof Reflect.get(value, 'hash') === 'string'
  );
}

/** What is no list of heads becomes an empty one, which the digest of the seal tells. */
function sealOf(row: Row<'event_digests'>): StoredSeal {
  const heads: unknown = row.heads;
  return {
    sequence: row.sequence,
    sealedAt: instant(row.sealed_at.getTime()),
    heads: Array.isArray(heads) && heads.every(isHead) ? heads : [],
    prevDigest: row.prev_digest,
    digest: row.digest,
    signature: row.signature,
    publicKey: row.public_key,
  };
}

/** Seals with a greater sequence than `after`, in their order, at most `limit`. */
export async function readSeals(
  sql: AnySql,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<readonly StoredSeal[]> {
  const rows = await sql<Row<'event_digests'>[]>`
    select * from event_digests where sequence > ${after} order by sequence limit ${limit}`;
  return rows.map(sealOf);
}

/** The newest seal, or the newest that was made at `byMs` or before. */
export async function readNewestSeal(sql: AnySql, byMs?: number): Promise<StoredSeal | undefined> {
  const [row] = await sql<Row<'event_digests'>[]>`
    select * from event_digests
    ${byMs === undefined ? sql`` : sql`where sealed_at <= ${new Date(byMs)}`}
    order by sequence desc limit 1`;
  return row === undefined ? undefined : sealOf(row);
}
