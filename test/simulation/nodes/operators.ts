// People and programs that change the installation, and some that try to. Who asks is known before
// what was asked is looked at; what is changed is written with its event first, and acts then.

import { strategies } from '../../../src/base/routing-words.ts';
import { type RoutingSettings, usualSettings } from '../../../src/core/routing/snapshot.ts';
import { controlNode, type Ground, wallOf } from '../environment/ground.ts';
import type { TokenKeeper } from '../parts.ts';
import type { Trail } from './trail.ts';

type Principal = {
  readonly id: string;
  readonly token: string;
  readonly permissions: readonly string[];
};

export type Change = {
  readonly kind: string;
  readonly needs: readonly string[];
  readonly stream: string;
  readonly subject: string;
  /** Is there what the change is about? Asked only of somebody who may. */
  readonly exists: () => boolean;
  readonly write: () => void;
  readonly act: () => void;
};

export type Outcome = 'done' | 'unauthenticated' | 'forbidden' | 'not_found' | 'unavailable';

/** Seconds that an operator's token lives; longer than any world. */
const tokenTtl = 100_000;

export class Operators {
  readonly #ground: Ground;
  readonly #trail: Trail;
  readonly #tokens: TokenKeeper;
  readonly #principals = new Map<string, Principal>();

  constructor(ground: Ground, trail: Trail, principals: readonly Principal[]) {
    this.#ground = ground;
    this.#trail = trail;
    this.#tokens = ground.parts.newTokenStore();
    const issuedAt = this.#seconds() - 3600;
    for (const principal of principals) {
      this.#principals.set(principal.id, principal);
      this.#tokens.store(principal.id, principal.token, issuedAt, tokenTtl);
    }
  }

  /** Asks for a change with these credentials. */
  ask(id: string, token: string, change: Change, told?: (outcome: Outcome) => void): void {
    const outcome = this.#judge(id, token, change);
    const known = this.#principals.get(id);
    this.#ground.watch.security.askedChange({
      kind: change.kind,
      isAuthentic: known !== undefined && known.token === token,
      needs: change.needs,
      granted: known?.permissions ?? [],
      exists: change.exists(),
      outcome: outcome ?? 'done',
    });
    if (outcome !== undefined) {
      told?.(outcome);
      return;
    }
    const fact = {
      stream: change.stream,
      kind: change.kind,
      actor: `user:${id}`,
      subject: change.subject,
      data: {},
    };
    const act = (): void => {
      change.act();
      told?.('done');
    };
    this.#trail.record(fact, change.write, act, () => told?.('unavailable'));
  }

  #judge(id: string, token: string, change: Change): Outcome | undefined {
    const { parts, conduct } = this.#ground;
    if (conduct.checksPrincipal) {
      const principal = this.#principals.get(id);
      const isLive = parts.isTokenWellFormed(token);
      if (!isLive || !this.#tokens.validate(id, token, this.#seconds())) return 'unauthenticated';
      const granted = new Set(principal?.permissions ?? []);
      if (!parts.hasPermissions(change.needs, granted)) return 'forbidden';
    }
    return change.exists() ? undefined : 'not_found';
  }

  #seconds(): number {
    return Math.floor(wallOf(this.#ground, controlNode) / 1000);
  }
}

export const admin: Principal = {
  id: 'ana',
  token: 'tfk_operator_ana_0123456789abcdef',
  permissions: ['backends:write', 'keys:write', 'config:write', 'deployments:write'],
};
export const viewer: Principal = {
  id: 'vera',
  token: 'tfk_operator_vera_fedcba9876543210',
  permissions: ['backends:read', 'keys:write'],
};

/** The routing settings number `n` of a world. */
export function settingsOf(n: number): RoutingSettings {
  const strategy = strategies[n % strategies.length] ?? 'smart';
  return {
    ...usualSettings,
    strategy,
    weights:
      n % 2 === 0
        ? { priority: 50, load: 30, latency: 20 }
        : { priority: 20, load: 40, latency: 40 },
    maxRetries: 1 + (n % 3),
    aliases: n % 2 === 0 ? { chat: 'm-a' } : { chat: 'm-b' },
  };
}
