// Goal: one live process per data directory, whatever happened to the ones before, and nothing in it
// for other people's eyes. Method: real directories, and real processes that hold them and are killed.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  DataDirectoryLocked,
  dataDirectoryProblem,
  openDataDirectory,
  readLock,
} from './data-directory.ts';
import { processStart } from './process-identity.ts';

const moduleUrl = new URL('./data-directory.ts', import.meta.url).href;

/** A process that opens the directory, says so, and stays until it is killed. */
function holder(path: string): ChildProcess {
  const program = `
    import { openDataDirectory } from ${JSON.stringify(moduleUrl)};
    try {
      await openDataDirectory(${JSON.stringify(path)});
      console.log('held');
      setInterval(() => {}, 60_000);
    } catch (error) {
      console.log(error.name);
    }`;
  return spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function firstWord(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout !== null);
  const [data]: unknown[] = await once(child.stdout, 'data');
  return String(data).trim();
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

describe('the data directory', () => {
  let parent = '';
  let path = '';
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'tensorforge-test-'));
    path = join(parent, 'data');
  });
  afterEach(() => rmSync(parent, { recursive: true, force: true }));

  test('is made private, with what is missing above it', async () => {
    const directory = await openDataDirectory(join(path, 'deep', 'er'));
    assert.equal(statSync(directory.path).mode & 0o777, 0o700);
    assert.equal(statSync(join(directory.path, 'lock.json')).mode & 0o777, 0o600);
    directory.release();
    assert.deepEqual(readdirSync(directory.path), []);
  });

  test('is closed to others when it is empty or ours', async () => {
    mkdirSync(path, { mode: 0o755 });
    const first = await openDataDirectory(path);
    assert.equal(statSync(path).mode & 0o777, 0o700);
    first.release();
    mkdirSync(join(path, 'postgres'));
    chmodSync(path, 0o750);
    const second = await openDataDirectory(path);
    assert.equal(statSync(path).mode & 0o777, 0o700);
    second.release();
  });

  test("is refused when it is open to others and holds someone's files", async () => {
    mkdirSync(path, { mode: 0o755 });
    writeFileSync(join(path, 'letter.txt'), 'dear');
    await assert.rejects(openDataDirectory(path), {
      code: 'config_invalid',
      message: /mode 755 and holds other files; choose a directory of your own with --data-dir/,
    });
    assert.equal(statSync(path).mode & 0o777, 0o755);
  });

  test('is refused when a file has its name', async () => {
    writeFileSync(path, '');
    await assert.rejects(openDataDirectory(path), { code: 'config_invalid' });
    await assert.rejects(openDataDirectory(join(path, 'below')), { code: 'config_invalid' });
  });

  test('is refused to a second process while the first lives', async (t) => {
    const child = holder(path);
    t.after(() => killed(child));
    assert.equal(await firstWord(child), 'held');
    await assert.rejects(openDataDirectory(path), (error: unknown) => {
      assert.ok(error instanceof DataDirectoryLocked);
      assert.equal(error.pid, child.pid);
      assert.match(error.message, /in use by the process \d+; stop it with `tensorforge stop`/);
      return true;
    });
    const lock = readLock(path);
    assert.equal(lock?.alive, true);
    assert.equal(lock?.pid, child.pid);
  });

  test('is refused to a second opening by the same process', async () => {
    const directory = await openDataDirectory(path);
    await assert.rejects(openDataDirectory(path), DataDirectoryLocked);
    directory.release();
    (await openDataDirectory(path)).release();
  });

  test('is taken over from a killed process', async () => {
    const child = holder(path);
    assert.equal(await firstWord(child), 'held');
    await killed(child);
    assert.equal(readLock(path)?.alive, false);
    const directory = await openDataDirectory(path);
    assert.equal(readLock(path)?.pid, process.pid);
    assert.deepEqual(readdirSync(path), ['lock.json']);
    directory.release();
  });

  test('is taken over when the pid was given to another process', async () => {
    const first = await openDataDirectory(path);
    const file = join(path, 'lock.json');
    const text = readFileSync(file, 'utf8');
    const start = processStart(process.pid);
    assert.ok(start !== undefined);
    writeFileSync(file, text.replace(start, `${start}0`));
    const second = await openDataDirectory(path);
    first.release();
    assert.equal(readLock(path)?.alive, true);
    second.release();
    assert.equal(readLock(path), undefined);
  });

  for (const [what, text] of [
    ['empty', ''],
    ['not a lock', '{"pid": "x"}'],
    ['cut off', '{"pid": 1, "pro'],
  ]) {
    test(`is taken over when its lock file is ${what}`, async () => {
      mkdirSync(path, { mode: 0o700 });
      writeFileSync(join(path, 'lock.json'), text ?? '');
      (await openDataDirectory(path)).release();
      (await openDataDirectory(path)).release();
    });
  }

  test('is taken over although an earlier taker died in the middle', async () => {
    const child = holder(path);
    assert.equal(await firstWord(child), 'held');
    await killed(child);
    const stale = JSON.parse(readFileSync(join(path, 'lock.json'), 'utf8'));
    const claim = { ...stale, nonce: 'a'.repeat(32) };
    writeFileSync(join(path, `lock-claim-${stale.nonce}.json`), JSON.stringify(claim));
    const directory = await openDataDirectory(path);
    assert.deepEqual(readdirSync(path), ['lock.json']);
    directory.release();
  });

  test('has exactly one holder when many take over a stale lock at once', async (t) => {
    const dead = holder(path);
    assert.equal(await firstWord(dead), 'held');
    await killed(dead);
    const children = Array.from({ length: 6 }, () => holder(path));
    t.after(() => Promise.all(children.map(killed)));
    const words = await Promise.all(children.map(firstWord));
    assert.equal(words.filter((word) => word === 'held').length, 1);
    assert.equal(words.filter((word) => word === 'DataDirectoryLocked').length, 5);
  });

  test('tells facts about its holder', async () => {
    const directory = await openDataDirectory(path);
    directory.describe({ url: 'http://127.0.0.1:8120' });
    directory.describe({ gateway_port: 8120 });
    assert.deepEqual(readLock(path)?.facts, { url: 'http://127.0.0.1:8120', gateway_port: 8120 });
    assert.equal(readLock(path)?.alive, true);
    directory.release();
    directory.release();
  });

  test('keeps a secret from the first call on, mode 0600', async () => {
    const directory = await openDataDirectory(path);
    assert.equal(directory.readSecretFile('pepper'), undefined);
    const secret = directory.secret('pepper', 32);
    assert.equal(secret.reveal().length, 43);
    assert.equal(directory.secret('pepper', 32).reveal(), secret.reveal());
    assert.equal(directory.readSecretFile('pepper')?.reveal(), secret.reveal());
    assert.equal(statSync(directory.file('pepper')).mode & 0o777, 0o600);
    directory.release();
  });

  test('refuses a secret that others may read, and an empty one', async () => {
    const directory = await openDataDirectory(path);
    directory.secret('pepper', 32);
    chmodSync(directory.file('pepper'), 0o640);
    assert.throws(() => directory.secret('pepper', 32), {
      code: 'config_invalid',
      message: /has mode 640, so others may read it/,
    });
    directory.writePrivate('empty', '\n');
    assert.throws(() => directory.readSecretFile('empty'), { code: 'config_invalid' });
    directory.release();
  });

  test('replaces a private file whole and leaves no temporary one', async () => {
    const directory = await openDataDirectory(path);
    directory.writePrivate('note', 'one');
    directory.writePrivate('note', 'two');
    assert.equal(readFileSync(directory.file('note'), 'utf8'), 'two');
    assert.equal(statSync(directory.file('note')).mode & 0o777, 0o600);
    assert.throws(() => directory.writePrivate('no/such/folder', 'x'));
    assert.deepEqual(readdirSync(path).sort(), ['lock.json', 'note']);
    directory.release();
    assert.equal(existsSync(join(path, 'lock.json')), false);
  });
});

test('a place where nothing can be made is refused at once, in words', async () => {
  for (const path of ['/proc/nope', '/proc/nope/deeper', '/dev/null/x']) {
    await assert.rejects(openDataDirectory(path), { code: 'config_invalid' }, path);
  }
});

test('what a start would refuse is told beforehand, and looking changes nothing', () => {
  const root = mkdtempSync(join(tmpdir(), 'tensorforge-problem-'));
  try {
    assert.equal(dataDirectoryProblem(join(root, 'a', 'b')), undefined);
    assert.equal(existsSync(join(root, 'a')), false);
    assert.equal(dataDirectoryProblem(root), undefined);
    writeFileSync(join(root, 'letter.txt'), 'x');
    chmodSync(root, 0o755);
    assert.equal(dataDirectoryProblem(root), 'has mode 755 and holds other files');
    assert.equal(dataDirectoryProblem(join(root, 'letter.txt')), 'is not a directory');
    assert.match(dataDirectoryProblem(join(root, 'letter.txt', 'x')) ?? '', /is not a directory/);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

test('the lock of what is no directory is no system error', () => {
  assert.throws(() => readLock('/dev/null'), /\/dev\/null is not a directory; choose another/);
});
