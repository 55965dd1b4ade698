// What decisions were made on, kept once under its digest: `snapshots/DIGEST.json` in the folder of
// the decision log. Written by the control thread before a thread decides on it, never changed.

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../../base/assert.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { nodeCrypto } from '../credentials/crypto.ts';
import { isMissing, writePrivateFile } from '../files/private-file.ts';
import { errorCode } from './segment-fault.ts';
import { snapshotFolderName } from './segment-names.ts';

/** In the members of the wire (`auditFaultSchema`). */
export type SnapshotFault = {
  readonly where: 'snapshots';
  /** The digest. */
  readonly name: string;
  readonly sequence: null;
  readonly offset: null;
  readonly reason: 'missing_snapshot' | 'bad_digest' | 'unreadable';
  readonly expected: string;
  readonly found: string;
};

function snapshotFault(
  name: string,
  reason: SnapshotFault['reason'],
  expected: string,
  found: string,
): SnapshotFault {
  return { where: 'snapshots', name, sequence: null, offset: null, reason, expected, found };
}

function isDigest(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

export class SnapshotFiles {
  readonly #folder: string;
  /** Digests of files that were written or checked by this object. */
  readonly #known = new Set<string>();

  /** `folder` is that of the decision log. */
  constructor(folder: string) {
    this.#folder = join(folder, snapshotFolderName);
  }

  /**
   * Keeps the text, whose SHA-256 is `digest`; on disk on return. Known digests cost nothing, and a
   * damaged file is written again. Throws the system's error where it cannot be written.
   */
  put(digest: string, text: string): void {
    if (this.#known.has(digest)) return;
    assert(nodeCrypto.sha256Hex(text) === digest, `${digest} is not the digest of this snapshot`);
    if (!this.get(digest).ok) {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      writePrivateFile(this.#path(digest), text);
    }
    this.#known.add(digest);
  }

  /** The text under a digest, checked. */
  get(digest: string): Result<string, SnapshotFault> {
    if (!isDigest(digest)) {
      return err(snapshotFault(digest, 'bad_digest', '64 hexadecimal digits', digest.slice(0, 80)));
    }
    let text: string;
    try {
      text = readFileSync(this.#path(digest), 'utf8');
    } catch (error) {
      if (!isMissing(error)) {
        return err(snapshotFault(digest, 'unreadable', 'a readable file', errorCode(error)));
      }
      return err(snapshotFault(digest, 'missing_snapshot', `${digest}.json`, 'no such file'));
    }
    const found = nodeCrypto.sha256Hex(text);
    return found === digest ? ok(text) : err(snapshotFault(digest, 'bad_digest', digest, found));
  }

  #path(digest: string): string {
    return join(this.#folder, `${digest}.json`);
  }
}
