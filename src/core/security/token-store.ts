// Opaque tokens by id, as their hashes (platform specification A.12). Who reads the store learns no
// token, and a guess learns nothing from the time that its answer takes.
//
//   stored ── [issuedAt, issuedAt + ttl) valid ──> from issuedAt + ttl on expired ──> cleaned up
//
//   I1  No token text is kept, only its digest.
//   I2  What `cleanup(now)` removes no `validate(.., now)` accepts, now or later; and what it leaves
//       is not rejected for its age (rule SO8). Both ask the same question.
//   I3  A refused `store` changes nothing.

import { type Fault, invalid, type Violation } from '../../base/fault.ts';
import { isCount } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { constantTimeEqual } from './constant-time.ts';
import type { CryptoPort } from './crypto-port.ts';
import { isTokenExpired, isTokenLive, isTokenWellFormed } from './rules.ts';

type StoredToken = {
  readonly hash: string;
  /** Unix seconds. */
  readonly issuedAt: number;
  readonly ttlSeconds: number;
};

function violationsOf(
  id: string,
  token: string,
  issuedAt: number,
  ttlSeconds: number,
): Violation[] {
  const violations: Violation[] = [];
  if (id === '')
    violations.push({ field: 'id', value: id, bound: 'an id of at least one character' });
  // The token itself is never shown.
  if (!isTokenWellFormed(token)) {
    violations.push({ field: 'token', value: '', bound: 'a text that is not blank' });
  }
  const bound = 'a whole number of at least 0';
  if (!isCount(issuedAt)) violations.push({ field: 'issuedAt', value: issuedAt, bound });
  if (!isCount(ttlSeconds)) violations.push({ field: 'ttlSeconds', value: ttlSeconds, bound });
  return violations;
}

export class TokenStore {
  readonly #cryptoPort: CryptoPort;
  readonly #tokens = new Map<string, StoredToken>();
  /** What an unknown id is compared with, so that it costs what a known one does. */
  readonly #dummyHash: string;

  constructor(cryptoPort: CryptoPort) {
    this.#cryptoPort = cryptoPort;
    this.#dummyHash = cryptoPort.sha256Hex('no token has this text');
  }

  /** Tokens held, expired ones that are not cleaned up yet included. */
  get count(): number {
    return this.#tokens.size;
  }

  /**
   * Keeps the token for `ttlSeconds` from `issuedAt` (unix seconds), in the place of an older one of
   * this id. Refuses an empty id, a blank token and times that are no whole numbers.
   */
  store(
    id: string,
    token: string,
    issuedAt: number,
    ttlSeconds: number,
  ): Result<undefined, Fault<'invalid_token'>> {
    const violations = violationsOf(id, token, issuedAt, ttlSeconds);
    if (violations.length > 0) return err(invalid('invalid_token', `token '${id}'`, violations));
    this.#tokens.set(id, { hash: this.#cryptoPort.sha256Hex(token), issuedAt, ttlSeconds });
    return ok(undefined);
  }

  /** Is this the token of `id`, and live at `now` (unix seconds)? The same work for an unknown id. */
  validate(id: string, token: string, now: number): boolean {
    const stored = this.#tokens.get(id);
    const isSame = constantTimeEqual(
      this.#cryptoPort.sha256Hex(token),
      stored?.hash ?? this.#dummyHash,
    );
    return stored !== undefined && isSame && isTokenLive(stored.issuedAt, stored.ttlSeconds, now);
  }

  /** Says whether the token was there. */
  revoke(id: string): boolean {
    return this.#tokens.delete(id);
  }

  /** Removes the tokens that are expired at `now` (unix seconds); returns how many. */
  cleanup(now: number): number {
    const before = this.#tokens.size;
    for (const [id, { issuedAt, ttlSeconds }] of this.#tokens) {
      if (isTokenExpired(issuedAt, ttlSeconds, now)) this.#tokens.delete(id);
    }
    return before - this.#tokens.size;
  }
}
