// Goal: a snapshot is what its digest says, or a located fault. Method: real files, damaged by
// hand.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { nodeCrypto } from '../credentials/crypto.ts';
import { SnapshotFiles } from './snapshot-files.ts';

const text = '{"models":{}}';
const digest = nodeCrypto.sha256Hex(text);

describe('decision log: snapshots', () => {
  let folder = '';
  let path = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tensorforge-snapshots-'));
    path = join(folder, 'snapshots', `${digest}.json`);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('a snapshot is kept once, for its owner, and comes back', () => {
    const files = new SnapshotFiles(folder);
    files.put(digest, text);
    const { mode, ino } = statSync(path);
    assert.equal(mode & 0o777, 0o600);
    files.put(digest, text);
    new SnapshotFiles(folder).put(digest, text);
    assert.equal(statSync(path).ino, ino);
    assert.deepEqual(readdirSync(join(folder, 'snapshots')), [`${digest}.json`]);
    assert.deepEqual(new SnapshotFiles(folder).get(digest), { ok: true, value: text });
  });

  test('a snapshot in use is marked as such every hour, and one that was removed comes back', () => {
    const hour = 3_600_000;
    let nowMs = 1_700_000_000_000;
    const files = new SnapshotFiles(folder, () => nowMs);
    const markedAfter = (ms: number): number => {
      nowMs += ms;
      files.put(digest, text);
      return nowMs - statSync(path).mtimeMs;
    };
    assert.deepEqual([markedAfter(0), markedAfter(hour - 1), markedAfter(1)], [0, hour - 1, 0]);
    rmSync(path);
    assert.equal(markedAfter(hour), 0);
  });

  test('a text under another digest is a bug of the caller', () => {
    assert.throws(() => new SnapshotFiles(folder).put('ab'.repeat(32), text), /is not the digest/);
  });

  test('a missing, an edited and an unreadable snapshot are faults that name the digest', () => {
    const files = new SnapshotFiles(folder);
    const reasonOf = (name: string): string | undefined => {
      const read = files.get(name);
      if (read.ok) return undefined;
      assert.deepEqual([read.error.where, read.error.name], ['snapshots', name]);
      return read.error.reason;
    };
    assert.equal(reasonOf(digest), 'missing_snapshot');
    assert.equal(reasonOf('../../etc/passwd'), 'bad_digest');
    files.put(digest, text);
    writeFileSync(path, `${text} `);
    assert.equal(reasonOf(digest), 'bad_digest');
    rmSync(path);
    mkdirSync(path);
    assert.equal(reasonOf(digest), 'unreadable');
  });

  test('a damaged snapshot is written again by the next start', () => {
    new SnapshotFiles(folder).put(digest, text);
    writeFileSync(path, 'half');
    new SnapshotFiles(folder).put(digest, text);
    assert.deepEqual(new SnapshotFiles(folder).get(digest), { ok: true, value: text });
  });
});
