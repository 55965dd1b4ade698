// Goal: a snapshot goes when no remaining segment can mean it, and never before. Method: real files
// whose times are set; segments as a list.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { headerBytesMax } from './segment-format.ts';
import type { SegmentInfo } from './segment-list.ts';
import { removeSnapshots, snapshotsUnusedBefore } from './snapshot-retention.ts';

const day = 86_400_000;
const start = 1_700_000_000_000;

function segment(facts: Partial<SegmentInfo>): SegmentInfo {
  return {
    stream: 't0',
    number: 1,
    name: 't0/00000001.tfd',
    isOpen: false,
    bytes: 5000,
    records: 1,
    lastAtMs: start,
    hash: null,
    nextSequence: 1,
    firstAtMs: start,
    ...facts,
  };
}

describe('snapshots are unused', () => {
  const open = segment({ isOpen: true, firstAtMs: null });

  test('a day before the oldest record of what is left', () => {
    const all = [segment({ firstAtMs: start + 5 }), segment({ firstAtMs: start + 2 })];
    assert.equal(snapshotsUnusedBefore(all, start + 9 * day), start + 2 - day);
  });

  test('a day ago, where there is no segment or only ones without a block', () => {
    const empty = { ...open, bytes: headerBytesMax };
    assert.equal(snapshotsUnusedBefore([], start), start - day);
    assert.equal(snapshotsUnusedBefore([empty], start), start - day);
    assert.equal(
      snapshotsUnusedBefore([segment({})], start - 7),
      start - 7 - day,
      'a clock set back',
    );
  });

  test('never, while a segment cannot say when it begins (U1)', () => {
    assert.equal(snapshotsUnusedBefore([open], start), undefined);
    assert.equal(snapshotsUnusedBefore([segment({ firstAtMs: null, bytes: 0 })], start), undefined);
    assert.equal(snapshotsUnusedBefore([{ ...open, bytes: 0 }], start), undefined);
  });
});

describe('files of snapshots', () => {
  let folder = '';
  const old = `${'a'.repeat(64)}.json`;
  const young = `${'b'.repeat(64)}.json`;
  const half = `${'c'.repeat(64)}.json.17.ab12.tmp`;
  const own = 'notes.txt';

  const names = (): readonly string[] => readdirSync(join(folder, 'snapshots')).sort();
  const write = (file: string, atMs: number): void => {
    const path = join(folder, 'snapshots', file);
    writeFileSync(path, '{}');
    utimesSync(path, atMs / 1000, atMs / 1000);
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tensorforge-snapshots-'));
    mkdirSync(join(folder, 'snapshots'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('go by the time of their last use, halves with them; nothing else does', async () => {
    assert.equal(await removeSnapshots(folder, start - 9 * day, start - 8 * day), 0);
    for (const file of [old, half, own]) write(file, start - 1);
    write(young, start);
    assert.equal(await removeSnapshots(folder, start, start + day), 2);
    assert.deepEqual(names(), [young, 'marked-since', own]);
  });

  test('do not go by a time from before uses were marked', async () => {
    write(old, start - 90 * day);
    assert.equal(await removeSnapshots(folder, start, start + day), 0, 'the first turn notes it');
    assert.equal(await removeSnapshots(folder, start + day, start + 30 * day), 0);
    assert.equal(await removeSnapshots(folder, start + day + 1, start + 30 * day), 1);
  });

  test('do not go when the note of that time is damaged', async () => {
    write(old, start - 90 * day);
    writeFileSync(join(folder, 'snapshots', 'marked-since'), 'yesterday');
    assert.equal(await removeSnapshots(folder, start, start + day), 0);
    assert.equal(await removeSnapshots(folder, start + day + 1, start + 2 * day), 1);
  });

  test('are noted in a log that begins', async () => {
    rmSync(join(folder, 'snapshots'), { recursive: true });
    assert.equal(await removeSnapshots(folder, start - day, start), 0);
    assert.deepEqual(names(), ['marked-since']);
  });
});
