// What decisions were made on, kept once under its digest: `snapshots/DIGEST.json` in the folder of
// the decision log. Written by the control thread before a thread decides on it, never changed. A file
// says by its time of modification when it was last in use, give or take an hour, so that retention
// knows which ones no segment can mean any more (snapshot-retention.ts).

import { mkdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../../base/assert.ts';
import { BoundedMap } from '../../base/bounded-map.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { nodeCrypto } from '../credentials/crypto.ts';
import { isMissing, writePrivateFile } from '../files/private-file.ts';
import { errorCode } from './segment-fault.ts';
import { snapshotFileName, snapshotFolderName } from './segment-names.ts';

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

/** A file in use is marked as such this often. */
const markEveryMs = 3_600_000;
/** Digests in memory, some 10 MB; one that is forgotten costs a look at its file. */
const knownMax = 65_536;

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
  readonly #now: () => number;
  /** Digest -> when its file was written or marked by this object, Unix ms. */
  readonly #known = new BoundedMap<string, number>(knownMax);

  /** `folder` is that of the decision log, `now` in Unix ms. */
  constructor(folder: string, now: () => number = Date.now) {
    this.#folder = join(folder, snapshotFolderName);
    this.#now = now;
  }

  /**
   * Keeps the text, whose SHA-256 is `digest`, as one that is in use now; on disk on return. A known
   * digest costs nothing but a mark every hour, and a damaged or removed file is written again then.
   * Throws the system's error where it cannot be written.
   */
  put(digest: string, text: string): void {
    const nowMs = this.#now();
    const markedMs = this.#known.get(digest);
    if (markedMs !== undefined && nowMs - markedMs < markEveryMs) return;
    assert(nodeCrypto.sha256Hex(text) === digest, `${digest} is not the digest of this snapshot`);
    const path = this.#path(digest);
    if (!this.get(digest).ok) {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      writePrivateFile(path, text);
    }
    utimesSync(path, nowMs / 1000, nowMs / 1000);
    this.#known.set(digest, nowMs);
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
    return join(this.#folder, snapshotFileName(digest));
  }
}
