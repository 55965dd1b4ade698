// The limits of key, group and installation as one gateway thread sees them: which scopes hold for
// whom. What they have used is in memory that all threads share.

import type { PriorityClass } from '../../core/jobs/priority-class.ts';
import {
  classWithin,
  isRestrictedOnly,
  type LimitScope,
  type UsageLimit,
} from '../../core/policy/usage-limit.ts';
import { MonthClock } from '../../core/usage/month.ts';
import type { KeyRecord } from '../../io/credentials/key-table.ts';
import {
  type LimitSlot,
  LimitTable,
  type LimitTableParts,
} from '../../io/shared-memory/limit-table.ts';
import { unitsPerMs } from '../../io/shared-memory/rate-meter.ts';

/** What threads are told of one scope. */
export type ScopeLimit = {
  readonly scope: LimitScope;
  /** Empty for the installation. */
  readonly id: string;
  /** Where it counts in the shared table. */
  readonly slot: number;
  readonly limit: UsageLimit;
};

/** What a thread is started with. */
export type LimitShares = {
  readonly table: LimitTableParts;
  /** Of the machine's monotonic clock: the moment from which times are counted, ms. */
  readonly originMs: number;
  readonly list: readonly ScopeLimit[];
};

export type LimitedScope = ScopeLimit & { readonly words: LimitSlot };

const nobody: readonly LimitedScope[] = [];

/** The machine's monotonic clock, the same on every thread, ms. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export class ThreadLimits {
  readonly #table: LimitTable;
  readonly #nowMs: () => number;
  readonly #wallMs: () => number;
  readonly #clock = new MonthClock();
  /** Scope and id -> its limit. */
  readonly #scopes = new Map<string, LimitedScope>();
  /** Of keys that were asked for since the last change. */
  readonly #ofKey = new Map<string, readonly LimitedScope[]>();

  /** `nowMs` counts from the origin of all threads, by a clock that never goes back. */
  constructor(
    { table, list }: LimitShares,
    thread: number,
    clock: { readonly nowMs: () => number; readonly wallMs: () => number },
  ) {
    this.#table = new LimitTable(table, thread);
    this.#nowMs = clock.nowMs;
    this.#wallMs = clock.wallMs;
    this.configure(list);
  }

  /** Is no limit set? Then nobody need ask. */
  get isEmpty(): boolean {
    return this.#scopes.size === 0;
  }

  /** All limits there are, in the place of those before. */
  configure(list: readonly ScopeLimit[]): void {
    const before = new Map(this.#scopes);
    this.#scopes.clear();
    this.#ofKey.clear();
    for (const one of list) {
      const name = nameOf(one.scope, one.id);
      const known = before.get(name);
      const words = known?.slot === one.slot ? known.words : this.#table.slot(one.slot);
      this.#scopes.set(name, { ...one, words });
    }
  }

  /** The scopes with a limit that hold for the key: its own first, the installation last. */
  of({ keyId, groupName }: Pick<KeyRecord, 'keyId' | 'groupName'>): readonly LimitedScope[] {
    if (this.isEmpty) return nobody;
    let scopes = this.#ofKey.get(keyId);
    if (scopes === undefined) {
      const names = [nameOf('key', keyId), nameOf('group', groupName), nameOf('installation', '')];
      scopes = names.flatMap((name) => this.#scopes.get(name) ?? []);
      this.#ofKey.set(keyId, scopes);
    }
    return scopes;
  }

  /** The key with the models and zones that its limits leave it. */
  narrowed(key: KeyRecord): KeyRecord {
    if (this.isEmpty) return key;
    const limits = this.of(key).map(({ limit }) => limit);
    const furtherModels = limits.map(({ models }) => models).filter(({ length }) => length > 0);
    const isRestricted = limits.some(({ zones }) => isRestrictedOnly(zones));
    if (furtherModels.length === 0 && !isRestricted) return key;
    return { ...key, furtherModels, isRestrictedOnly: isRestricted };
  }

  /** What limits leave of the class that a request of the key asks for. */
  classOf(key: KeyRecord, asked: PriorityClass): PriorityClass {
    if (this.isEmpty) return asked;
    return this.of(key).reduce(
      (left, { limit }) => classWithin(left, limit.maxPriorityClass),
      asked,
    );
  }

  /** Units of {@link unitsPerMs} since the origin. */
  now(): number {
    return Math.floor(this.#nowMs() * unitsPerMs);
  }

  /** The present month, as budgets count. */
  month(): number {
    return this.#clock.at(this.#wallMs());
  }
}

function nameOf(scope: LimitScope, id: string): string {
  return `${scope} ${id}`;
}
