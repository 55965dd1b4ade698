// The API keys as a thread holds them: by public id, verified without a database, without a cache
// of raw credentials and without a log line. An unknown id costs the same comparison as a known one.

import { hash, timingSafeEqual } from 'node:crypto';
import { parseApiKey } from '../../protocol/credentials/api-key.ts';

export type KeyRecord = {
  /** `key_` and the public id. */
  readonly keyId: string;
  readonly groupName: string;
  readonly owner: string | undefined;
  readonly permissions: readonly string[];
  /** Globs of model ids; empty means every model. */
  readonly models: readonly string[];
  /** Further lists of globs, each of which must hold the model as well: those of limits. */
  readonly furtherModels?: readonly (readonly string[])[];
  /** Its limits let only backends of the restricted zone serve it. */
  readonly isRestrictedOnly?: boolean;
  /** SHA-256 over pepper and secret, 64 hex digits. */
  readonly secretHash: string;
  /** Unix seconds. */
  readonly issuedAt: number;
  /** Unix seconds, the first instant at which it is no longer valid; undefined for never. */
  readonly expiresAt: number | undefined;
};

export type KeyVerdict =
  | { readonly ok: true; readonly key: KeyRecord }
  | { readonly ok: false; readonly reason: 'malformed' | 'unknown' | 'wrong_secret' | 'expired' };

const digestBytes = 32;

type Entry = { readonly record: KeyRecord; readonly digest: Buffer };

export function digestSecret(pepper: string, secret: string): Buffer {
  return Buffer.from(digestText(pepper, secret), 'latin1');
}

/** The 32 bytes as characters: asking the hash for a buffer costs more than twice as much. */
function digestText(pepper: string, secret: string): string {
  return hash('sha256', pepper + secret, 'latin1');
}

export class KeyTable {
  readonly #pepper: string;
  readonly #entries = new Map<string, Entry>();
  readonly #dummy: Buffer;
  /** Where a digest is laid out for the comparison; used within one synchronous call only. */
  readonly #scratch = Buffer.alloc(digestBytes);

  constructor(pepper: string) {
    this.#pepper = pepper;
    this.#dummy = digestSecret(pepper, 'no key has this secret');
  }

  get size(): number {
    return this.#entries.size;
  }

  upsert(record: KeyRecord): void {
    this.#entries.set(record.keyId, { record, digest: Buffer.from(record.secretHash, 'hex') });
  }

  remove(keyId: string): void {
    this.#entries.delete(keyId);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** The key of this id if it is good at `nowSeconds` (unix), for work that it ordered before. */
  find(keyId: string, nowSeconds: number): KeyRecord | undefined {
    const record = this.#entries.get(keyId)?.record;
    const isOver = record?.expiresAt !== undefined && nowSeconds >= record.expiresAt;
    return isOver ? undefined : record;
  }

  /** Is the credential good at `nowSeconds` (unix)? Constant work for every well-formed text. */
  verify(text: string, nowSeconds: number): KeyVerdict {
    const parsed = parseApiKey(text);
    if (parsed === undefined) return { ok: false, reason: 'malformed' };
    const entry = this.#entries.get(parsed.keyId);
    this.#scratch.write(digestText(this.#pepper, parsed.secret), 'latin1');
    const same = timingSafeEqual(this.#scratch, entry?.digest ?? this.#dummy);
    if (entry === undefined) return { ok: false, reason: 'unknown' };
    if (!same) return { ok: false, reason: 'wrong_secret' };
    const { expiresAt } = entry.record;
    if (expiresAt !== undefined && nowSeconds >= expiresAt) return { ok: false, reason: 'expired' };
    return { ok: true, key: entry.record };
  }
}
