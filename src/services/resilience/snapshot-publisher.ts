// Gives every state of the fleet the name by which decision records mean it: the digest of its snapshot
// document, which is on disk before any thread decides on it. Deltas come from the single writer of
// the fleet, in order; a state that was there before has its name again.
//
//   P1  The digest in a message to the threads is that of the targets and settings they have after it.
//   P2  A document that could not be stored is tried again with the next one, and told.

import { SnapshotDigester } from '../../core/decisions/snapshot-digester.ts';
import { buildSnapshot, type RoutingSettings, type Target } from '../../core/routing/snapshot.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';

export type SnapshotPublisherPorts = {
  /** Stores a document once under its digest. Throws when it cannot. */
  readonly put: (digest: string, text: string) => void;
  readonly onTrouble: (error: unknown) => void;
};

/** Documents that could not be stored and are kept to be tried again. */
const unstoredMax = 64;

export class SnapshotPublisher {
  readonly #digester = new SnapshotDigester(nodeCrypto.sha256Hex);
  readonly #targets = new Map<string, Target>();
  readonly #ports: SnapshotPublisherPorts;
  readonly #unstored = new Map<string, string>();
  #settings: RoutingSettings;
  #digest: string;

  constructor(settings: RoutingSettings, ports: SnapshotPublisherPorts) {
    this.#settings = settings;
    this.#ports = ports;
    this.#digest = this.#publish();
  }

  get digest(): string {
    return this.#digest;
  }

  /** The fleet has changed; the digest of what it is now. */
  changed(delta: {
    readonly upsert: readonly Target[];
    readonly remove: readonly string[];
  }): string {
    for (const id of delta.remove) this.#targets.delete(id);
    for (const target of delta.upsert) this.#targets.set(target.id, target);
    this.#digest = this.#publish();
    return this.#digest;
  }

  /** The routing settings are others; the digest of what is in force now. */
  reconfigured(settings: RoutingSettings): string {
    this.#settings = settings;
    this.#digest = this.#publish();
    return this.#digest;
  }

  #publish(): string {
    const snapshot = buildSnapshot(0, [...this.#targets.values()], this.#settings);
    const { digest, text } = this.#digester.digested(snapshot);
    this.#unstored.set(digest, text);
    try {
      for (const [name, document] of this.#unstored) {
        this.#ports.put(name, document);
        this.#unstored.delete(name);
      }
    } catch (error) {
      if (this.#unstored.size > unstoredMax) {
        const oldest = this.#unstored.keys().next();
        if (!oldest.done) this.#unstored.delete(oldest.value);
      }
      this.#ports.onTrouble(error);
    }
    return digest;
  }
}
