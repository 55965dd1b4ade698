// Goal: an exported file tells by itself whether it is whole, and where it is not. Method: a file as
// the product makes it; every line changed in turn, removed, doubled, and cut off at every place.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportedTrail, fileCrypto } from './exported-trail.test-support.ts';
import { checkTrailFile, parseAnchors, type TrailFileReport } from './trail-file.ts';

const { lines, anchors } = await exportedTrail();
/** Lines of the events: edge 2 to 6, identity 1 to 6; then the manifest. */
const events = lines.length - 1;

function check(given: readonly string[], known = anchors): Promise<TrailFileReport> {
  return checkTrailFile(given, fileCrypto, known);
}

async function reasons(given: readonly string[], known = anchors): Promise<readonly string[]> {
  const { faults } = await check(given, known);
  return faults.map(({ name, sequence, line, reason }) => `${name} ${sequence} @${line} ${reason}`);
}

function changed(index: number, change: object): readonly string[] {
  return lines.with(index, JSON.stringify({ ...JSON.parse(lines[index] ?? ''), ...change }));
}

function changedManifest(change: object): readonly string[] {
  const { manifest } = JSON.parse(lines.at(-1) ?? '');
  return lines.with(-1, JSON.stringify({ manifest: { ...manifest, ...change } }));
}

test('a whole file is whole, with the run of each stream', async () => {
  const report = await check(lines);
  assert.deepEqual([report.whole, report.events, report.faults], [true, 11, []]);
  assert.deepEqual(
    report.streams.map(({ stream, first_sequence, sequence }) => [
      stream,
      first_sequence,
      sequence,
    ]),
    [
      ['edge', 2, 6],
      ['identity', 1, 6],
    ],
  );
  assert.equal(report.anchored, true);
  assert.equal((await checkTrailFile(lines, fileCrypto)).anchored, null);
});

test('a change of any member of any event is found in its line', async () => {
  for (let index = 0; index < events; index++) {
    const { stream, sequence } = JSON.parse(lines[index] ?? '');
    for (const change of [{ actor: 'x' }, { data: {} }, { occurred_at: 'x' }, { extra: 1 }]) {
      const place = `${stream} ${sequence} @${index + 1} wrong_hash`;
      assert.deepEqual(await reasons(changed(index, change)), [place]);
    }
  }
});

test('a line that is gone, doubled or no event is found', async () => {
  assert.deepEqual(await reasons(lines.toSpliced(1, 1)), [
    'edge 3 @2 gap',
    'manifest null @11 wrong_count',
  ]);
  assert.deepEqual(await reasons(lines.toSpliced(8, 0, lines[7] ?? '')), [
    'identity 4 @9 gap',
    'manifest null @13 wrong_count',
  ]);
  assert.deepEqual(
    (await reasons(lines.with(3, '{"no":"event"}')))[0],
    'manifest null @4 unreadable',
  );
  assert.deepEqual((await reasons(lines.with(3, 'nothing')))[0], 'manifest null @4 unreadable');
  const swapped = lines.with(6, lines[7] ?? '').with(7, lines[6] ?? '');
  assert.equal((await reasons(swapped))[0], 'identity 2 @7 gap');
});

test('a run that is shorter at either end, or a stream that is gone, differs from the manifest', async () => {
  const [first] = await reasons(lines.toSpliced(0, 1));
  assert.equal(first, 'edge 6 @11 head_differs');
  const [last] = await reasons(lines.toSpliced(events - 1, 1));
  assert.equal(last, 'identity 5 @11 head_differs');
  const without = await reasons(lines.slice(5));
  assert.deepEqual(without, ['edge 2 @7 missing', 'manifest null @7 wrong_count']);
});

test('a file that was cut off anywhere has no manifest', async () => {
  for (let length = 0; length < lines.length; length++) {
    const found = await reasons(lines.slice(0, length));
    assert.deepEqual(found, [`manifest null @${length + 1} no_manifest`]);
  }
  const half = lines.with(-1, (lines.at(-1) ?? '').slice(0, 100));
  assert.match((await reasons(half)).join(), /unreadable.*no_manifest/);
});

test('what stands after the manifest is told', async () => {
  assert.deepEqual(await reasons([...lines, lines[0] ?? '']), ['manifest null @13 after_manifest']);
});

test('a manifest that was changed, or signed by nobody, is told', async () => {
  assert.deepEqual(await reasons(changedManifest({ exported_by: 'x' })), [
    'manifest null @12 wrong_digest',
  ]);
  assert.deepEqual(await reasons(changedManifest({ signature: 'AAAA' })), [
    'manifest null @12 wrong_signature',
  ]);
  assert.deepEqual(await reasons(changedManifest({ public_key: 'short' })), [
    'manifest null @12 wrong_signature',
    'anchors null @12 unknown_key',
  ]);
});

test('a file of another installation, or with a seal that was never noted, is told by the anchors', async () => {
  const other = await exportedTrail();
  assert.deepEqual(await reasons(other.lines, anchors), ['anchors null @12 unknown_key']);
  const edited = anchors.map((anchor) => ({ ...anchor, digest: '0'.repeat(64) }));
  assert.deepEqual(await reasons(lines, edited), ['anchors 2 @12 seal_differs']);
  assert.deepEqual(await reasons(lines, anchors.slice(0, 1)), ['anchors 2 @12 anchor_missing']);
  assert.equal(
    (await checkTrailFile(other.lines, fileCrypto)).whole,
    true,
    'by itself it is whole',
  );
});

test('an anchors file is read, and a line that is none is told', () => {
  const text = anchors.map((anchor) => JSON.stringify(anchor)).join('\n');
  assert.deepEqual(parseAnchors(`${text}\n`), { anchors, badLine: undefined });
  assert.equal(parseAnchors(`${text}\n{}\n`).badLine, 3);
});
