// Gives every state of the fleet the name by which decision records mean it: the digest of its snapshot
// document, which is on disk before any thread decides on it. Deltas come from the single writer of
// the fleet, in order; a state that was there before has its name again.
//
// Names are made late. While the process starts nobody decides, so nothing is named until it opens; then
// all deltas of one turn of the event loop go out as one change under one name. Without a decision
// log there are no names.
//
//     closed ── open() ──> settled ── changed() ──> pending
//                             ^── turn over, settle() ──┘
//
//   P1  The digest in a message to the threads is that of the targets and settings they have after it.
//       What overtakes targets on their way to the threads settles them first.
//   P2  A document that could not be stored is tried again with the next one and at every `keep`,
//       and told.
//   P3  The root is stored behind its pages: where it is, they are.

import { BoundedMap } from '../../base/bounded-map.ts';
import { SnapshotDigester, type SnapshotText } from '../../core/decisions/snapshot-digester.ts';
import type { RoutingSettings, Target } from '../../core/routing/snapshot.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';

type FleetChange = {
  readonly version: number;
  readonly upsert: readonly Target[];
  /** Goes before `upsert`. */
  readonly remove: readonly string[];
};

/** A change of the fleet, with the name of what it leads to; empty while there are no names. */
export type NamedChange = FleetChange & { readonly snapshotDigest: string };

export type SnapshotPublisherPorts = {
  /**
   * Stores a document once under its digest and knows it again. Throws when it cannot. Undefined where
   * no decision log is kept.
   */
  readonly put: ((digest: string, text: string) => void) | undefined;
  /** To all gateway threads. */
  readonly send: (change: NamedChange) => void;
  /** Runs the work once this turn of the event loop is over. */
  readonly later: (work: () => void) => void;
  readonly onTrouble: (error: unknown) => void;
};

/** Snapshots that could not be stored and are kept to be tried again. */
const unstoredMax = 64;

const nameless = '';

export class SnapshotPublisher {
  readonly #digester = new SnapshotDigester(nodeCrypto.sha256Hex);
  readonly #targets = new Map<string, Target>();
  readonly #ports: SnapshotPublisherPorts;
  readonly #unstored = new BoundedMap<string, readonly SnapshotText[]>(unstoredMax);
  /** What the threads have not been told: the last of each target that came, and all that went. */
  readonly #upsert = new Map<string, Target>();
  readonly #remove = new Set<string>();
  #settings: RoutingSettings;
  #documents: readonly SnapshotText[] = [];
  #digest = nameless;
  #version = 0;
  #state: 'closed' | 'settled' | 'pending' = 'closed';

  constructor(settings: RoutingSettings, ports: SnapshotPublisherPorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  /** The fleet has changed; the threads hear of it when the turn is over, or at `settle`. */
  changed({ version, upsert, remove }: FleetChange): void {
    this.#version = version;
    for (const id of remove) {
      this.#targets.delete(id);
      this.#upsert.delete(id);
      this.#remove.add(id);
    }
    for (const target of upsert) {
      this.#targets.set(target.id, target);
      this.#upsert.set(target.id, target);
    }
    if (this.#state !== 'settled') return;
    this.#state = 'pending';
    this.#ports.later(() => this.settle());
  }

  /** Requests are decided from now on: whatever came until now goes out, named. */
  open(): void {
    if (this.#state === 'closed') this.#publish();
  }

  /** What is sent to the threads after this comes behind every change of the fleet until now. */
  settle(): void {
    if (this.#state === 'pending') this.#publish();
  }

  /** The name of the fleet as it is now, for a thread that starts from it (P1). */
  digest(): string {
    this.settle();
    return this.#digest;
  }

  /** The routing settings are others; the name of what is in force now. */
  reconfigured(settings: RoutingSettings): string {
    this.settle();
    this.#settings = settings;
    if (this.#state !== 'closed') this.#name();
    return this.#digest;
  }

  /** Stores the present documents again, which marks them as used, and what could not be stored. */
  keep(): void {
    if (this.#digest === nameless) return;
    this.#unstored.set(this.#digest, this.#documents);
    this.#store();
  }

  #publish(): void {
    this.#state = 'settled';
    this.#name();
    const upsert = [...this.#upsert.values()];
    const remove = [...this.#remove];
    this.#upsert.clear();
    this.#remove.clear();
    const snapshotDigest = this.#digest;
    this.#ports.send({ version: this.#version, upsert, remove, snapshotDigest });
  }

  #name(): void {
    if (this.#ports.put === undefined) return;
    const targets = [...this.#targets.values()];
    const { digest, documents } = this.#digester.digested({ targets, settings: this.#settings });
    this.#digest = digest;
    this.#documents = documents;
    this.keep();
  }

  #store(): void {
    try {
      for (const [name, documents] of [...this.#unstored.entries()]) {
        for (const { digest, text } of documents) this.#ports.put?.(digest, text);
        this.#unstored.delete(name);
      }
    } catch (error) {
      this.#ports.onTrouble(error);
    }
  }
}
