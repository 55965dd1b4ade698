// Rejected credentials become control events without letting a stranger fill the disk: the first of
// each (address, path, reason) at once, then one counted event per ten seconds.

import type { Instant } from '../../base/time.ts';
import type { Sql } from '../../io/postgres/connection.ts';
import type { ControlEvents, EventToAppend } from '../../io/postgres/control-events.ts';

export type Rejection = {
  readonly address: string;
  readonly path: string;
  readonly reason: string;
  readonly count: number;
};

const flushEveryMs = 10_000;
/** Distinct (address, path, reason) remembered between two flushes. */
const keysMax = 1024;

type Pending = { count: number; since: number };

export class AuthAudit {
  readonly #sql: Sql;
  readonly #events: ControlEvents;
  readonly #now: () => Instant;
  readonly #onError: (error: unknown) => void;
  readonly #pending = new Map<string, Pending>();
  #writing: Promise<void> = Promise.resolve();

  constructor(options: {
    readonly sql: Sql;
    readonly events: ControlEvents;
    readonly now: () => Instant;
    readonly onError: (error: unknown) => void;
  }) {
    this.#sql = options.sql;
    this.#events = options.events;
    this.#now = options.now;
    this.#onError = options.onError;
  }

  note(rejections: readonly Rejection[]): void {
    const now = this.#now();
    const first: EventToAppend[] = [];
    for (const { address, path, reason, count } of rejections) {
      const key = `${address} ${path} ${reason}`;
      const known = this.#pending.get(key);
      if (known !== undefined) {
        known.count += count;
      } else if (this.#pending.size < keysMax) {
        this.#pending.set(key, { count: count - 1, since: now });
        first.push(
          this.#event('auth_rejected', address, { ip: address, http_route: path, reason }),
        );
      }
    }
    this.#append(first);
  }

  /** Called now and then: writes what was only counted, forgets what has gone quiet. */
  sweep(): void {
    const now = this.#now();
    const counted: EventToAppend[] = [];
    for (const [key, pending] of this.#pending) {
      if (now - pending.since < flushEveryMs) continue;
      this.#pending.delete(key);
      if (pending.count === 0) continue;
      const [address = '', path = '', reason = ''] = key.split(' ');
      const data = { ip: address, http_route: path, reason, n: pending.count };
      counted.push(this.#event('auth_rejections_counted', address, data));
    }
    this.#append(counted);
  }

  /** Resolves when everything noted so far is written or given up. */
  settled(): Promise<void> {
    return this.#writing;
  }

  #event(kind: string, address: string, data: EventToAppend['data']): EventToAppend {
    return {
      stream: 'edge',
      kind,
      version: 1,
      occurredAt: this.#now(),
      actor: 'system',
      subject: `address:${address}`,
      data,
    };
  }

  #append(events: readonly EventToAppend[]): void {
    if (events.length === 0) return;
    this.#writing = this.#writing
      .then(() => this.#sql.begin((tx) => this.#events.append(tx, events)))
      .then(
        () => undefined,
        (error: unknown) => this.#onError(error),
      );
  }
}
