// Snapshots by digest, stored once, by the control node and before any thread decides on them. They
// outlive every crash, since they are files.

import { present } from '../../../src/base/assert.ts';
import { SnapshotDigester } from '../../../src/core/decisions/snapshot-digester.ts';
import { snapshotOfDocument } from '../../../src/core/decisions/snapshot-document.ts';
import {
  buildSnapshot,
  type RoutingSettings,
  type RoutingSnapshot,
  type Target,
} from '../../../src/core/routing/snapshot.ts';
import { nodeCrypto } from '../../../src/io/credentials/crypto.ts';

export class SnapshotStore {
  readonly #texts = new Map<string, string>();
  readonly #digester = new SnapshotDigester(nodeCrypto.sha256Hex);
  readonly #read = new Map<string, RoutingSnapshot>();
  #digests: string[] = [];

  /** Another life of the control node counts its versions from the start. */
  restarted(): void {
    this.#digests = [];
  }

  published(version: number, targets: readonly Target[], settings: RoutingSettings): void {
    const { digest, text } = this.#digester.digested(buildSnapshot(version, targets, settings));
    this.#digests[version] = digest;
    this.#texts.set(digest, text);
  }

  /** Of the snapshot that this version is; it was stored before anybody heard of the version. */
  digestOf(version: number): string {
    return present(this.#digests[version], `the snapshot of version ${version}`);
  }

  /** Read back from its document, whose digest must be the one that it is called by. */
  snapshotOf(digest: string): RoutingSnapshot | undefined {
    const known = this.#read.get(digest);
    if (known !== undefined) return known;
    const text = this.#texts.get(digest);
    if (text === undefined || nodeCrypto.sha256Hex(text) !== digest) return undefined;
    const snapshot = snapshotOfDocument(JSON.parse(text));
    if (!snapshot.ok) return undefined;
    this.#read.set(digest, snapshot.value);
    return snapshot.value;
  }
}
