// The limits there are, on the control thread: written first, in force on all gateway threads before
// whoever set them is answered.
//
//   U1  A scope has one slot of the shared table for as long as there are slots: what it has in flight
//       stays right when its limit changes.
//   U2  A limit that changed begins with all of its minute; a budget that is new knows what the month
//       has cost before.
//   U3  Changes happen one after the other.

import { compareText } from '../../base/compare.ts';
import type { Instant } from '../../base/time.ts';
import type { PrivacyZone } from '../../core/backends/backend.ts';
import { isPriorityClass } from '../../core/jobs/priority-class.ts';
import type { LimitScope, UsageLimit } from '../../core/policy/usage-limit.ts';
import { monthOf } from '../../core/usage/month.ts';
import type { UsageRow } from '../../core/usage/usage-sums.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { Principal } from '../../io/http/control-route.ts';
import type {
  LimitRow,
  LimitStore,
  StoredLimit,
  StoredScope,
} from '../../io/postgres/limit-store.ts';
import type { LimitSlot, LimitTable } from '../../io/shared-memory/limit-table.ts';
import { unitsPerMs } from '../../io/shared-memory/rate-meter.ts';
import type { LimitWire } from '../../protocol/control/limit-schemas.ts';
import { limitHeaders } from './limit-headers.ts';
import { limitView, type SetLimit } from './limit-view.ts';
import { type PassedThreshold, ScopeThresholds } from './scope-thresholds.ts';
import type { ScopeLimit } from './thread-limits.ts';

export type UsageLimitsPorts = {
  readonly store: LimitStore;
  readonly table: LimitTable;
  /** Scopes that the table has room for. */
  readonly slots: number;
  /** Of the clock that all threads share, ms since its origin. */
  readonly nowMs: () => number;
  readonly now: () => Instant;
  /** Resolves when what threads have used is in the database, as far as it answers. */
  readonly settleUsage: () => Promise<void>;
  /** Micro-USD of a scope in a month, as the database has it. */
  readonly spentIn: (month: number, scope: LimitScope, id: string) => Promise<number>;
  /** Resolves when every gateway thread goes by this list. */
  readonly tell: (list: readonly ScopeLimit[]) => Promise<void>;
};

function nameOf({ scope, id }: StoredScope): string {
  return `${scope} ${id}`;
}

function isZone(text: string): text is PrivacyZone {
  return text === 'restricted' || text === 'open';
}

function limitOf(row: StoredLimit): UsageLimit {
  const { maxPriorityClass: max } = row;
  return {
    requestsPerMinute: row.requestsPerMinute,
    tokensPerMinute: row.tokensPerMinute,
    concurrentRequests: row.concurrentRequests,
    monthBudgetMicroUsd: row.monthBudgetMicroUsd,
    maxPriorityClass: max !== undefined && isPriorityClass(max) ? max : undefined,
    models: row.models,
    zones: row.zones.filter(isZone),
  };
}

export class UsageLimits {
  readonly #ports: UsageLimitsPorts;
  readonly #held = new Map<string, SetLimit>();
  /** Also of scopes whose limit was taken away. */
  readonly #slots = new Map<string, number>();
  readonly #thresholds = new ScopeThresholds();
  #changing: Promise<unknown> = Promise.resolve();

  constructor(ports: UsageLimitsPorts) {
    this.#ports = ports;
  }

  /** Reads what is set; to be awaited before any thread serves. */
  async start(): Promise<void> {
    for (const row of await this.#ports.store.load()) {
      this.#hold(row, undefined, await this.#settledBefore(row, undefined));
    }
  }

  /** What threads are told. */
  get list(): readonly ScopeLimit[] {
    return [...this.#held.values()].map(({ scope, id, slot, limit }) => ({
      scope,
      id,
      slot,
      limit,
    }));
  }

  /** All limits with what is left of them: the installation, groups, keys, each by id. */
  views(): readonly LimitWire[] {
    return [...this.#held.values()]
      .sort((a, b) => compareText(orderOf(a), orderOf(b)))
      .map((held) => this.#view(held));
  }

  view(scope: StoredScope): LimitWire | undefined {
    const held = this.#held.get(nameOf(scope));
    return held === undefined ? undefined : this.#view(held);
  }

  /** Those that hold for the requests of a caller: key, group, installation. */
  viewsOf(principal: Pick<Principal, 'keyId' | 'groupName'>): readonly LimitWire[] {
    return this.#of(principal).map((held) => this.#view(held));
  }

  /** `x-ratelimit-*-requests` for a caller of the control API, flat; empty without such a limit. */
  headersOf(principal: Pick<Principal, 'keyId' | 'groupName'>): readonly string[] {
    if (this.#held.size === 0) return [];
    return limitHeaders(this.#of(principal), 'requests', this.#units());
  }

  #of({ keyId, groupName }: Pick<Principal, 'keyId' | 'groupName'>): readonly SetLimit[] {
    const scopes: readonly StoredScope[] = [
      { scope: 'key', id: keyId },
      { scope: 'group', id: groupName },
      { scope: 'installation', id: '' },
    ];
    return scopes.flatMap((scope) => this.#held.get(nameOf(scope)) ?? []);
  }

  groupOfKey(id: string): Promise<string | undefined> {
    return this.#ports.store.groupOfKey(id);
  }

  /** Sets the whole limit of a scope. Throws `not_found`, `key_not_found`, `invalid_request`. */
  set(limit: StoredLimit, actor: string): Promise<LimitWire> {
    return this.#inTurn(async () => {
      // What can fail comes first: a limit that is written must be in force.
      const before = this.#held.get(nameOf(limit));
      if (before === undefined) this.#slotOf(nameOf(limit));
      if (limit.monthBudgetMicroUsd !== undefined) await this.#ports.settleUsage();
      const settled = await this.#settledBefore(limit, before);
      const row = await this.#ports.store.put(limit, { actor, at: this.#ports.now() });
      const held = this.#hold(row, before, settled);
      await this.#ports.tell(this.list);
      return this.#view(held);
    });
  }

  /** Takes the limit of a scope away; false where none was set. */
  clear(scope: StoredScope, actor: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const isThere = await this.#ports.store.remove(scope, { actor, at: this.#ports.now() });
      this.#thresholds.change(scope, undefined);
      if (this.#held.delete(nameOf(scope))) await this.#ports.tell(this.list);
      return isThere;
    });
  }

  /** Keys are revoked: their limits hold for nobody, and their slots are free. */
  keysGone(ids: readonly string[]): void {
    const gone = ids
      .map((id) => ({ scope: 'key', id }) as const)
      .filter((scope) => this.#held.delete(nameOf(scope)));
    for (const scope of gone) this.#thresholds.change(scope, undefined);
    if (gone.length > 0) void this.#inTurn(() => this.#ports.tell(this.list));
  }

  /** Takes what threads have settled; thresholds of budgets that were passed by it. */
  passedBy(rows: readonly UsageRow[]): readonly PassedThreshold[] {
    return this.#thresholds.note(rows);
  }

  /** A gateway thread is dead, and its successor has not begun. */
  release(thread: number): void {
    for (const slot of this.#slots.values()) this.#ports.table.slot(slot).reclaim(thread);
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#changing.then(change, change);
    this.#changing = turn.catch(() => undefined);
    return turn;
  }

  /** What a budget that is new has cost this month; undefined where none is new. */
  async #settledBefore(
    { scope, id, monthBudgetMicroUsd: budget }: StoredLimit,
    before: SetLimit | undefined,
  ): Promise<number | undefined> {
    if (budget === undefined || before?.limit.monthBudgetMicroUsd !== undefined) return undefined;
    return this.#ports.spentIn(this.#month(), scope, id);
  }

  #hold(row: LimitRow, before: SetLimit | undefined, settled: number | undefined): SetLimit {
    const name = nameOf(row);
    const slot = this.#slotOf(name);
    const words = before?.words ?? this.#ports.table.slot(slot);
    const limit = limitOf(row);
    if (limit.requestsPerMinute !== before?.limit.requestsPerMinute) words.requests.clear();
    if (limit.tokensPerMinute !== before?.limit.tokensPerMinute) words.tokens.clear();
    this.#holdBudget(row, words, settled);
    const { scope, id, changedAt, changedBy } = row;
    const held = { scope, id, slot, limit, words, changedAt, changedBy };
    this.#held.set(name, held);
    return held;
  }

  #holdBudget(row: LimitRow, words: LimitSlot, settled: number | undefined): void {
    const { scope, id, monthBudgetMicroUsd: budget } = row;
    if (budget === undefined || settled === undefined) {
      this.#thresholds.change({ scope, id }, budget);
      return;
    }
    const month = this.#month();
    words.spend.restore(month, settled);
    this.#thresholds.begin({ scope, id }, budget, month, settled);
  }

  #slotOf(name: string): number {
    const own = this.#slots.get(name);
    if (own !== undefined) return own;
    const slot = this.#slots.size < this.#ports.slots ? this.#slots.size : this.#leftSlot();
    this.#slots.set(name, slot);
    return slot;
  }

  /** The slot of a scope whose limit was taken away. */
  #leftSlot(): number {
    for (const [name, slot] of this.#slots) {
      if (this.#held.has(name)) continue;
      this.#slots.delete(name);
      return slot;
    }
    const words = `${this.#ports.slots} limits are set, the most there can be: take one away first`;
    throw new TensorForgeError('invalid_request', words);
  }

  #units(): number {
    return Math.floor(this.#ports.nowMs() * unitsPerMs);
  }

  #month(): number {
    return monthOf(this.#ports.now());
  }

  #view(held: SetLimit): LimitWire {
    return limitView(held, this.#units(), this.#month());
  }
}

/** Wider scopes first, then by id. */
function orderOf({ scope, id }: StoredScope): string {
  return `${['installation', 'group', 'key'].indexOf(scope)} ${id}`;
}
