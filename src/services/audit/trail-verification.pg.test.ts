// Goal: whatever is done to the tables or the anchors is located, and a whole trail is told whole.
// Method: a real server; its owner, triggers off, does each thing in turn and puts it back.

import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryFolder, withDatabase } from '../../../test/support/postgres.ts';
import { openSigningKey } from '../../io/credentials/signing-key.ts';
import { readSeals } from '../../io/postgres/event-digests.ts';
import { sealStatement } from '../../protocol/audit/schemas.ts';
import { TestTrail } from './audit.test-support.ts';

withDatabase((db) => {
  const folder = temporaryFolder();
  let trail: TestTrail;

  const anchors = (): string => readFileSync(trail.anchorsPath, 'utf8');
  const withAnchors = async (text: string): Promise<readonly string[]> => {
    const kept = anchors();
    writeFileSync(trail.anchorsPath, text);
    const faults = await trail.faults();
    writeFileSync(trail.anchorsPath, kept);
    return faults;
  };
  /** The anchors file with what `change` makes of the line at `index`. */
  const editedLine = (index: number, change: (line: string) => string): string => {
    const lines = anchors().split('\n');
    return lines.with(index, change(lines[index] ?? '')).join('\n');
  };

  before(async () => {
    trail = new TestTrail(db, folder);
    const seals = trail.seals();
    for (const count of [10, 20, 30]) {
      await trail.write('identity', count);
      await trail.write('edge', count);
      trail.nowMs += 60_000;
      await seals.tick();
    }
    await trail.write('identity', 5);
    assert.deepEqual(trail.errors, []);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('a whole trail is whole, with every seal, its event and its anchor', async () => {
    const { faults, events, digests, heads, seal } = await trail.verify();
    assert.deepEqual(faults, []);
    assert.deepEqual([events, digests, seal?.sequence], [65 + 60 + 3, 3, 3]);
    assert.deepEqual(
      heads.map(({ stream, sequence }) => [stream, sequence]),
      [
        ['audit', 3],
        ['edge', 60],
        ['identity', 65],
      ],
    );
    const lines = anchors().trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).sequence),
      [1, 2, 3],
    );
    for (const file of [trail.anchorsPath, join(folder, 'audit-signing.key')]) {
      assert.equal(statSync(file).mode & 0o777, 0o600, file);
    }
  });

  test('a start in between goes on with the chain of seals, and nothing new makes no seal', async () => {
    const stopped = trail.seals();
    await stopped.stop();
    assert.equal((await trail.verify()).digests, 4, 'the last seal of a stop');
    await stopped.stop();
    trail.nowMs += 3_600_000;
    await trail.seals().tick();
    assert.equal((await trail.verify()).digests, 4, 'the event of a seal asks for none');
    await trail.write('edge', 1);
    await trail.seals().tick();
    const { digests, faults } = await trail.verify();
    assert.deepEqual([digests, faults], [5, []]);
    assert.equal(anchors().trimEnd().split('\n').length, 5);
  });

  const past = [
    ['data of a past row', 7, 'wrong_hash'],
    ['a row in the middle', 12, 'gap'],
    ['two rows that changed places', 20, 'wrong_prev_hash'],
  ] as const;
  test('an edited, a removed and two swapped rows are located', async () => {
    const found = [
      await trail.tampered(
        (sql) => sql`update control_events set data = data || '{"index": 99}'
                     where stream = 'identity' and sequence = 7`,
        () => trail.faults(),
      ),
      await trail.tampered(
        (sql) => sql`delete from control_events where stream = 'identity' and sequence = 12`,
        () => trail.faults(),
      ),
      await trail.tampered(
        (sql) =>
          sql`
          with moved as (update control_events set sequence = -sequence + 100000
                         where stream = 'identity' and sequence in (20, 21) returning 1)
          select count(*) from moved`.then(
            () => sql`update control_events set sequence = 41 - (100000 - sequence)
                      where stream = 'identity' and sequence > 90000`,
          ),
        () => trail.faults(),
      ),
    ];
    for (const [index, [what, sequence, reason]] of past.entries()) {
      assert.deepEqual(found[index], [`events identity ${sequence} ${reason}`], what);
    }
  });

  test('a tail that was cut is found by the head, and with its head row by a seal', async () => {
    const cut = (withHead: boolean) =>
      trail.tampered(
        async (sql) => {
          await sql`delete from control_events where stream = 'edge' and sequence > 25`;
          if (!withHead) return;
          await sql`update event_streams s set sequence = 25,
                      hash = (select hash from control_events where stream = 'edge' and sequence = 25)
                    where stream = 'edge'`;
        },
        () => trail.faults(),
      );
    assert.deepEqual(await cut(false), ['events edge 26 tail_cut']);
    assert.deepEqual(await cut(true), ['events edge 26 tail_cut']);
  });

  test('a stream that is gone is missed', async () => {
    const found = await trail.tampered(
      async (sql) => {
        await sql`delete from control_events where stream = 'edge'`;
        await sql`delete from event_streams where stream = 'edge'`;
      },
      () => trail.faults(),
    );
    assert.deepEqual(found, ['events edge 1 tail_cut']);
  });

  test('a stream with all its hashes computed anew differs from the first seal over the change', async () => {
    const found = await trail.tampered(
      (sql) => trail.rewrite(sql, 'identity', 15),
      () => trail.faults(false),
    );
    assert.deepEqual(found, ['events identity 30 sealed_differently']);
  });

  test('seals that are removed, written anew or signed by another are found', async () => {
    const inMiddle = await trail.tampered(
      (sql) => sql`delete from event_digests where sequence = 2`,
      () => trail.faults(false),
    );
    assert.deepEqual(inMiddle, ['digests event_digests 2 gap']);
    const atEnd = await trail.tampered(
      (sql) => sql`delete from event_digests where sequence = 5`,
      () => trail.faults(false),
    );
    assert.deepEqual(atEnd, ['digests event_digests 5 seal_missing']);
    const edited = await trail.tampered(
      (sql) =>
        sql`update event_digests set sealed_at = sealed_at + interval '1 s' where sequence = 3`,
      () => trail.faults(false),
    );
    assert.deepEqual(edited, ['digests event_digests 3 wrong_digest']);
    const stranger = openSigningKey(join(folder, 'stranger.key'));
    const [, , , fourth] = await readSeals(db.database.sql, { after: 0, limit: 9 });
    assert.ok(fourth !== undefined);
    const signature = stranger.sign(sealStatement(4, fourth.digest));
    const signed = await trail.tampered(
      (sql) => sql`update event_digests set signature = ${signature},
                     public_key = ${stranger.publicKey} where sequence = 4`,
      () => trail.faults(false),
    );
    assert.deepEqual(signed, ['digests event_digests 4 wrong_signature']);
  });

  test('an old copy that was put back has fewer seals than there are anchors', async () => {
    const restored = (useAnchors: boolean) =>
      trail.tampered(
        async (sql) => {
          // Everything as it was right after the second seal, and consistent in itself.
          await sql`delete from event_digests where sequence > 2`;
          for (const [stream, sequence] of [
            ['audit', 2],
            ['edge', 30],
            ['identity', 30],
          ] as const) {
            await sql`delete from control_events where stream = ${stream} and sequence > ${sequence}`;
            await sql`
              update event_streams s set sequence = ${sequence}, hash = e.hash
              from control_events e
              where s.stream = ${stream} and e.stream = s.stream and e.sequence = ${sequence}`;
          }
        },
        () => trail.faults(useAnchors),
      );
    assert.deepEqual(await restored(false), [], 'nothing in the tables can tell');
    assert.deepEqual(await restored(true), ['digests event_digests 3 seal_missing']);
  });

  test('anchors that are edited, removed, doubled or unreadable are found', async () => {
    const name = 'digests audit-anchors.jsonl';
    const other = '0'.repeat(64);
    const edited = editedLine(2, (line) => JSON.stringify({ ...JSON.parse(line), digest: other }));
    assert.deepEqual(await withAnchors(edited), ['digests event_digests 3 differs_from_anchor']);
    const lines = anchors().split('\n');
    assert.deepEqual(await withAnchors(lines.toSpliced(1, 1).join('\n')), [
      `${name} 2 anchor_missing`,
    ]);
    assert.deepEqual(await withAnchors(editedLine(3, () => '{"no":1}')), [`${name} 4 unreadable`]);
    const doubled = lines.toSpliced(2, 0, lines[0] ?? '').join('\n');
    assert.deepEqual(await withAnchors(doubled), [`${name} 3 out_of_order`]);
    assert.deepEqual(await withAnchors(''), [`${name} 1 anchor_missing`]);
    assert.deepEqual(await trail.faults(), []);
  });

  test('anchors that a crash kept away come with the next seal, half a line is cut off', async () => {
    const lines = anchors().trimEnd().split('\n');
    writeFileSync(trail.anchorsPath, `${lines.slice(0, 3).join('\n')}\n`);
    appendFileSync(trail.anchorsPath, '{"sequence":4,"dig');
    await trail.seals().tick();
    assert.deepEqual(anchors().trimEnd().split('\n'), lines);
    assert.deepEqual(await trail.faults(), []);
  });

  test('the program may add seals and no more, and the owner is stopped from a mistake', async () => {
    const { sql } = db.database;
    const denied = { code: '42501', message: /permission denied/ };
    await assert.rejects(sql`update event_digests set digest = 'x'`, denied);
    await assert.rejects(sql`delete from event_digests`, denied);
    const owner = trail.ownerSql();
    const refused = { code: '42501', message: /sealed digests are never changed or removed/ };
    await assert.rejects(owner`update event_digests set digest = 'x'`, refused);
    await assert.rejects(owner`truncate event_digests`, refused);
    await owner.end({ timeout: 5 });
  });

  test('a clock that was set back is told in events and seals, and seals go on', async () => {
    trail.nowMs -= 86_400_000;
    await trail.write('edge', 1);
    await trail.seals().tick();
    const { faults, digests } = await trail.verify();
    assert.equal(digests, 6);
    assert.deepEqual(
      faults.map((one) => `${one.where} ${one.name} ${one.sequence} ${one.reason}`),
      [
        'digests event_digests 6 time_reversed',
        'events audit 6 time_reversed',
        'events edge 62 time_reversed',
      ],
    );
  });
});
