// Goal: a broken trail is told once and stops exports until it is whole again; an export is whole, can
// be verified from its file alone, and is written down. Method: a real server, whose owner breaks the
// trail; the routes called as the control server calls them; the check of the command line.

import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { temporaryFolder, testEvents, withDatabase } from '../../../test/support/postgres.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import { isSignedBy } from '../../io/credentials/signing-key.ts';
import { readEvents } from '../../io/postgres/control-events.ts';
import { manifestLineSchema } from '../../protocol/audit/schemas.ts';
import { checkTrailFile, parseAnchors } from '../../protocol/audit/trail-file.ts';
import { auditReportSchema } from '../../protocol/control/trust-schemas.ts';
import { noDecisions, TestTrail } from './audit.test-support.ts';
import { AuditTrail } from './audit-trail.ts';
import type { ExportWindow } from './trail-export.ts';
import type { DecisionCheck } from './trail-source.ts';

const fileCrypto = { sha256Hex: nodeCrypto.sha256Hex, isSignedBy };

withDatabase((db) => {
  const folder = temporaryFolder();
  const told: (string | undefined)[] = [];
  let decisions: DecisionCheck = noDecisions;
  let trail: TestTrail;
  let audit: AuditTrail;
  let startedAt: string;
  let middle: string;

  const timeOf = (ms: number): string => new Date(ms).toISOString();
  const exported = async (window: Partial<ExportWindow> = {}): Promise<readonly string[]> => {
    const lines = await audit.export({ acceptReversals: false, ...window }, 'key:key_test');
    let text = '';
    for await (const piece of lines) text += piece;
    return text.trimEnd().split('\n');
  };
  const refused = async (window: Partial<ExportWindow> = {}): Promise<TensorForgeError> => {
    const error: unknown = await exported(window).catch((cause: unknown) => cause);
    assert.ok(error instanceof TensorForgeError, String(error));
    return error;
  };
  const manifestOf = (lines: readonly string[]) =>
    manifestLineSchema.parse(JSON.parse(lines.at(-1) ?? '')).manifest;
  const anchors = () => parseAnchors(readFileSync(trail.anchorsPath, 'utf8')).anchors;
  const eventsOf = async (kind: string) =>
    readEvents(db.database.sql, { stream: 'audit', kind, limit: 1000 });

  before(async () => {
    trail = new TestTrail(db, folder);
    audit = new AuditTrail({
      sql: db.database.sql,
      events: testEvents,
      source: { ...trail.source, decisions: () => Promise.resolve(decisions) },
      key: trail.key,
      now: trail.now,
      onBroken: (words) => told.push(words),
    });
    const seals = trail.seals();
    startedAt = timeOf(trail.nowMs);
    await trail.write('identity', 40);
    await trail.write('edge', 10);
    trail.nowMs += 60_000;
    await seals.tick();
    middle = timeOf(trail.nowMs);
    await trail.write('identity', 60);
    trail.nowMs += 60_000;
    await seals.tick();
    assert.deepEqual(trail.errors, []);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('a whole trail is told with what was looked at, and raises nothing', async () => {
    decisions = { segments: 3, records: 1000, faults: [] };
    const report = auditReportSchema.parse(await audit.verify({ anchors: true }));
    assert.deepEqual(
      [report.whole, report.events, report.digests, report.segments, report.records],
      [true, 112, 2, 3, 1000],
    );
    assert.equal(report.words, `1112 records whole to ${timeOf(trail.nowMs)}`);
    assert.deepEqual([told, report.faults], [[], []]);
    decisions = noDecisions;
  });

  test('who asks while a verification runs gets its report', async () => {
    const [one, two] = await Promise.all([
      audit.verify({ anchors: true }),
      audit.verify({ anchors: true }),
    ]);
    assert.equal(one, two);
  });

  test('an export holds every event and verifies from its file and the anchors alone', async () => {
    const lines = await exported();
    const report = await checkTrailFile(lines, fileCrypto, anchors());
    assert.deepEqual(report.faults, []);
    assert.deepEqual([report.whole, report.events, report.anchored], [true, 112, true]);
    const manifest = manifestOf(lines);
    assert.deepEqual(manifest.counts, { audit: 2, edge: 10, identity: 100 });
    assert.deepEqual([manifest.exported_by, manifest.seal?.sequence], ['key:key_test', 2]);
    const [event] = (await eventsOf('trail_exported')).slice(-1);
    assert.deepEqual(
      [event?.actor, event?.data],
      ['key:key_test', { from: null, to: null, stream: null, events: 112, reversals: 0 }],
    );
  });

  test('a window is a run of each stream, from the seal before it', async () => {
    const lines = await exported({ from: middle, stream: 'identity' });
    const { counts, heads, from } = manifestOf(lines);
    assert.deepEqual([counts, from], [{ identity: 60 }, middle]);
    assert.deepEqual([heads[0]?.first_sequence, heads[0]?.sequence], [41, 100]);
    const report = await checkTrailFile(lines, fileCrypto, anchors());
    assert.deepEqual([report.whole, report.anchored], [true, true]);
    const early = await exported({ from: startedAt, to: middle, stream: 'identity' });
    assert.deepEqual(manifestOf(early).counts, { identity: 40 });
    assert.equal(manifestOf(early).seal?.sequence, 1);
    const none = await exported({ stream: 'nobody' });
    assert.deepEqual([none.length, manifestOf(none).events], [1, 0]);
  });

  test('a break is one event however often it is found, stops exports, and is lifted', async () => {
    const seen = await trail.tampered(
      (sql) => sql`update control_events set actor = 'user:mallory'
                   where stream = 'identity' and sequence = 7`,
      async () => {
        const first = await audit.verify({ anchors: true });
        const second = await audit.verify({ anchors: false });
        // The row is put back by the frame of the test, and so are the events of the finding.
        return { first, second, gaps: await eventsOf('gap_found'), error: await refused() };
      },
    );
    assert.deepEqual([seen.first.whole, seen.second.whole], [false, false]);
    const words =
      'the audit trail is broken: stream identity at sequence 7: wrong_hash; exports are stopped';
    assert.equal(seen.first.words, words);
    assert.deepEqual(told.splice(0), [words]);
    assert.equal(seen.gaps.length, 1);
    assert.deepEqual(seen.gaps[0]?.subject, 'events:identity#7@-');
    assert.deepEqual([seen.error.code, seen.error.status], ['audit_broken', 422]);
    assert.deepEqual(seen.error.info.details, seen.first.faults);
    const error = await refused();
    assert.equal(error.code, 'audit_broken', 'not before it was verified again');
    assert.equal((await audit.verify({ anchors: true })).whole, true);
    assert.deepEqual(told.splice(0), [undefined]);
    assert.equal((await checkTrailFile(await exported(), fileCrypto)).whole, true);
  });

  test('an export finds by itself what nobody verified before, in what it holds', async () => {
    const other = (sql: ReturnType<TestTrail['ownerSql']>) =>
      sql`delete from control_events where stream = 'edge' and sequence = 4`;
    const seen = await trail.tampered(other, async () => ({
      elsewhere: await checkTrailFile(await exported({ stream: 'identity' }), fileCrypto),
      error: await refused({ stream: 'edge' }),
    }));
    assert.equal(seen.elsewhere.whole, true);
    assert.equal(seen.error.code, 'audit_broken');
    assert.match(seen.error.message, /stream edge at sequence 4: gap/);
    assert.equal(told.splice(0).length, 1);
    await audit.verify({ anchors: true });
    assert.deepEqual(told.splice(0), [undefined]);
  });

  test('a stream with all its hashes computed anew is not exported', async () => {
    const error = await trail.tampered(
      (sql) => trail.rewrite(sql, 'identity', 50),
      () => refused({ from: middle, stream: 'identity' }),
    );
    assert.match(error.message, /stream identity at sequence 100: sealed_differently/);
    await audit.verify({ anchors: true });
    told.splice(0);
  });

  test('damage of the decision log is in the report and stops exports too', async () => {
    const fault = {
      where: 'segments',
      name: 't0/00000001.tfd',
      sequence: 12,
      offset: 4096,
      reason: 'wrong_checksum',
      expected: 'a',
      found: 'b',
    } as const;
    decisions = { segments: 1, records: 12, faults: [fault] };
    const report = await audit.verify({ anchors: true });
    assert.deepEqual([report.whole, report.faults], [false, [fault]]);
    assert.match(report.words, /segment t0\/00000001\.tfd at sequence 12 at byte 4096/);
    assert.equal((await refused()).code, 'audit_broken');
    decisions = noDecisions;
    await audit.verify({ anchors: true });
    assert.equal((await eventsOf('gap_found')).length, 1);
    told.splice(0);
  });

  test('a row that changes while it is exported breaks the answer off before its manifest', async () => {
    await trail.write('long', 1200);
    const lines = await audit.export({ stream: 'long', acceptReversals: false }, 'key:key_test');
    const pieces: string[] = [];
    await trail.tampered(
      (sql) => sql`update control_events set actor = 'x' where stream = 'long' and sequence = 900`,
      () =>
        assert.rejects(
          async () => {
            for await (const piece of lines) pieces.push(piece);
          },
          { code: 'audit_broken', message: /stream long at sequence 900 changed/ },
        ),
    );
    assert.equal(pieces.join('').split('\n').length - 1, 500);
    const report = await checkTrailFile(pieces.join('').trimEnd().split('\n'), fileCrypto);
    assert.deepEqual(
      report.faults.map(({ reason, line }) => [reason, line]),
      [['no_manifest', 501]],
    );
  });

  test('a clock that was set back leaves the trail whole, but its export has to be asked for', async () => {
    trail.nowMs -= 86_400_000;
    await trail.write('edge', 1);
    const report = await audit.verify({ anchors: true });
    assert.equal(report.whole, true);
    assert.match(report.words, /whole to .*; a clock was set back: stream edge at sequence 11/);
    assert.deepEqual(told, [], 'no alert stands for it');
    const error = await refused({ stream: 'edge' });
    assert.match(error.message, /accept_reversals=true/);
    assert.equal(
      (await checkTrailFile(await exported({ stream: 'long' }), fileCrypto)).whole,
      true,
    );
    const lines = await exported({ stream: 'edge', acceptReversals: true });
    assert.equal(manifestOf(lines).reversals, 1);
    // The events about it are dated so as well, and are found in their turn.
    await audit.verify({ anchors: true });
    const before = (await eventsOf('gap_found')).length;
    await audit.verify({ anchors: true });
    assert.equal((await eventsOf('gap_found')).length, before);
  });
});
