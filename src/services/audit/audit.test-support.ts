// An audit trail of a test: streams with events, seals with a clock of the test, an anchors file in a
// folder of its own, and the owner of the database, who can do what nobody should.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestDatabase, testEvents } from '../../../test/support/postgres.ts';
import { type Instant, instant } from '../../base/time.ts';
import { chainEvents } from '../../core/events/control-event.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import { openSigningKey } from '../../io/credentials/signing-key.ts';
import { connect, type Sql } from '../../io/postgres/connection.ts';
import {
  type EventToAppend,
  readEvents,
  type StoredEvent,
} from '../../io/postgres/control-events.ts';
import { rolePassword } from '../../io/postgres/embedded-roles.ts';
import { AnchorFile } from './anchor-file.ts';
import { AuditSeals } from './audit-seals.ts';
import { type DecisionCheck, postgresTrail, type TrailSource } from './trail-source.ts';
import { type Verified, verifyTrail } from './trail-verification.ts';

export const noDecisions: DecisionCheck = { segments: 0, records: 0, faults: [] };

export class TestTrail {
  readonly db: TestDatabase;
  readonly source: TrailSource;
  readonly anchorsPath: string;
  readonly key;
  nowMs = 1_800_000_000_000;
  readonly errors: unknown[] = [];
  readonly #folder: string;

  constructor(db: TestDatabase, folder: string) {
    this.db = db;
    this.#folder = folder;
    this.anchorsPath = join(folder, 'audit-anchors.jsonl');
    this.key = openSigningKey(join(folder, 'audit-signing.key'));
    this.source = postgresTrail({
      sql: db.database.sql,
      key: this.key,
      anchors: new AnchorFile(this.anchorsPath),
      decisions: () => Promise.resolve(noDecisions),
    });
  }

  readonly now = (): Instant => instant(this.nowMs);

  /** As a start of the program makes them. */
  seals(): AuditSeals {
    return new AuditSeals({
      sql: this.db.database.sql,
      events: testEvents,
      key: openSigningKey(join(this.#folder, 'audit-signing.key')),
      anchors: new AnchorFile(this.anchorsPath),
      now: this.now,
      onError: (error) => this.errors.push(error),
    });
  }

  /** Appends so many events to the stream, a second apart, and leaves the clock at the last. */
  async write(stream: string, count: number): Promise<readonly StoredEvent[]> {
    const events = Array.from({ length: count }, (_, index): EventToAppend => {
      this.nowMs += 1000;
      const data = { index, text: `${stream} "${index}" \u{1F642}` };
      const [kind, subject] = ['something_happened', `thing:${index}`];
      return { stream, kind, version: 1, occurredAt: this.now(), actor: 'user:ana', subject, data };
    });
    return this.db.database.sql.begin((tx) => testEvents.append(tx, events));
  }

  verify(anchors = true): Promise<Verified> {
    return verifyTrail(this.source, { anchors });
  }

  /** `where name sequence reason` of each fault. */
  async faults(anchors = true): Promise<readonly string[]> {
    const { faults } = await this.verify(anchors);
    return faults.map((one) => `${one.where} ${one.name} ${one.sequence} ${one.reason}`);
  }

  ownerSql(): Sql {
    const master = this.db.directory.readSecretFile('postgres.secret');
    assert.ok(master !== undefined);
    const address = {
      kind: 'socket',
      path: this.db.directory.file('run/.s.PGSQL.5432'),
      user: 'tensorforge_owner',
      password: rolePassword(master, 'tensorforge_owner'),
      database: 'tensorforge',
    } as const;
    return connect(address, { maxConnections: 1, statementTimeoutMs: 30_000 });
  }

  /** Makes a change as the owner with the triggers off, looks, and puts everything back. */
  async tampered<T>(change: (owner: Sql) => Promise<unknown>, look: () => Promise<T>): Promise<T> {
    const owner = this.ownerSql();
    try {
      await owner`create temp table kept_events as select * from control_events`;
      await owner`create temp table kept_streams as select * from event_streams`;
      await owner`create temp table kept_seals as select * from event_digests`;
      await owner`alter table control_events disable trigger user`;
      await owner`alter table event_digests disable trigger user`;
      await change(owner);
      const seen = await look();
      await owner`delete from control_events`;
      await owner`delete from event_streams`;
      await owner`delete from event_digests`;
      await owner`insert into event_streams select * from kept_streams`;
      await owner`insert into control_events select * from kept_events`;
      await owner`insert into event_digests select * from kept_seals`;
      return seen;
    } finally {
      await owner`alter table control_events enable trigger user`;
      await owner`alter table event_digests enable trigger user`;
      await owner.end({ timeout: 5 });
    }
  }

  /** Writes the stream anew from `sequence` on with another actor, every hash computed as it must be. */
  async rewrite(owner: Sql, stream: string, sequence: number): Promise<void> {
    const events = await readEvents(owner, { stream, limit: 10_000 });
    const before = events[sequence - 2] ?? { sequence: 0, hash: '' };
    const news = events.slice(sequence - 1).map((event) => ({ ...event, actor: 'user:mallory' }));
    for (const event of chainEvents(before, news, nodeCrypto.sha256Hex)) {
      await owner`
        update control_events set actor = ${event.actor}, prev_hash = ${event.prevHash},
               hash = ${event.hash}
        where stream = ${stream} and sequence = ${event.sequence}`;
      await owner`update event_streams set hash = ${event.hash} where stream = ${stream}`;
    }
  }
}
