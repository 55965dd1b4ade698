// Goal: a file has one line for each record, whatever the ids are and wherever a write or the
// process ends, and reads back as what was kept. Method: real files in the core's format; a process
// whose files may not grow for a write that fails half way; /dev/full for one that cannot be taken
// back.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { codePoint } from '../../../test/support/code-points.ts';
import { holds } from '../../../test/support/properties.ts';
import { auditLine, parseAuditLine } from '../../core/workflow/transition-record.ts';
import { type FiledTransition, readTransitionFile, TransitionFile } from './transition-file.ts';

const format = { render: auditLine, parse: parseAuditLine };

function record(entityId: string, timestamp = 7): FiledTransition {
  return { entityId, from: 'queued', to: 'placed', timestamp };
}

/**
 * Ids that would be a second line, or the id of another entity, if they were written as they are.
 */
const forgeries = [
  'x\n[9] queued -> cancelled (entity: y)',
  'x)\n[9] queued -> cancelled (entity: y',
  'x\r',
  'x\u2028y',
  'x\u2029y',
  'x\u0085y',
  'x\u0000',
  'x\u001b[2K',
  'x\u007f',
  'x\ud800',
];

describe('workflow', () => {
  let folder = '';
  let path = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tensorforge-transitions-'));
    path = join(folder, 'transitions.log');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const read = (): readonly FiledTransition[] => [...readTransitionFile(path, format)];
  const open = (): TransitionFile => new TransitionFile(path, format);

  test('records are lines in the fixed format, for the eyes of the owner, and read back', () => {
    const file = open();
    assert.ok(file.append([record('job-1', 100), record('job-2', 90)]).ok);
    assert.ok(file.append([record('Grüße 🙂 ) (entity: z)')]).ok);
    assert.ok(file.append([]).ok);
    assert.equal(
      readFileSync(path, 'utf8'),
      '[100] queued -> placed (entity: job-1)\n' +
        '[90] queued -> placed (entity: job-2)\n' +
        '[7] queued -> placed (entity: Grüße 🙂 ) (entity: z))\n',
    );
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(read(), [
      record('job-1', 100),
      record('job-2', 90),
      record('Grüße 🙂 ) (entity: z)'),
    ]);
    file.close();
  });

  test('a file that is opened again goes on behind its last line', () => {
    const first = open();
    assert.ok(first.append([record('a')]).ok);
    first.close();
    first.close();
    const second = open();
    assert.ok(second.append([record('b')]).ok);
    second.close();
    assert.deepEqual(read(), [record('a'), record('b')]);
  });

  test('an id that would forge a line is refused, with the group it came in', () => {
    const file = open();
    for (const id of forgeries) {
      const kept = file.append([record('honest'), record(id)]);
      assert.ok(!kept.ok, JSON.stringify(id));
      assert.equal(kept.error.code, 'unprintable_record');
      assert.match(
        kept.error.message,
        /^the record of "x.*\\u[\da-f]{4}.*" cannot be one line of /,
      );
      assert.doesNotMatch(kept.error.message, /[\p{Cc}\p{Cs}\u2028\u2029]/u);
    }
    for (const state of ['on hold', 'a\nb', '']) {
      assert.ok(!file.append([{ ...record('a'), to: state }]).ok, JSON.stringify(state));
    }
    file.close();
    assert.equal(readFileSync(path, 'utf8'), '');
  });

  test('what a crash left of a line is not read, and cut off when the file is opened', () => {
    writeFileSync(path, `${auditLine(record('a'))}\n${auditLine(record('b')).slice(0, -1)}`);
    assert.deepEqual(read(), [record('a')]);
    const file = open();
    assert.ok(file.append([record('c')]).ok);
    file.close();
    assert.deepEqual(read(), [record('a'), record('c')]);
  });

  test('a crash within the first line leaves an empty file, and long lines are found whole', () => {
    const long = record('x'.repeat(200_000));
    writeFileSync(path, auditLine(long));
    assert.deepEqual(read(), []);
    const file = open();
    assert.ok(file.append([long, record('b')]).ok);
    appendFileSync(path, auditLine(long));
    open().close();
    assert.deepEqual(read(), [long, record('b')]);
    file.close();
  });

  test('a file of somebody else is refused and stays as it is', () => {
    writeFileSync(path, 'first line\nsecond line without an end');
    assert.throws(open, { code: 'bad_state', message: /its last line is not one of ours/ });
    assert.equal(readFileSync(path, 'utf8'), 'first line\nsecond line without an end');
    assert.throws(read, { code: 'bad_state', message: /line 1 of .* is no audit line/ });
    assert.throws(() => [...readTransitionFile(join(folder, 'none'), format)], { code: 'ENOENT' });
  });

  test('a line that was changed is named when the file is read', () => {
    const good = auditLine(record('a'));
    const notUtf8 = Buffer.from(good.replace('entity: a', 'entity: ?'));
    notUtf8[notUtf8.lastIndexOf('?')] = 0xff;
    for (const bad of [Buffer.from(good.replace('->', '=>')), notUtf8, Buffer.of()]) {
      writeFileSync(path, Buffer.concat([Buffer.from(`${good}\n`), bad, Buffer.from('\n')]));
      const records = readTransitionFile(path, format);
      assert.deepEqual(records.next().value, record('a'));
      assert.throws(() => records.next(), { code: 'bad_state', message: /line 2 of / });
    }
  });

  test('a write that fails half way leaves no part of its group, and the next one is kept', () => {
    const program = `
      import { TransitionFile } from ${JSON.stringify(new URL('./transition-file.ts', import.meta.url).href)};
      import { auditLine, parseAuditLine } from ${JSON.stringify(
        new URL('../../core/workflow/transition-record.ts', import.meta.url).href,
      )};
      const file = new TransitionFile(process.argv[1], { render: auditLine, parse: parseAuditLine });
      const record = (entityId) => ({ entityId, from: 'queued', to: 'placed', timestamp: 7 });
      const groups = [['a'], ['b', 'x'.repeat(5000)], ['c']].map((ids) => ids.map(record));
      console.log(JSON.stringify(groups.map((group) => file.append(group))));`;
    // No file of this process may grow beyond a few kilobytes.
    const shell = 'ulimit -f 2; exec "$0" --input-type=module -e "$1" "$2"';
    const output = execFileSync('bash', ['-c', shell, process.execPath, program, path], {
      encoding: 'utf8',
    });
    const [first, second, third] = JSON.parse(output);
    assert.equal(first.ok, true);
    assert.equal(second.ok, false);
    assert.equal(second.error.code, 'file_failed');
    assert.match(second.error.message, /transitions\.log could not be written: EFBIG/);
    assert.equal(third.ok, true);
    assert.deepEqual(read(), [record('a'), record('c')]);
  });

  test('a file that cannot be cut back takes nothing more', () => {
    const file = new TransitionFile('/dev/full', format);
    const words = /could not be written: ENOSPC.*, nor be cut back \(.*\); open it anew/;
    assert.equal(file.append([record('a')]).ok, false);
    const kept = file.append([record('b')]);
    assert.ok(!kept.ok);
    assert.match(kept.error.message, words);
    file.close();
    const closed = file.append([record('c')]);
    assert.ok(!closed.ok);
    assert.match(closed.error.message, /^\/dev\/full is closed$/);
  });

  // All cases append to one file, because each opening of a new one waits for the disk.
  let shared: TransitionFile | undefined;
  after(() => shared?.close());
  holds(
    'each group adds exactly its lines, which read back as it, or nothing',
    fc.property(
      fc.array(
        fc.tuple(
          fc.oneof(
            { arbitrary: fc.string({ unit: codePoint }), weight: 3 },
            { arbitrary: fc.constantFrom(...forgeries), weight: 1 },
          ),
          fc.maxSafeInteger(),
        ),
        { maxLength: 3 },
      ),
      (group) => {
        shared ??= open();
        const { size } = statSync(path);
        const records = group.map(([id, timestamp]) => record(id, timestamp));
        const kept = shared.append(records).ok ? records : [];
        const added = readFileSync(path).subarray(size).toString();
        const lines = added.split(/[\n\r\u2028\u2029\u0085]/);
        assert.equal(lines.pop(), '');
        assert.deepEqual(lines.map(parseAuditLine), kept);
      },
    ),
  );
});
