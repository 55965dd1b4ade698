// Sealing: the heads of all streams, once a minute while something happens, in a record that is
// chained, signed and noted in the anchors file (sealed-digest.ts says why). It is asked now and then
// whether a seal is due; nobody waits for it, and what fails is tried again when it is asked next.
//
//   due -> one transaction: heads read, seal inserted, `digest_sealed` appended -> anchor appended
//
// The event tells of a seal in the trail itself, so a seal that is gone is missed there too. Anchors
// that a crash or a full disk kept away are added with the next, as long as they are signed by us.

import type { Instant } from '../../base/time.ts';
import {
  isSealDue,
  nextSeal,
  sealStream,
  unsealedEvents,
} from '../../core/events/sealed-digest.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import { isSignedBy, type SigningKey } from '../../io/credentials/signing-key.ts';
import type { Sql, Transaction } from '../../io/postgres/connection.ts';
import {
  type ControlEvents,
  type EventToAppend,
  readHeads,
} from '../../io/postgres/control-events.ts';
import {
  insertSeal,
  readNewestSeal,
  readSeals,
  type StoredSeal,
} from '../../io/postgres/event-digests.ts';
import { type AnchorWire, sealStatement } from '../../protocol/audit/schemas.ts';
import type { AnchorFile } from './anchor-file.ts';

/** Anchors that are added in one go, when some are behind. */
const anchorsPerRound = 500;

export type SealsOptions = {
  readonly sql: Sql;
  readonly events: ControlEvents;
  readonly key: SigningKey;
  readonly anchors: AnchorFile;
  readonly now: () => Instant;
  /** Told at the first failure in a row. */
  readonly onError: (error: unknown) => void;
};

function anchorOf({ sequence, digest, signature, publicKey }: StoredSeal): AnchorWire {
  return { sequence, digest, signature, public_key: publicKey };
}

function sealedEvent(seal: StoredSeal): EventToAppend {
  return {
    stream: sealStream,
    kind: 'digest_sealed',
    version: 1,
    occurredAt: seal.sealedAt,
    actor: 'system',
    subject: `seal:${seal.sequence}`,
    data: { seal: seal.sequence, digest: seal.digest, heads: seal.heads },
  };
}

export class AuditSeals {
  readonly #options: SealsOptions;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;
  #isFailing = false;

  constructor(options: SealsOptions) {
    this.#options = options;
  }

  /** Seals when it is due. Called now and then; a call while one is under way does nothing. */
  tick(): Promise<void> {
    if (!this.#isRunning) this.#running = this.#run(false);
    return this.#running;
  }

  /** A last seal over whatever is new. Never rejects; what cannot be sealed is with the next start. */
  async stop(): Promise<void> {
    await this.#running;
    this.#running = this.#run(true);
    await this.#running;
  }

  async #run(isLast: boolean): Promise<void> {
    this.#isRunning = true;
    try {
      await this.#options.sql.begin((tx) => this.#seal(tx, isLast));
      await this.#anchor();
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#options.onError(error);
      this.#isFailing = true;
    } finally {
      this.#isRunning = false;
    }
  }

  async #seal(tx: Transaction, isLast: boolean): Promise<void> {
    const { key, events, now } = this.#options;
    const [last, heads] = [await readNewestSeal(tx), await readHeads(tx)];
    const isWanted = isLast ? unsealedEvents(last, heads) > 0 : isSealDue(last, heads, now());
    if (!isWanted) return;
    const unsigned = nextSeal(last, heads, now(), nodeCrypto.sha256Hex);
    const signature = key.sign(sealStatement(unsigned.sequence, unsigned.digest));
    const seal = { ...unsigned, signature, publicKey: key.publicKey };
    await insertSeal(tx, seal);
    await events.append(tx, [sealedEvent(seal)]);
  }

  async #anchor(): Promise<void> {
    const { sql, anchors, key } = this.#options;
    for (;;) {
      const seals = await readSeals(sql, { after: await anchors.newest(), limit: anchorsPerRound });
      const ours = seals.filter(
        ({ publicKey, sequence, digest, signature }) =>
          key.trusted.has(publicKey) &&
          isSignedBy(publicKey, sealStatement(sequence, digest), signature),
      );
      await anchors.append(ours.map(anchorOf));
      if (ours.length < anchorsPerRound) return;
    }
  }
}
