// Goal: the keeper removes only what it may, says so on disk first, and archives before. Method:
// real segments in a folder, a store in a folder, and one that fails on demand.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { nodeCrypto } from '../credentials/crypto.ts';
import { LocalStore } from '../objects/local-store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { numberedBlock } from './memory-disk.test-support.ts';
import { type KeeperNote, type KeeperOptions, SegmentKeeper } from './segment-keeper.ts';
import { listSegments } from './segment-list.ts';
import { type Anchor, verifySegments } from './segment-verify.ts';
import { SegmentWriter } from './segment-writer.ts';
import { SnapshotFiles } from './snapshot-files.ts';

const wroteAtMs = 1_700_000_000_000;
let root = '';
let folder = '';
let anchors: Anchor[] = [];
let notes: KeeperNote[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tensorforge-keeper-'));
  folder = join(root, 'decisions');
  anchors = [];
  notes = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Blocks one second apart, three to a segment. */
async function write(first: number, count: number): Promise<void> {
  const writer = SegmentWriter.open({
    folder,
    stream: 't0',
    segmentBytes: 560,
    onFull: 'drop',
    program: 'test 1',
    now: () => wroteAtMs,
    onSealed: (sealed) => anchors.push(sealed),
    onTrouble: (words) => assert.fail(words),
  });
  for (let number = first; number < first + count; number++) writer.write(numberedBlock(number));
  await writer.close();
}

function keeperOf(changes: Partial<KeeperOptions>): SegmentKeeper {
  const onNote = (note: KeeperNote): void => {
    notes.push(note);
  };
  return new SegmentKeeper({ folder, budgetBytes: 1e9, retentionMs: 1e12, onNote, ...changes });
}

function names(): readonly string[] {
  return readdirSync(join(folder, 't0'));
}

function assertWhole(): void {
  assert.deepEqual(verifySegments(folder, { anchors }).faults, []);
}

describe('decision log: keeper', () => {
  test('a log within its limits is left alone, and measured', async () => {
    await write(0, 9);
    const keeper = keeperOf({});
    await keeper.tend(wroteAtMs + 60_000);
    const bytes = listSegments(folder).reduce((sum, info) => sum + info.bytes, 0);
    const none = { removed: 0, archived: 0, archiveFailures: 0, lost: 0, snapshotsRemoved: 0 };
    assert.deepEqual(keeper.stats(), { bytes, segments: 3, ...none });
    assert.deepEqual(notes, []);
  });

  test('age removes with a note on disk; the log stays whole and goes on', async () => {
    await write(0, 9);
    const keeper = keeperOf({ retentionMs: 5_000 });
    await keeper.tend(wroteAtMs + 8_000);
    assert.deepEqual(names(), ['00000002.tfd', '00000003.tfd', 'retention.json']);
    assert.deepEqual(JSON.parse(readFileSync(join(folder, 't0', 'retention.json'), 'utf8')), {
      removedThrough: 1,
      hash: anchors[0]?.hash,
      sequence: 10,
    });
    assertWhole();
    await keeper.tend(wroteAtMs + 1e9);
    assert.deepEqual(names(), ['00000003.tfd', 'retention.json']);
    await write(9, 1);
    assertWhole();
    assert.deepEqual(names(), ['00000003.tfd', '00000004.tfd', 'retention.json']);
    assert.deepEqual(
      notes.map((note) => `${note.kind} ${note.name}`),
      ['removed t0/00000001.tfd', 'removed t0/00000002.tfd'],
    );
    assert.equal(keeper.stats().removed, 2);
  });

  test('segments are archived once, whole, before they are removed', async () => {
    await write(0, 9);
    const archive = new LocalStore(join(root, 'archive'));
    const first = readFileSync(join(folder, 't0', '00000001.tfd'));
    await keeperOf({ archive }).tend(wroteAtMs);
    const again = keeperOf({ archive, budgetBytes: 600 });
    await again.tend(wroteAtMs);
    assert.deepEqual(names(), ['00000003.tfd', 'retention.json']);
    assert.equal(again.stats().archived, 0);
    assert.equal(again.stats().lost, 0);
    const stored = await archive.list('t0/');
    assert.equal(stored.length, 2);
    assert.match(stored[0]?.key ?? '', /^t0\/00000001-[0-9a-f]{16}\.tfd$/);
    const kept = await archive.get(stored[0]?.key ?? '');
    assert.ok(kept.ok);
    assert.deepEqual(kept.value, first);
    assertWhole();
  });

  test('while the archive fails nothing goes, up to twice the budget; then losses are told', async () => {
    await write(0, 9);
    const total = listSegments(folder).reduce((sum, info) => sum + info.bytes, 0);
    const store = new LocalStore(join(root, 'archive'));
    let isAway = true;
    const archive: ObjectStore = {
      put: (key, body) => (isAway ? Promise.reject(new Error('away')) : store.put(key, body)),
      get: (key) => store.get(key),
      has: (key) => store.has(key),
      list: (prefix) => store.list(prefix),
    };
    const patient = keeperOf({ archive, budgetBytes: Math.ceil(total / 2), retentionMs: 1 });
    await patient.tend(wroteAtMs + 1e9);
    assert.equal(names().length, 3);
    assert.deepEqual(patient.stats().archiveFailures, 1);
    assert.deepEqual(notes, [{ kind: 'archive_failed', name: 't0/00000001.tfd', reason: 'away' }]);

    const tight = keeperOf({ archive, budgetBytes: Math.ceil(total / 2) - 10 });
    await tight.tend(wroteAtMs);
    assert.deepEqual(names(), ['00000002.tfd', '00000003.tfd', 'retention.json']);
    assert.equal(tight.stats().lost, 1);
    assert.deepEqual(notes.at(-1), {
      kind: 'removed',
      name: 't0/00000001.tfd',
      reason: 'budget',
      isLost: true,
    });

    isAway = false;
    await patient.tend(wroteAtMs + 1e9);
    assert.deepEqual(names(), ['00000003.tfd', 'retention.json']);
    assert.equal(patient.stats().lost, 0);
    assertWhole();
  });

  test('what a crash between note and removal left is removed by the next keeper', async () => {
    await write(0, 9);
    const first = readFileSync(join(folder, 't0', '00000001.tfd'));
    await keeperOf({ retentionMs: 5_000 }).tend(wroteAtMs + 8_000);
    writeFileSync(join(folder, 't0', '00000001.tfd'), first);
    writeFileSync(join(folder, 't0', 'retention.json.1.ab.tmp'), '{');
    assertWhole();
    await keeperOf({}).tend(wroteAtMs);
    assert.deepEqual(names(), ['00000002.tfd', '00000003.tfd', 'retention.json']);
  });

  test('snapshots go behind the segments that could mean them, once an hour (G4)', async () => {
    const dayMs = 86_400_000;
    const hourMs = 3_600_000;
    let nowMs = wroteAtMs - 40 * dayMs;
    const files = new SnapshotFiles(folder, () => nowMs);
    const put = (text: string): string => {
      const digest = nodeCrypto.sha256Hex(text);
      files.put(digest, text);
      return digest;
    };
    const has = (...digests: readonly string[]): readonly boolean[] =>
      digests.map((digest) => files.get(digest).ok);
    const keeper = keeperOf({ retentionMs: 5_000 });
    await keeper.tend(nowMs);
    const before = put('{"unused":1}');
    const present = put('{"present":1}');
    nowMs = wroteAtMs;
    await write(0, 9);
    put('{"present":1}');
    const during = put('{"during":1}');
    await keeper.tend(wroteAtMs + 5_500);
    assert.deepEqual(has(before, during, present), [true, true, true], 'no segment went');
    await keeper.tend(wroteAtMs + 8_000);
    assert.deepEqual(has(before, during, present), [false, true, true]);
    assert.equal(keeper.stats().snapshotsRemoved, 1);

    nowMs += 30 * dayMs;
    put('{"present":1}');
    for (const file of names()) if (file.endsWith('.tfd')) rmSync(join(folder, 't0', file));
    await keeper.tend(nowMs);
    assert.deepEqual(has(during, present), [true, true], 'only a removal of its own starts a look');
    await keeperOf({}).tend(nowMs + hourMs);
    assert.deepEqual(has(during, present), [false, true]);
  });

  test('turns that are asked for at once are one', async () => {
    await write(0, 3);
    const keeper = keeperOf({});
    assert.equal(keeper.tend(1), keeper.tend(2));
    await keeper.tend(3);
  });

  test('a folder that is not there yet is an empty log', async () => {
    const keeper = keeperOf({});
    await keeper.tend(wroteAtMs);
    assert.equal(keeper.stats().segments, 0);
  });
});
