// The credentials as one gateway knows them: what the control node told it, checked by the
// production's rules in the order of the specification (B.4). A gateway that was told nothing yet
// knows nobody, and refuses everything with 503 rather than let anyone in (SO10).

import type { Ground } from '../environment/ground.ts';
import type { TokenKeeper } from '../parts.ts';

export type KeyFacts = {
  readonly id: string;
  readonly token: string;
  /** Unix seconds. */
  readonly issuedAt: number;
  readonly ttlSeconds: number;
  readonly permissions: readonly string[];
  /** Empty: from anywhere. */
  readonly addresses: readonly string[];
};

/** What a client shows. */
export type Credential = {
  readonly keyId: string;
  readonly token: string;
  readonly address: string;
  readonly origin: string | undefined;
  readonly path: string;
  readonly requestHeader: string;
};

type Refused = { readonly status: number; readonly code: string };

const inferencePermissions = ['inference:write'];

export class KeyDesk {
  readonly #ground: Ground;
  readonly #tokens: TokenKeeper;
  readonly #facts = new Map<string, KeyFacts>();
  /** Ids whose token should still be stored, by the rule of its life. */
  readonly #stored = new Set<string>();
  #isTold = false;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#tokens = ground.parts.newTokenStore();
  }

  get ids(): readonly string[] {
    return [...this.#facts.keys()].sort();
  }

  /** All keys, as at the start of a gateway or when it has missed something. */
  replaceAll(keys: readonly KeyFacts[]): readonly string[] {
    const kept = new Set(keys.map(({ id }) => id));
    const gone = [...this.#facts.keys()].filter((id) => !kept.has(id));
    for (const id of gone) this.#remove(id);
    for (const key of keys) this.#upsert(key);
    this.#isTold = true;
    return gone;
  }

  #upsert(key: KeyFacts): void {
    if (this.#facts.has(key.id)) return;
    this.#facts.set(key.id, key);
    this.#tokens.store(key.id, key.token, key.issuedAt, key.ttlSeconds);
    this.#stored.add(key.id);
  }

  #remove(id: string): void {
    this.#facts.delete(id);
    this.#tokens.revoke(id);
    this.#stored.delete(id);
  }

  /** Refused with what, or undefined for a good credential. `nowSeconds` as the gateway believes. */
  refusal(shown: Credential, nowSeconds: number): Refused | undefined {
    const { parts, watch, conduct } = this.#ground;
    const verdict = this.#judge(shown, nowSeconds);
    watch.security.judgedCredential({
      shown,
      facts: this.#facts.get(shown.keyId),
      isTold: this.#isTold,
      isStored: this.#stored.has(shown.keyId),
      nowSeconds,
      status: verdict?.status ?? 200,
    });
    if (verdict !== undefined && verdict.status !== 503 && conduct.failsClosed) {
      watch.security.countedUnder(
        shown.address,
        shown.path,
        parts.rateLimitKey(shown.address, shown.path),
      );
    }
    return verdict;
  }

  #judge(shown: Credential, nowSeconds: number): Refused | undefined {
    const { parts, conduct, watch } = this.#ground;
    if (!this.#isTold && conduct.failsClosed) return { status: 503, code: 'unavailable' };
    const path = parts.sanitisePath(shown.path);
    if (!path.ok) return { status: 400, code: 'invalid_path' };
    const header = parts.sanitizeHeader(shown.requestHeader);
    watch.security.usedPath(shown.path, path.value);
    watch.security.usedHeader(shown.requestHeader, header);
    if (shown.origin !== undefined && !parts.isAllowedOrigin(shown.origin)) {
      return { status: 403, code: 'forbidden_origin' };
    }
    if (!parts.isTokenWellFormed(shown.token)) return { status: 401, code: 'unauthenticated' };
    const facts = this.#facts.get(shown.keyId);
    const isLive = this.#tokens.validate(shown.keyId, shown.token, nowSeconds);
    if (!isLive && this.#isTold) return { status: 401, code: 'unauthenticated' };
    if (facts === undefined) return undefined;
    if (!parts.hasPermissions(inferencePermissions, new Set(facts.permissions))) {
      return { status: 403, code: 'forbidden' };
    }
    if (facts.addresses.length > 0 && !parts.ipAllowed(shown.address, facts.addresses)) {
      return { status: 403, code: 'forbidden_address' };
    }
    return undefined;
  }

  /** Forgets expired tokens; the checker compares what validation says at the same instant. */
  cleanUp(nowSeconds: number): void {
    const before = this.#tokens.count;
    const removed = this.#tokens.cleanup(nowSeconds);
    const expired = [...this.#facts.values()].filter(
      (key) => this.#stored.has(key.id) && nowSeconds >= key.issuedAt + key.ttlSeconds,
    );
    for (const key of expired) this.#stored.delete(key.id);
    this.#ground.watch.security.cleanedUp(before, removed, expired.length);
  }
}
