// Snapshots by digest, stored once, by the control node and before any thread decides on them. They
// outlive every crash, since they are files.

import { present } from '../../../src/base/assert.ts';
import { err, ok, type Result } from '../../../src/base/result.ts';
import { SnapshotDigester } from '../../../src/core/decisions/snapshot-digester.ts';
import { snapshotOfDocument } from '../../../src/core/decisions/snapshot-document.ts';
import type {
  RoutingSettings,
  RoutingSnapshot,
  Target,
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
    const { digest, documents } = this.#digester.digested({ targets, settings });
    this.#digests[version] = digest;
    for (const one of documents) this.#texts.set(one.digest, one.text);
  }

  /** Of the snapshot that this version is; it was stored before anybody heard of the version. */
  digestOf(version: number): string {
    return present(this.#digests[version], `the snapshot of version ${version}`);
  }

  /** Read back from its document, whose digest must be the one that it is called by. */
  snapshotOf(digest: string): RoutingSnapshot | undefined {
    const known = this.#read.get(digest);
    if (known !== undefined) return known;
    const root = this.#document(digest);
    if (!root.ok) return undefined;
    const snapshot = snapshotOfDocument(root.value, (page) => this.#document(page));
    if (!snapshot.ok) return undefined;
    this.#read.set(digest, snapshot.value);
    return snapshot.value;
  }

  #document(digest: string): Result<unknown, 'missing'> {
    const text = this.#texts.get(digest);
    if (text === undefined || nodeCrypto.sha256Hex(text) !== digest) return err('missing');
    return ok(JSON.parse(text));
  }
}
